#include "efface/replicated_root_key_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "crypto/random.h"
#include "custody/guarded.h"
#include "custody/members.h"

namespace efface {

using custody::Epochs;
using custody::guarded;
using custody::Members;

class [[gnu::visibility("hidden")]] ReplicatedRootKeyStore::Impl {
 public:
  explicit Impl(Members members) : members_(std::move(members)), last_{0, 0} {
    last_.of = static_cast<unsigned>(members_.all().size());
    last_.confirmed = static_cast<unsigned>(std::ranges::count_if(
        members_.all(), [](const Members::Member& m) { return m.store != nullptr; }));
  }

  const StoreId& id() const noexcept { return members_.id(); }
  const Members& members() const noexcept { return members_; }
  Replicas replicas() const noexcept { return last_; }
  Assurance assurance() const;
  Result<Epochs> list() const;
  Result<Anchor> anchor() const;
  Status create(Epoch epoch, const Anchor& anchor);
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) const;
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) const;
  Status rotate(Epoch destroyed, std::optional<Epoch> created, const Anchor& anchor);

 private:
  Members members_;
  Replicas last_;
};

Assurance ReplicatedRootKeyStore::Impl::assurance() const {
  std::optional<Assurance> least;
  for (const Members::Member& member : members_.all()) {
    if (member.store == nullptr) continue;
    const Assurance one = member.store->assurance();
    if (!least || one.level < least->level) least = one;
  }
  return least.value_or(Assurance());
}

Result<Epochs> ReplicatedRootKeyStore::Impl::list() const {
  const Members::Held held = members_.look();
  if (!held.answered()) return *held.unanswered;
  return held.any();
}

// What is in force, all hold: an interrupted step of some leads no further.
Result<Anchor> ReplicatedRootKeyStore::Impl::anchor() const {
  std::optional<Anchor> newest;
  std::optional<Error> failure;
  for (const Members::Member& member : members_.all()) {
    const Result<Anchor> kept =
        member.store != nullptr ? member.store->anchor() : custody::absent();
    if (!kept)
      failure = kept.error();
    else
      newest = newest ? custody::newer(*newest, *kept) : *kept;
  }
  if (!newest) return *failure;
  const Members::Held held = members_.look();
  if (newest->epoch != 0 && custody::contains(held.any(), newest->epoch) &&
      !custody::contains(held.whole(), newest->epoch))
    return Error(Errc::root_key_mismatch,
                 "one of the replicas of a root key store is not where the others are");
  return *newest;
}

Status ReplicatedRootKeyStore::Impl::create(Epoch epoch, const Anchor& anchor) {
  const Status created = members_.create(epoch, anchor);
  last_.confirmed = created ? last_.of : 0;
  return created;
}

Result<std::vector<std::byte>> ReplicatedRootKeyStore::Impl::wrap(Epoch epoch, Bytes context,
                                                                  KeyView key) const {
  custody::Wrapped wrapped{custody::Kind::replicated, crypto::random_id(), {}};
  const auto bound = custody::part_context(wrapped, id(), context);
  for (const Members::Member& member : members_.all()) {
    if (member.store == nullptr) return custody::absent();
    EFFACE_ASSIGN(std::vector<std::byte> part, member.store->wrap(epoch, bound, key));
    wrapped.parts.push_back({member.id, std::move(part)});
  }
  std::vector<std::byte> out = custody::encode(wrapped);
  if (out.size() > wrapped_bytes_max)
    return Error(Errc::too_large, "several root key stores wrap into too many bytes");
  return out;
}

