// Where a root key store of each kind is made and opened, for tests that claim the same of all.
#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "custody/soft_tokens.h"
#include "efface/file_root_key_store.h"
#include "efface/pkcs11_root_key_store.h"
#include "efface/tpm_root_key_store.h"

namespace efface::test {

using Root = std::array<std::byte, 32>;

inline Root some_root() {
  Root root;
  root.fill(std::byte{0x5a});
  return root;
}

inline Anchor anchor_of(Epoch epoch) {
  Anchor anchor;
  anchor.epoch = epoch;
  anchor.root_hash.fill(static_cast<std::byte>(epoch));
  anchor.ledger_entries = 10 * epoch;
  anchor.ledger_hash.fill(static_cast<std::byte>(epoch + 1));
  return anchor;
}

// Errc{} for a success.
template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc{} : result.error().code();
}

inline Errc unwrap_code(RootKeyStore& store, Epoch epoch, Bytes wrapped,
                        std::string_view context = "region") {
  Root out{};
  const Status opened = store.unwrap(epoch, as_bytes(context), wrapped, out);
  if (!opened) return opened.error().code();
  return out == some_root() ? Errc{} : Errc::conflict;
}

inline std::vector<std::byte> wrapped_by(RootKeyStore& store, Epoch epoch) {
  auto wrapped = store.wrap(epoch, as_bytes("region"), some_root());
  return wrapped ? *wrapped : std::vector<std::byte>();
}

template <class Store>
using Made = Result<std::unique_ptr<Store>>;

template <class Store>
Result<std::unique_ptr<RootKeyStore>> as_any(Made<Store> made) {
  if (!made) return made.error();
  return std::unique_ptr<RootKeyStore>(std::move(*made));
}

class FileStand {
 public:
  static const char* missing() { return nullptr; }
  auto create() { return as_any(FileRootKeyStore::create(options("right"))); }
  auto open() { return as_any(FileRootKeyStore::open(options("right"))); }
  auto open_wrongly() { return as_any(FileRootKeyStore::open(options("wrong"))); }

 private:
  FileRootKeyStoreOptions options(std::string_view passphrase) const {
    return {.path = directory_ / "root.key",
            .passphrase = as_bytes(passphrase),
            .accept_l0 = true,
            .passphrase_memory_kib = 8,
            .passphrase_passes = 1};
  }
  TempDirectory directory_{"root"};
};

class Pkcs11Stand {
 public:
  static const char* missing() { return SoftHsm::missing(); }
  Pkcs11RootKeyStoreOptions options(std::string_view pin = SoftHsm::pin) const {
    return {.module = token_.module(),
            .token_label = std::string(SoftHsm::label),
            .pin = as_bytes(pin)};
  }
  auto create() { return as_any(Pkcs11RootKeyStore::create(options())); }
  auto open() { return as_any(Pkcs11RootKeyStore::open(options())); }
  auto open_wrongly() { return as_any(Pkcs11RootKeyStore::open(options("9999-9999"))); }
  TokenFault& fault() { return token_.fault(); }
  const SoftHsm& token() const { return token_; }

 private:
  SoftHsm token_;
};

class TpmStand {
 public:
  static const char* missing() { return SoftTpm::missing(); }
  TpmRootKeyStoreOptions options(std::string_view auth = "right") const {
    return {.tcti = tpm_.tcti(),
            .auth = as_bytes(auth),
            .rotation_interval = rotation_interval,
            .rotations_at_once_max = 1,
            .now = now};
  }
  std::chrono::seconds rotation_interval{};
  std::chrono::system_clock::time_point (*now)() = nullptr;
  auto create() { return as_any(TpmRootKeyStore::create(options())); }
  auto open() { return as_any(TpmRootKeyStore::open(options())); }
  auto open_wrongly() { return as_any(TpmRootKeyStore::open(options("wrong"))); }
  TokenFault& fault() { return tpm_.fault(); }
  SoftTpm& tpm() { return tpm_; }

 private:
  SoftTpm tpm_;
};

struct StandNames {
  template <class Stand>
  static std::string GetName(int) {
    if (std::is_same_v<Stand, FileStand>) return "File";
    return std::is_same_v<Stand, Pkcs11Stand> ? "Pkcs11" : "Tpm";
  }
};

}  // namespace efface::test
