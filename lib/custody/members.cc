#include "custody/members.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "crypto/prf.h"

namespace efface::custody {
namespace {

RootKeyStore::StoreId id_of(Kind kind, std::span<const Members::Member> members) {
  std::vector<std::byte> ids;
  for (const Members::Member& member : members)
    ids.insert(ids.end(), member.id.begin(), member.id.end());
  const std::array kind_byte{static_cast<std::byte>(kind)};
  return crypto::hash128({as_bytes("efface.root.members"), kind_byte, ids});
}

// What a member says it destroyed, it must not list any more.
Status check_gone(RootKeyStore& store, Epoch epoch) {
  EFFACE_ASSIGN(const Epochs held, store.list());
  if (contains(held, epoch))
    return Error(Errc::io, "a root key store still holds the key that it has destroyed");
  return {};
}

}  // namespace

bool contains(const Epochs& epochs, Epoch epoch) noexcept {
  return std::ranges::find(epochs, epoch) != epochs.end();
}

const Anchor& newer(const Anchor& a, const Anchor& b) noexcept {
  return std::pair(a.epoch, a.ledger_entries) >= std::pair(b.epoch, b.ledger_entries) ? a : b;
}

Error absent() noexcept {
  return {Errc::token_unavailable, "one of the replicas of a root key store is not here"};
}

Members::Members(Kind kind, std::vector<Member> members)
    : members_(std::move(members)), id_(id_of(kind, members_)) {}

Result<Members> Members::of(Kind kind, std::span<RootKeyStore* const> here,
                            std::span<const StoreId> absent, std::size_t count_max) {
  std::vector<Member> members;
  for (RootKeyStore* store : here) {
    if (store == nullptr)
      return Error(Errc::invalid_argument, "one of the root key stores is null");
    members.push_back({store->id(), store});
  }
  for (const StoreId& id : absent) members.push_back({id, nullptr});
  if (here.empty() || members.size() < 2 || members.size() > count_max)
    return Error(Errc::invalid_argument, "too few root key stores to be one, or too many");
  std::ranges::sort(members, {}, &Member::id);
  if (std::ranges::adjacent_find(members, {}, &Member::id) != members.end())
    return Error(Errc::invalid_argument, "a root key store is given twice");
  return Members(kind, std::move(members));
}

Epochs Members::Held::whole() const {
  std::optional<Epochs> all;
  for (const auto& held : by_member) {
    if (!held) continue;
    if (!all) {
      all = *held;
      continue;
    }
    std::erase_if(*all, [&](Epoch epoch) { return !contains(*held, epoch); });
  }
  return all ? *std::move(all) : Epochs();
}

Epochs Members::Held::any() const {
  Epochs all;
  for (const auto& held : by_member)
    if (held) all.insert(all.end(), held->begin(), held->end());
  std::ranges::sort(all);
  const auto twice = std::ranges::unique(all);
  all.erase(twice.begin(), twice.end());
  return all;
}

bool Members::Held::answered() const {
  return std::ranges::any_of(by_member, [](const auto& held) { return held.has_value(); });
}

Members::Held Members::look() const {
  Held held;
  for (const Member& member : members_) {
    Result<Epochs> listed = member.store != nullptr ? member.store->list() : absent();
    if (listed) {
      held.by_member.emplace_back(*std::move(listed));
      continue;
    }
    held.by_member.emplace_back();
    if (!held.unanswered) held.unanswered = listed.error();
  }
  return held;
}

// Also that nothing is in force where that is said.
Status Members::check_in_force(const Held& held, const Anchor& anchor) const {
  const Error other(Errc::root_key_mismatch,
                    "one of several root key stores is not where the others are");
  if (anchor.epoch != 0) return contains(held.whole(), anchor.epoch) ? Status() : other;
  for (const Member& member : members_) {
    if (member.store == nullptr) return absent();
    EFFACE_ASSIGN(const Anchor kept, member.store->anchor());
    if (kept.epoch != 0) return other;
  }
  return {};
}

Status Members::tidy(const Member& member, const Epochs& held, const Epochs& keep) const {
  for (const Epoch epoch : held) {
    if (contains(keep, epoch)) continue;
    EFFACE_TRY(member.store->destroy(epoch));
    EFFACE_TRY(check_gone(*member.store, epoch));
  }
  return {};
}

Status Members::create(Epoch epoch, const Anchor& anchor) {
  const Held held = look();
  if (held.unanswered) return *held.unanswered;
  EFFACE_TRY(check_in_force(held, anchor));
  Epochs keep = held.whole();
  if (contains(keep, epoch)) return Error(Errc::exists, "the root key stores hold this epoch");
  if (keep.size() >= 2) return Error(Errc::exists, "the root key stores hold two epochs");
  keep.push_back(epoch);
  for (std::size_t i = 0; i < members_.size(); ++i)
    EFFACE_TRY(tidy(members_[i], *held.by_member[i], keep));
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (!contains(*held.by_member[i], epoch)) EFFACE_TRY(members_[i].store->create(epoch, anchor));
  return {};
}

// Answers an error that is not about destroying only when the key is gone.
Status Members::rotate_one(const Member& member, Epoch destroyed, std::optional<Epoch> created,
                           const Anchor& anchor, const Epochs& held, const Epochs& whole) const {
  RootKeyStore& store = *member.store;
  if (!created) return store.destroy(destroyed);
  Epochs keep = whole;
  keep.push_back(destroyed);
  keep.push_back(*created);
  const Status tidied = tidy(member, held, keep);
  if (!tidied || contains(held, *created)) {
    EFFACE_TRY(store.destroy(destroyed));
    return tidied;
  }
  const Status rotated = store.rotate(destroyed, *created, anchor);
  // Forgetting does not wait for what is to come.
  if (!rotated && contains(held, destroyed)) static_cast<void>(store.destroy(destroyed));
  return rotated;
}

Members::Step Members::rotate(Epoch destroyed, std::optional<Epoch> created, const Anchor& anchor) {
  Step step;
  const auto fail = [&](const Error& error) {
    if (!step.failure || step.failure->code() == Errc::exists) step.failure = error;
  };
  const Held held = look();
  const Epochs whole = held.whole();
  if (!held.answered()) fail(*held.unanswered);
  if (created)
    if (const Status fits = check_in_force(held, anchor); !fits) {
      fail(fits.error());
      created.reset();
    }
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (!held.by_member[i]) {
      step.gone.push_back(false);
      continue;
    }
    const Status done =
        rotate_one(members_[i], destroyed, created, anchor, *held.by_member[i], whole);
    if (!done) fail(done.error());
    const Status gone = check_gone(*members_[i].store, destroyed);
    if (!gone) fail(gone.error());
    step.gone.push_back(gone.has_value());
  }
  if (held.unanswered) fail(*held.unanswered);
  return step;
}

unsigned Members::Step::confirmed() const noexcept {
  return static_cast<unsigned>(std::ranges::count(gone, true));
}

Result<bool> Members::lies_within(const std::string& directory) const {
  for (const Member& member : members_) {
    if (member.store == nullptr) continue;
    EFFACE_ASSIGN(const bool within, member.store->lies_within(directory));
    if (within) return true;
  }
  return false;
}

Result<std::size_t> Members::share_volume(const std::string& directory) const {
  std::size_t count = 0;
  for (const Member& member : members_) {
    if (member.store == nullptr) continue;
    EFFACE_ASSIGN(const bool shares, member.store->shares_volume(directory));
    if (shares) ++count;
  }
  return count;
}

std::size_t Members::keep_in_clear() const {
  return static_cast<std::size_t>(std::ranges::count_if(members_, [](const Member& member) {
    return member.store != nullptr && member.store->keeps_in_clear();
  }));
}

}  // namespace efface::custody
