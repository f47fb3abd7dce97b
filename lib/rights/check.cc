#include "rights/check.h"

#include <algorithm>
#include <set>

#include "access/access.h"
#include "access/person_records.h"
#include "access/shared.h"
#include "base/check.h"

namespace efface::rights {
namespace {

using access::Person;
using access::TenantRegion;

constexpr const char* record_damage = "record";
constexpr const char* shared_record_damage = "shared_record";
constexpr const char* stray_record_damage = "stray_record";  // Nobody's, nor waits to be swept.
constexpr const char* residue_damage = "residue";            // Counted of nobody.

bool is_damage(Errc code) noexcept { return code == Errc::corruption || code == Errc::format_new; }
// Gone while it was looked at, or kept from being read by a rule.
bool is_no_damage(Errc code) noexcept {
  switch (code) {
    case Errc::expired:
    case Errc::subject_erased:
    case Errc::tenant_unknown:
    case Errc::restricted:
    case Errc::objected:
    case Errc::consent_missing:
    case Errc::suppressed:
    case Errc::purpose_not_permitted:
    case Errc::transfer_pending:
      return true;
    default:
      return false;
  }
}

class RegionCheck {
 public:
  RegionCheck(const access::Site& site, access::RegionState& region,
              FunctionRef<void(std::uint64_t)> progress, CheckReport& into)
      : site_(site), region_(region), progress_(progress), into_(into) {}
  Status run();

 private:
  enum class Looked : std::uint8_t { opened, expired, damaged };

  Status look_at_people(const std::shared_ptr<access::TenantState>& tenant,
                        const TenantRegion& home);
  Status look_at_person(const Person& person);
  Status look_at_scope(const Person& person, const keyring::Keys& keys, const keyring::Row& scope);
  Result<Looked> open(const Person& person, const keyring::Keys& keys, const keyring::Row& scope,
                      const records::RecordKey& key, Bytes value);
  Result<Looked> again(const Person& person, const keyring::Handle& scope,
                       const records::RecordKey& key);
  Status look_at_link(const Person& person, const records::OpenRecord& link);
  Status look_at_strays(const std::vector<keyring::Handle>& present);
  Result<std::set<keyring::Handle>> counted();
  Status look_at_residue(const std::set<keyring::Handle>& before);
  void add_keyring(const keyring::KeyringCheck& found);

