// efface/composite_root_key_store.h -- several root key stores, of which destroying any one
// suffices.
//
// A root key is the XOR of random shares, one for each member, wrapped by it. Whoever misses one
// share has nothing, so an epoch is gone as soon as one member has destroyed its key of it. What
// one member cannot show (a file system below it, a token's firmware), another one may; and one
// that lies, or is backed up against the rules, brings nobody back.
//
// Shape     docs/format/keyring.md, "Wrapped by several". An epoch is held when all members hold
//           it; listed is what all hold that answer. id() is a hash of the members' ids, in
//           whatever order they are given.
// Steps     rotate and destroy ask every member, and succeed when one or more confirm that the key
//           is gone. What the others have left is of no use to anyone, is not listed, and is
//           destroyed before another epoch is made at all. assurance() and replicas() speak of
//           those that confirmed.
// Assurance L4 when two or more confirmed and one of them is a token (L3); else the best of those
//           that confirmed.
// Threads   As RootKeyStore.
// Lifetime  The members outlive it, and nobody else uses them meanwhile.
// Errors    Those of the members. Everything that makes, wraps or unwraps needs all of them.
// Cost      That of all members, one after the other.
//
// Example
//   RootKeyStore* const members[] = {one.get(), other.get()};  // A file and a token, say.
//   const auto root_keys = CompositeRootKeyStore::over(members).value();
#pragma once
#include <memory>
#include <span>

#include "efface/root_key_store.h"

namespace efface {

class EFFACE_EXPORT CompositeRootKeyStore final : public RootKeyStore {
 public:
  static constexpr std::size_t members_min = 2;
  static constexpr std::size_t members_max = 8;

  // Errors: invalid_argument: too few or too many, none, or one of them twice.
  static Result<std::unique_ptr<CompositeRootKeyStore>> over(
      std::span<RootKeyStore* const> members);
  ~CompositeRootKeyStore() override;

  StoreId id() const override;
  Assurance assurance() const override;
  Replicas replicas() const override;
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

 private:
  class Impl;
  explicit CompositeRootKeyStore(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace efface
