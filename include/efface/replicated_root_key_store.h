// efface/replicated_root_key_store.h -- several root key stores, of which any one opens the keyring
// and all must destroy.
//
// Each replica wraps the same root key under a key of its own. To lose a replica loses nothing; to
// erase takes all of them.
//
// Shape     docs/format/keyring.md, "Wrapped by several". id() is a hash of the replicas' ids, in
//           whatever order they are given: with another set of replicas it is another store, and
//           only Store::migrate_root leads from one to the other.
// Steps     rotate and destroy ask every replica, also after one has failed, and succeed when all
//           confirm. Until then the erasure is pending, and is resumed by the next one, by
//           maintain() and by opening. create and wrap need all of them.
// Absence   A replica that cannot be opened just now is given by its id. The keyring can be read
//           then, and nobody can be erased: token_unavailable.
// Assurance The least of the replicas that are here.
// Threads   As RootKeyStore.
// Lifetime  The replicas outlive it, and nobody else uses them meanwhile.
// Errors    Those of the replicas; root_key_mismatch: one of them is further from the others than
//           an interrupted step, so an old copy of it was put back.
// Cost      That of all replicas, one after the other.
//
// Example
//   RootKeyStore* const replicas[] = {one.get(), other.get()};  // In two buildings, say.
//   const auto root_keys = ReplicatedRootKeyStore::over(replicas).value();
#pragma once
#include <memory>
#include <span>

#include "efface/root_key_store.h"

namespace efface {

class EFFACE_EXPORT ReplicatedRootKeyStore final : public RootKeyStore {
 public:
  static constexpr std::size_t replicas_min = 2;
  static constexpr std::size_t replicas_max = 8;

  // Errors: invalid_argument: too few or too many in all, none here, or one of them twice.
  static Result<std::unique_ptr<ReplicatedRootKeyStore>> over(
      std::span<RootKeyStore* const> replicas, std::span<const StoreId> absent = {});
  ~ReplicatedRootKeyStore() override;

  StoreId id() const override;
  Assurance assurance() const override;
  Replicas replicas() const override;
  Result<std::vector<Epoch>> list() override;  // What any replica that answers still holds.
  Result<Anchor> anchor() override;
  Status create(Epoch epoch, const Anchor& anchor) override;
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override;
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override;
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override;
  Status destroy(Epoch epoch) override;
  Result<bool> lies_within(const std::string& directory) const override;
  Result<bool> shares_volume(const std::string& directory) const override;
  bool keeps_in_clear() const override;

 private:
  class Impl;
  explicit ReplicatedRootKeyStore(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace efface
