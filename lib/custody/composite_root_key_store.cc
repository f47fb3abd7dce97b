#include "efface/composite_root_key_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "custody/guarded.h"
#include "custody/members.h"

namespace efface {

using custody::Epochs;
using custody::guarded;
using custody::Members;

namespace {

constexpr const char* no_token =
    "Several root key stores: to destroy the key in any one of them is enough. None is a token.";
constexpr const char* with_token =
    "Several root key stores, a token among them: to destroy the key in any one of them is enough.";

void xor_into(crypto::KeySpan sum, crypto::KeyView more) noexcept {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] ^= more[i];
}

}  // namespace

class [[gnu::visibility("hidden")]] CompositeRootKeyStore::Impl {
 public:
  explicit Impl(Members members)
      : members_(std::move(members)),
        confirmed_(members_.all().size(), true),
        last_{size(), size()} {}

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
  unsigned size() const noexcept { return static_cast<unsigned>(members_.all().size()); }

  Members members_;
  std::vector<bool> confirmed_;  // By whom, when last something was destroyed.
  Replicas last_;
};

Assurance CompositeRootKeyStore::Impl::assurance() const {
  Assurance best;
  unsigned count = 0;
  for (std::size_t i = 0; i < members_.all().size(); ++i) {
    if (!confirmed_[i]) continue;
    const Assurance one = members_.all()[i].store->assurance();
    if (count == 0 || one.level > best.level) best = one;
    ++count;
  }
  if (count < 2) return best;
  if (best.level >= AssuranceLevel::l3_token) return {AssuranceLevel::l4_composite, with_token};
  return {best.level, no_token};
}

// Who has lost an epoch has ended it, whatever those hold who do not answer.
Result<Epochs> CompositeRootKeyStore::Impl::list() const {
  const Members::Held held = members_.look();
  if (!held.answered()) return *held.unanswered;
  return held.whole();
}

Result<Anchor> CompositeRootKeyStore::Impl::anchor() const {
  Anchor newest;
  for (const Members::Member& member : members_.all()) {
    EFFACE_ASSIGN(const Anchor kept, member.store->anchor());
    newest = custody::newer(newest, kept);
  }
  return newest;
}

Status CompositeRootKeyStore::Impl::create(Epoch epoch, const Anchor& anchor) {
  const Status created = members_.create(epoch, anchor);
  last_.confirmed = created ? size() : 0;
  return created;
}

Result<std::vector<std::byte>> CompositeRootKeyStore::Impl::wrap(Epoch epoch, Bytes context,
                                                                 KeyView key) const {
  custody::Wrapped wrapped{custody::Kind::composite, crypto::random_id(), {}};
  const auto bound = custody::part_context(wrapped, id(), context);
  auto rest = crypto::SecretKey::copy_of(key);
  for (const Members::Member& member : members_.all()) {
    crypto::SecretKey share;
    if (wrapped.parts.size() + 1 < size()) {
      share = crypto::SecretKey::random();
      xor_into(rest.bytes(), std::as_const(share).bytes());
    } else {
      share = std::move(rest);
    }
    EFFACE_ASSIGN(std::vector<std::byte> part,
                  member.store->wrap(epoch, bound, std::as_const(share).bytes()));
    wrapped.parts.push_back({member.id, std::move(part)});
  }
  std::vector<std::byte> out = custody::encode(wrapped);
  if (out.size() > wrapped_bytes_max)
    return Error(Errc::too_large, "several root key stores wrap into too many bytes");
  return out;
}

