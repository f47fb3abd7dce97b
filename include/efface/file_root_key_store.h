// efface/file_root_key_store.h -- root keys in a small file that is overwritten in place.
//
// Shape    docs/format/root-key-file.md: a header and two slots of 4 KiB each; a slot's 512 bytes
//          hold one epoch's key, the anchor and a checksum, and are never moved.
// Threads  As RootKeyStore: one thread at a time.
// Errors   root_key_missing: no file. unsafe_path: a symlink, a foreign owner, a second link, or
//          bits for group or others. corruption: not such a file, or both slots torn.
//          passphrase_wrong. format_new. exists. assurance_too_low: the file system copies on write
//          or is unknown, and L0 was not accepted. busy: the file is open already.
// Cost     A rotation is one write of 512 bytes and one fdatasync (about 0.1 ms), and what verifies
//          it.
//
// Example
//   options.path = home / "eu.key";  // Not where the data is, and in no backup.
//   options.passphrase = as_bytes(passphrase);
//   auto root_keys = FileRootKeyStore::create(options).value();
#pragma once
#include <filesystem>
#include <memory>

#include "efface/root_key_store.h"

namespace efface {

struct FileRootKeyStoreOptions {
  std::filesystem::path path;  // Outside the data directory, and never in a backup.
  // Empty: the key stands in its slot in clear, and the file's mode is all that guards it.
  Bytes passphrase{};
  bool accept_l0 = false;
  // Several processes open it, each with this, for a store that they share (OpenOptions::shared).
  bool shared = false;
  // Argon2id, for a new file; an existing one says its own.
  std::uint32_t passphrase_memory_kib = 256 * 1024;
  std::uint32_t passphrase_passes = 3;
};

class EFFACE_EXPORT FileRootKeyStore final : public RootKeyStore {
 public:
  // On an error of create nothing is left at the path.
  static Result<std::unique_ptr<FileRootKeyStore>> create(const FileRootKeyStoreOptions& options);
  static Result<std::unique_ptr<FileRootKeyStore>> open(const FileRootKeyStoreOptions& options);
  ~FileRootKeyStore() override;

  StoreId id() const override;
  Assurance assurance() const override;
  Result<std::vector<Epoch>> list() override;
  Result<Anchor> anchor() override;
  Status create(Epoch epoch, const Anchor& anchor) override;
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override;
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override;
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override;
  Status destroy(Epoch epoch) override;
  Result<bool> lies_within(const std::string& directory) const override;
  Result<bool> shares_volume(const std::string& directory) const override;
  bool keeps_in_clear() const override;
  bool may_be_shared() const override;

 private:
  class Impl;
  explicit FileRootKeyStore(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace efface
