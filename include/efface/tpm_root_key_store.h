// efface/tpm_root_key_store.h -- root keys in the NV memory of a TPM 2.0.
//
// The key of an epoch stands in an NV index of its own. It is read into locked memory, over a
// salted session that encrypts it on the bus, to seal or open the keyring's root, and is wiped.
// Destroying writes zeros over the index, undefines it, and then asks the TPM, which must know no
// such index.
//
// Build    The component efface::tpm (find_package(efface COMPONENTS tpm)), there where
//          tpm2-tss was found when efface was built. Without it this class does not link.
// Shape    Three NV indices from options.index: two slots of 72 bytes for keys, each there only
//          while it holds one, and one of 272 bytes for two copies of the record (docs/custody.md).
//          Attributes AUTHREAD, AUTHWRITE, NO_DA; neither ORDERLY nor CLEAR_STCLEAR. A wrapped root
//          is as docs/format/root-key-file.md says, the last section.
// Threads  As RootKeyStore: one thread at a time.
// Forks    In a child every method answers forked.
// Errors   token_unavailable: no such TPM; system_code is the TSS2_RC. passphrase_wrong: the auth
//          value of the indices, or that of the owner. busy: the TPM says to come again, or is in
//          lockout. rate_limited: below, or the TPM's own limit. root_key_missing: no store at this
//          index. exists: something is at one of the indices. no_space. corruption.
//          invalid_argument: an index out of the range of NV.
// Cost     swtpm: 10 ms for a wrap, 20 ms for a rotation. A TPM of its own on an LPC or SPI bus is
//          ten times slower, and its NV memory endures about 100,000 writes: a rotation takes five.
// Memory   tpm2-tss keeps auth values in ordinary memory while the store is open, and a key for the
//          moment of a call; its buffer is overwritten after each.
// Source   TCG TPM 2.0 Library, part 3, 31 (NV); part 1, 19 (sessions), 21 (parameter encryption);
//          TCG TSS 2.0 ESAPI.
//
// Example
//   TpmRootKeyStoreOptions options;
//   options.tcti = "device:/dev/tpmrm0";
//   options.auth = random;  // At most 32 bytes, kept by whoever may read the keys.
//   auto root_keys = TpmRootKeyStore::create(options).value();
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "efface/root_key_store.h"

namespace efface {

struct TpmRootKeyStoreOptions {
  // As tpm2-tss reads it: "device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321".
  std::string tcti = "device:/dev/tpmrm0";
  std::uint32_t index = 0x01800010;  // The first of three, in the owner's range of NV indices.
  // Of the indices, chosen with the store; at most 32 bytes. Whoever has it, and the TPM, reads the
  // keys. Not protected against being tried many times, so it should be random.
  Bytes auth{};
  Bytes owner_auth{};  // Of the TPM's owner hierarchy: it defines and undefines indices.
  // A rotation sooner is refused and changes nothing: on average one in this time, of which so many
  // may come at once. Zero: no limit of ours. Destroying and making keys is never refused.
  std::chrono::seconds rotation_interval{3600};
  std::uint32_t rotations_at_once_max = 24;
  std::chrono::system_clock::time_point (*now)() = nullptr;  // For tests.
};

class EFFACE_EXPORT TpmRootKeyStore final : public RootKeyStore {
 public:
  // Defines the record's index; no key yet. On an error nothing of ours is left, unless the TPM is
  // out of reach by then.
  static Result<std::unique_ptr<TpmRootKeyStore>> create(const TpmRootKeyStoreOptions& options);
  static Result<std::unique_ptr<TpmRootKeyStore>> open(const TpmRootKeyStoreOptions& options);
  ~TpmRootKeyStore() override;

  StoreId id() const override;
  // L3, by what the TPM says of its maker. L0 where that is a maker of TPMs in software: their NV
  // memory is a file of some host, which is replaced and not overwritten.
  Assurance assurance() const override;
  Result<std::vector<Epoch>> list() override;
  Result<Anchor> anchor() override;
  Status create(Epoch epoch, const Anchor& anchor) override;
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override;
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override;
  // Not one step: the record, then the old key is destroyed, then the new one is made. After an
  // error between them the old key is held, or neither is; list() tells, and the call can be made
  // again. Errors: rate_limited, and nothing has changed.
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override;
  Status destroy(Epoch epoch) override;
  // None of one after a rotation that was refused as too soon: a region opens all the same, and
  // what was erased stays pending.
  Replicas replicas() const override;
  Result<bool> lies_within(const std::string& directory) const override;  // Never: it is a token.

 private:
  class Impl;
  explicit TpmRootKeyStore(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace efface
