// efface/pkcs11_root_key_store.h -- root keys in a PKCS#11 token: an HSM, a smart card, SoftHSM.
//
// The key of an epoch is made in the token (AES-256, sensitive, not extractable) and never leaves
// it: the token itself wraps and unwraps the keyring's root with AES-256-GCM. Destroying is
// C_DestroyObject, then a new session in which neither a search nor the old handle finds the key.
//
// Shape    One private data object per store: CKA_APPLICATION "efface", CKA_LABEL the store's name,
//          its value as in docs/custody.md. One secret key per epoch: CKA_LABEL "efface root " and
//          the store's id in hex; CKA_ID = store id 16 | epoch 8, big-endian.
//          A wrapped root is 62 bytes: version 2 | suite 2 | IV 12 | ciphertext 32 | tag 16; its
//          associated data is BLAKE2b-256 over store id, epoch and context. The IV is random, ours,
//          or the token's own where it insists; an epoch's key wraps a few times, far from any
//          limit.
//          The anchor is not sealed under a key: whoever can write private objects of the token has
//          logged in to it and could destroy the keys as well; a checksum finds damage.
// Threads  As RootKeyStore: one thread at a time. Stores of one process share the module.
// Forks    In a child every method answers forked.
// Errors   token_unavailable: no such module or token, the session is lost and cannot be had again,
//          or the PIN is locked; system_code is the CK_RV. passphrase_wrong: the PIN; it is dropped
//          then, so that the token does not count more than one wrong attempt. unsupported: no
//          AES-256-GCM, or it makes no keys that stay inside. root_key_missing: no store of this
//          name. exists. corruption. invalid_argument: two tokens answer to that label.
// Cost     On SoftHSM a rotation takes about 15 ms and a wrap 1 ms. An HSM in the network: about
//          ten round trips each.
// Source   OASIS PKCS #11 Base Specification 2.40 and 3.0, sections 5.7 (objects), 5.8, 6.13 (AES).
//
// Example
//   Pkcs11RootKeyStoreOptions options;
//   options.module = "/usr/lib/softhsm/libsofthsm2.so";
//   options.token_label = "efface";
//   options.pin = as_bytes(pin);
//   auto root_keys = Pkcs11RootKeyStore::create(options).value();
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "efface/root_key_store.h"

namespace efface {

struct Pkcs11RootKeyStoreOptions {
  std::filesystem::path module;  // The token's library, absolute. It runs in this process.
  // Which token: by label, by serial number, or by both. Neither: the only one there is.
  std::string token_label{};
  std::string token_serial{};
  // Copied into locked memory and kept there: a lost session is had again without asking. Empty:
  // the token has a PIN pad of its own. A process that is logged in to the token already, through
  // another store or by itself, is not asked again, whatever stands here: so is PKCS#11.
  Bytes pin{};
  std::string name = "efface";  // Which store on the token; one per region.
};

class EFFACE_EXPORT Pkcs11RootKeyStore final : public RootKeyStore {
 public:
  // Makes an empty store on a token that has been initialised. Errors: exists.
  static Result<std::unique_ptr<Pkcs11RootKeyStore>> create(
      const Pkcs11RootKeyStoreOptions& options);
  static Result<std::unique_ptr<Pkcs11RootKeyStore>> open(const Pkcs11RootKeyStoreOptions& options);
  ~Pkcs11RootKeyStore() override;

  StoreId id() const override;
  // L3 where the slot says that it is hardware and its maker is not known for software tokens. What
  // its vendor's backups, clones and replicas keep is not seen. L0 else: SoftHSM unlinks a file.
  Assurance assurance() const override;
  Result<std::vector<Epoch>> list() override;
  Result<Anchor> anchor() override;
  Status create(Epoch epoch, const Anchor& anchor) override;
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override;
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override;
  // Not one step: the anchor, then the old key is destroyed, then the new one is made. After an
  // error between them the old key is held, or neither is; list() tells, and the call can be made
  // again.
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override;
  Status destroy(Epoch epoch) override;
  Result<bool> lies_within(const std::string& directory) const override;  // Never: it is a token.

 private:
  class Impl;
  explicit Pkcs11RootKeyStore(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace efface