Status ReplicatedRootKeyStore::Impl::unwrap(Epoch epoch, Bytes context, Bytes bytes,
                                            Key out) const {
  EFFACE_ASSIGN(const custody::Wrapped wrapped, custody::decode(bytes, custody::Kind::replicated));
  const auto& all = members_.all();
  if (!std::ranges::equal(wrapped.parts, all, {}, &custody::WrappedPart::store,
                          &Members::Member::id))
    return Error(Errc::corruption, "other root key stores wrapped this");
  const auto bound = custody::part_context(wrapped, id(), context);
  std::optional<Error> failure;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Status opened = all[i].store != nullptr
                              ? all[i].store->unwrap(epoch, bound, wrapped.parts[i].bytes, out)
                              : Status(custody::absent());
    if (opened) return {};
    // Missing, or damaged, it is only when none can be asked who might have it.
    const Errc code = opened.error().code();
    if (!failure || (code != Errc::root_key_missing && code != Errc::corruption))
      failure = opened.error();
  }
  return *failure;
}

Status ReplicatedRootKeyStore::Impl::rotate(Epoch destroyed, std::optional<Epoch> created,
                                            const Anchor& anchor) {
  const Members::Step step = members_.rotate(destroyed, created, anchor);
  last_.confirmed = step.confirmed();
  if (step.failure) return *step.failure;
  EFFACE_CHECK(last_.confirmed == last_.of);
  return {};
}

ReplicatedRootKeyStore::ReplicatedRootKeyStore(std::unique_ptr<Impl> impl) noexcept
    : impl_(std::move(impl)) {}
ReplicatedRootKeyStore::~ReplicatedRootKeyStore() = default;

Result<std::unique_ptr<ReplicatedRootKeyStore>> ReplicatedRootKeyStore::over(
    std::span<RootKeyStore* const> replicas, std::span<const StoreId> absent) {
  return guarded([&]() -> Result<std::unique_ptr<ReplicatedRootKeyStore>> {
    EFFACE_TRY(crypto::initialise());
    EFFACE_ASSIGN(Members all,
                  Members::of(custody::Kind::replicated, replicas, absent, replicas_max));
    return std::unique_ptr<ReplicatedRootKeyStore>(
        new ReplicatedRootKeyStore(std::make_unique<Impl>(std::move(all))));
  });
}

RootKeyStore::StoreId ReplicatedRootKeyStore::id() const { return impl_->id(); }

Assurance ReplicatedRootKeyStore::assurance() const { return impl_->assurance(); }

Replicas ReplicatedRootKeyStore::replicas() const { return impl_->replicas(); }

Result<std::vector<Epoch>> ReplicatedRootKeyStore::list() {
  return guarded([&] { return impl_->list(); });
}

Result<Anchor> ReplicatedRootKeyStore::anchor() {
  return guarded([&] { return impl_->anchor(); });
}

Status ReplicatedRootKeyStore::create(Epoch epoch, const Anchor& anchor) {
  return guarded([&] { return impl_->create(epoch, anchor); });
}

Result<std::vector<std::byte>> ReplicatedRootKeyStore::wrap(Epoch epoch, Bytes context,
                                                            KeyView key) {
  return guarded([&] { return impl_->wrap(epoch, context, key); });
}

Status ReplicatedRootKeyStore::unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) {
  return guarded([&] { return impl_->unwrap(epoch, context, wrapped, out); });
}

Status ReplicatedRootKeyStore::rotate(Epoch destroyed, Epoch created, const Anchor& anchor) {
  return guarded([&] { return impl_->rotate(destroyed, created, anchor); });
}

Status ReplicatedRootKeyStore::destroy(Epoch epoch) {
  return guarded([&] { return impl_->rotate(epoch, std::nullopt, {}); });
}

Result<bool> ReplicatedRootKeyStore::lies_within(const std::string& directory) const {
  return guarded([&] { return impl_->members().lies_within(directory); });
}

// One of them is enough.
Result<bool> ReplicatedRootKeyStore::shares_volume(const std::string& directory) const {
  return guarded([&]() -> Result<bool> {
    const Members& members = impl_->members();
    EFFACE_ASSIGN(const std::size_t sharing, members.share_volume(directory));
    return sharing != 0;
  });
}

bool ReplicatedRootKeyStore::keeps_in_clear() const {
  const Members& members = impl_->members();
  return members.keep_in_clear() != 0;
}

}  // namespace efface