Status CompositeRootKeyStore::Impl::unwrap(Epoch epoch, Bytes context, Bytes bytes, Key out) const {
  EFFACE_ASSIGN(const custody::Wrapped wrapped, custody::decode(bytes, custody::Kind::composite));
  const auto& all = members_.all();
  if (!std::ranges::equal(wrapped.parts, all, {}, &custody::WrappedPart::store,
                          &Members::Member::id))
    return Error(Errc::corruption, "other root key stores wrapped this");
  const auto bound = custody::part_context(wrapped, id(), context);
  auto sum = crypto::SecretKey::zeroed();
  std::optional<Error> failure;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto share = crypto::SecretKey::zeroed();
    const Status opened = all[i].store->unwrap(epoch, bound, wrapped.parts[i].bytes, share.bytes());
    // That one has lost its key says more than that another does not answer.
    if (!opened && (!failure || opened.error().code() == Errc::root_key_missing))
      failure = opened.error();
    xor_into(sum.bytes(), std::as_const(share).bytes());
  }
  if (failure) return *failure;
  std::ranges::copy(std::as_const(sum).bytes(), out.begin());
  return {};
}

Status CompositeRootKeyStore::Impl::rotate(Epoch destroyed, std::optional<Epoch> created,
                                           const Anchor& anchor) {
  Members::Step step = members_.rotate(destroyed, created, anchor);
  last_.confirmed = step.confirmed();
  if (step.confirmed() == 0)
    return step.failure ? *step.failure : Error(Errc::io, "no root key store has destroyed it");
  confirmed_ = std::move(step.gone);
  return {};
}

CompositeRootKeyStore::CompositeRootKeyStore(std::unique_ptr<Impl> impl) noexcept
    : impl_(std::move(impl)) {}
CompositeRootKeyStore::~CompositeRootKeyStore() = default;

Result<std::unique_ptr<CompositeRootKeyStore>> CompositeRootKeyStore::over(
    std::span<RootKeyStore* const> members) {
  return guarded([&]() -> Result<std::unique_ptr<CompositeRootKeyStore>> {
    EFFACE_TRY(crypto::initialise());
    EFFACE_ASSIGN(Members all, Members::of(custody::Kind::composite, members, {}, members_max));
    return std::unique_ptr<CompositeRootKeyStore>(
        new CompositeRootKeyStore(std::make_unique<Impl>(std::move(all))));
  });
}

RootKeyStore::StoreId CompositeRootKeyStore::id() const { return impl_->id(); }

Assurance CompositeRootKeyStore::assurance() const { return impl_->assurance(); }

Replicas CompositeRootKeyStore::replicas() const { return impl_->replicas(); }

Result<std::vector<Epoch>> CompositeRootKeyStore::list() {
  return guarded([&] { return impl_->list(); });
}

Result<Anchor> CompositeRootKeyStore::anchor() {
  return guarded([&] { return impl_->anchor(); });
}

Status CompositeRootKeyStore::create(Epoch epoch, const Anchor& anchor) {
  return guarded([&] { return impl_->create(epoch, anchor); });
}

Result<std::vector<std::byte>> CompositeRootKeyStore::wrap(Epoch epoch, Bytes context,
                                                           KeyView key) {
  return guarded([&] { return impl_->wrap(epoch, context, key); });
}

Status CompositeRootKeyStore::unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) {
  return guarded([&] { return impl_->unwrap(epoch, context, wrapped, out); });
}

Status CompositeRootKeyStore::rotate(Epoch destroyed, Epoch created, const Anchor& anchor) {
  return guarded([&] { return impl_->rotate(destroyed, created, anchor); });
}

Status CompositeRootKeyStore::destroy(Epoch epoch) {
  return guarded([&] { return impl_->rotate(epoch, std::nullopt, {}); });
}

Result<bool> CompositeRootKeyStore::lies_within(const std::string& directory) const {
  return guarded([&] { return impl_->members().lies_within(directory); });
}

// Who lacks one share has no key.
Result<bool> CompositeRootKeyStore::shares_volume(const std::string& directory) const {
  return guarded([&]() -> Result<bool> {
    const Members& members = impl_->members();
    EFFACE_ASSIGN(const std::size_t sharing, members.share_volume(directory));
    return sharing == members.all().size();
  });
}

bool CompositeRootKeyStore::keeps_in_clear() const {
  const Members& members = impl_->members();
  return members.keep_in_clear() == members.all().size();
}

}  // namespace efface