  const access::Site& site_;
  access::RegionState& region_;
  FunctionRef<void(std::uint64_t)> progress_;
  CheckReport& into_;
  keyring::DamageCounts damage_;
  keyring::KeyringCheck keyring_;
  std::set<keyring::Handle> groups_;  // That somebody's link opens.
  bool residue_damaged_ = false;
};

Status RegionCheck::look_at_link(const Person& person, const records::OpenRecord& link) {
  constexpr std::size_t handle_at = 4;
  if (link.fields.shared.size() < handle_at + sizeof(keyring::Handle)) {
    ++damage_[shared_record_damage];
    return {};
  }
  const auto opened = access::follow(person, link);
  if (!opened && is_damage(opened.error().code())) ++damage_[shared_record_damage];
  if (!opened && !is_damage(opened.error().code()) && !is_no_damage(opened.error().code()))
    return opened.error();
  if (opened && !*opened) return {};  // Somebody else's erasure took it: it is swept.
  keyring::Handle group;
  std::ranges::copy(link.fields.shared.subspan(handle_at, group.size()), group.begin());
  groups_.insert(group);
  return {};
}

Result<RegionCheck::Looked> RegionCheck::open(const Person& person, const keyring::Keys& keys,
                                              const keyring::Row& scope,
                                              const records::RecordKey& key, Bytes value) {
  const auto opened = access::open_for_a_duty(person, keys, scope, records::tag_of(key), value);
  if (!opened) {
    const Errc code = opened.error().code();
    if (is_damage(code)) return Looked::damaged;
    if (is_no_damage(code)) return Looked::expired;
    return opened.error();
  }
  const auto header = records::read_header(value);
  if (header && (header->flags & records::flag_link) != 0)
    EFFACE_TRY(look_at_link(person, *opened));
  return Looked::opened;
}

// It may have been re-keyed, replaced or removed while it was looked at.
Result<RegionCheck::Looked> RegionCheck::again(const Person& person, const keyring::Handle& scope,
                                               const records::RecordKey& key) {
  Looked looked = Looked::expired;
  EFFACE_ASSIGN(const keyring::SharedKeys keys,
                region_.keyring->keys(person.home->people(), person.tag));
  for (const keyring::Row& row : keys->rows()) {
    if (row.handle != scope) continue;
    EFFACE_TRY(region_.vault->get(key, [&](Bytes value) -> Status {
      EFFACE_ASSIGN(looked, open(person, *keys, row, key, value));
      return {};
    }));
  }
  return looked;
}

Status RegionCheck::look_at_scope(const Person& person, const keyring::Keys& keys,
                                  const keyring::Row& scope) {
  std::vector<records::RecordKey> suspects;
  std::uint64_t seen = 0;
  EFFACE_TRY(
      region_.vault->each(scope.handle, [&](const records::RecordKey& key, Bytes value) -> Status {
        EFFACE_ASSIGN(const Looked looked, open(person, keys, scope, key, value));
        ++seen;
        if (looked == Looked::opened) ++into_.records;
        if (looked == Looked::expired) ++into_.unswept;
        if (looked == Looked::damaged) suspects.push_back(key);
        return {};
      }));
  if (seen != 0) progress_(seen);
  for (const records::RecordKey& key : suspects) {
    EFFACE_ASSIGN(const Looked looked, again(person, scope.handle, key));
    if (looked == Looked::opened) ++into_.records;
    if (looked == Looked::damaged) ++damage_[record_damage];
  }
  return {};
}

// Of a tenant that is gone meanwhile there is nobody.
Status RegionCheck::look_at_person(const Person& person) {
  const auto looked = [&]() -> Status {
    EFFACE_ASSIGN(const keyring::SharedKeys keys,
                  region_.keyring->keys(person.home->people(), person.tag));
    for (const keyring::Row& row : keys->rows()) EFFACE_TRY(look_at_scope(person, *keys, row));
    return {};
  }();
  return !looked && looked.error().code() == Errc::tenant_unknown ? Status() : looked;
}

Status RegionCheck::look_at_people(const std::shared_ptr<access::TenantState>& tenant,
                                   const TenantRegion& home) {
  std::uint32_t leaves = 1;
  for (std::uint32_t leaf = 0; leaf < leaves; ++leaf) {
    std::vector<std::pair<keyring::Tag, keyring::Handle>> people;
    const auto walked = region_.keyring->walk_leaf(home.people(), leaf, [&](keyring::RowView row) {
      if (row.label() == keyring::person) people.emplace_back(row.tag(), row.handle());
    });
    if (!walked) {
      const Errc code = walked.error().code();
      if (code == Errc::tenant_unknown) return {};  // Gone meanwhile.
      // Counted as a node. Without the root there is nobody to look at.
      if (!is_damage(code)) return walked.error();
      if (leaf == 0 && leaves == 1) return {};
      continue;
    }
    leaves = *walked;
    for (const auto& [tag, handle] : people)
      EFFACE_TRY(look_at_person(Person{tenant, &home, tag, handle}));
  }
  return {};
}

Status RegionCheck::look_at_strays(const std::vector<keyring::Handle>& present) {
  for (const keyring::Handle& handle : present) {
    if (keyring_.alive.contains(handle)) continue;
    std::uint64_t count = 0;  // Perhaps it was swept meanwhile.
    EFFACE_TRY(region_.vault->each(handle, [&](const records::RecordKey&, Bytes) -> Status {
      ++count;
      return {};
    }));
    if (keyring_.waiting.contains(handle) || keyring_.tenant_waits)
      into_.unswept += count;
    else if (count != 0)
      damage_[stray_record_damage] += count;
  }
  return {};
}

Result<std::set<keyring::Handle>> RegionCheck::counted() {
  std::set<keyring::Handle> handles;
  const Status looked = region_.vault->each_residue(
      [&](const keyring::Handle& handle, const records::Residue&) -> Status {
        handles.insert(handle);
        return {};
      });
  if (!looked && !is_damage(looked.error().code())) return looked.error();
  if (!looked) residue_damaged_ = true;
  return handles;
}

// What was counted of a scope goes with its ciphertext, before the queue forgets the scope: what
// was there before the keyring was looked at and still is, is of a scope that lives or waits.
Status RegionCheck::look_at_residue(const std::set<keyring::Handle>& before) {
  EFFACE_ASSIGN(const std::set<keyring::Handle> after, counted());
  for (const keyring::Handle& handle : before)
    if (after.contains(handle) && !keyring_.alive.contains(handle) &&
        !keyring_.waiting.contains(handle) && !keyring_.tenant_waits)
      ++damage_[residue_damage];
  return {};
}

void RegionCheck::add_keyring(const keyring::KeyringCheck& found) {
  into_.nodes += found.nodes;
  into_.rows += found.rows;
  into_.tenants += found.tenants;
  into_.people += found.people;
  into_.files += found.files;
  into_.entries += found.entries;
  for (const auto& [what, count] : found.damage) damage_[what] += count;
}

Status RegionCheck::run() {
  // First the records: a key is always older than its first record, so what has none now has lost
  // it.
  EFFACE_ASSIGN(const std::vector<keyring::Handle> present, region_.vault->handles());
  EFFACE_ASSIGN(const std::vector<keyring::Handle> groups, region_.vault->groups());
  EFFACE_ASSIGN(const std::set<keyring::Handle> residues, counted());
  EFFACE_ASSIGN(keyring_, region_.keyring->check(progress_));
  add_keyring(keyring_);
  for (const auto& tenant : site_.tenants())
    for (const TenantRegion& home : tenant->regions())
      if (home.region.get() == &region_ && home.ref.number != 0)
        EFFACE_TRY(look_at_people(tenant, home));
  // What could not be looked at for a damaged node would all be strays.
  const bool whole = !keyring_.damage.contains(keyring::damage::node);
  if (whole) EFFACE_TRY(look_at_strays(present));
  if (whole) EFFACE_TRY(look_at_residue(residues));
  if (residue_damaged_) ++damage_[residue_damage];
  for (const keyring::Handle& group : groups)
    ++(groups_.contains(group) ? into_.shared : into_.unswept);
  for (const auto& [what, count] : damage_) into_.damage.push_back({what, count, region_.name});
  return {};
}

}  // namespace

Result<CheckReport> check(const access::Site& site,
                          const std::function<void(std::uint64_t)>& progress) {
  CheckReport report;
  std::uint64_t looked_at = 0;
  const auto tell = [&](std::uint64_t more) {
    looked_at += more;
    if (progress) progress(looked_at);
  };
  for (const auto& region : site.regions())
    if (region->open) EFFACE_TRY(RegionCheck(site, *region, tell, report).run());
  return report;
}

}  // namespace efface::rights
