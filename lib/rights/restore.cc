#include "rights/restore.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_set>

#include "access/put_back.h"
#include "base/check.h"
#include "rights/decision.h"
#include "rights/erasure.h"
#include "rights/retention.h"

namespace efface::rights {
namespace {

using access::RegionState;
using access::TenantRegion;
using access::TenantState;
using keyring::Removal;
using ledger::Entry;
using ledger::Kind;

constexpr std::size_t removals_per_epoch = 10'000;

// What the missing entries destroyed, as it can be found.
struct Destroyed {
  std::set<ledger::Hash> rows;
  std::map<std::uint32_t, std::vector<const Entry*>> suppressed;  // By tenant.
  std::map<std::uint32_t, std::uint32_t> day;                     // The last, by tenant.
  std::set<std::uint32_t> tenants;
  std::map<std::string, std::uint64_t> undone;
};

// What they destroyed is destroyed again by its row; there is nothing else to do of these.
constexpr std::array done_by_rows = {Kind::erased,        Kind::rekeyed,        Kind::transferred,
                                     Kind::root_migrated, Kind::swept,          Kind::exported,
                                     Kind::restored,      Kind::region_created, Kind::capsule_made};

Destroyed destroyed_by(std::span<const Entry> missing) {
  Destroyed all;
  for (const Entry& entry : missing) {
    if (entry.destroyed) all.rows.insert(*entry.destroyed);
    if (std::ranges::find(done_by_rows, entry.kind) != done_by_rows.end()) continue;
    switch (entry.kind) {
      case Kind::consent_withdrawn:
        if (!entry.destroyed) all.undone[ledger::name(entry.kind)] += 1;  // It waited for a hold.
        break;
      case Kind::suppressed:
        all.suppressed[entry.tenant].push_back(&entry);
        break;
      case Kind::expired:
        all.day[entry.tenant] = std::max(all.day[entry.tenant], entry.day.value_or(0));
        break;
      case Kind::offboarded:
        all.tenants.insert(entry.tenant);
        break;
      default:
        all.undone[ledger::name(entry.kind)] += entry.count.value_or(1);
    }
  }
  return all;
}

void note(const base::Watch& watch, const RestoredRegion& done) {
  watch.note(LogEvent::restored, {{"entries_applied", done.entries_applied},
                                  {"people_erased", done.people_erased},
                                  {"scopes_destroyed", done.scopes_destroyed},
                                  {"people_suppressed", done.people_suppressed},
                                  {"days_expired", done.days_expired},
                                  {"tenants_offboarded", done.tenants_offboarded},
                                  {"orphans_swept", done.orphans_swept}});
}

class Restoring {
 public:
  Restoring(RegionState& region, std::span<const std::shared_ptr<TenantState>> tenants,
            RestoredRegion& into)
      : region_(region), into_(into) {
    for (const auto& tenant : tenants)
      for (const TenantRegion& home : tenant->regions())
        if (home.region.get() == &region && home.ref.number != 0) here_.push_back({tenant, &home});
  }

  Status apply() {
    EFFACE_ASSIGN(const std::vector<Entry> missing, region_.keyring->missing_entries());
    if (missing.empty()) return {};
    const Destroyed destroyed = destroyed_by(missing);
    for (const auto& [tenant, home] : here_) {
      EFFACE_TRY(destroy_rows(tenant, *home, destroyed));
      EFFACE_TRY(suppress(tenant, *home, destroyed));
      EFFACE_TRY(expire(*home, destroyed));
      EFFACE_TRY(offboard(*home, destroyed));
    }
    into_.entries_applied = missing.size();
    into_.undone.assign(destroyed.undone.begin(), destroyed.undone.end());
    Entry restored;
    restored.kind = Kind::restored;
    restored.count = missing.size();
    restored.actor = "efface";
    EFFACE_ASSIGN(const auto held, region_.keyring->lock());
    return region_.keyring->take_over(held, missing, restored);
  }

  // Nobody writes meanwhile: the store is open here alone, and for nothing else.
  Status sweep() {
    std::unordered_set<Id16, Id16Hash> live;
    for (const auto& [tenant, home] : here_) {
      const Status walked =
          region_.keyring->walk(home->people(), [&](keyring::RowView row) -> Result<Flow> {
            live.insert(row.handle());
            return Flow::more;
          });
      if (!walked && walked.error().code() != Errc::tenant_unknown) return walked;
    }
    EFFACE_ASSIGN(const std::vector<keyring::Handle> all, region_.vault->handles());
    for (const keyring::Handle& handle : all) {
      if (live.contains(handle)) continue;
      for (;;) {
        EFFACE_ASSIGN(const std::size_t removed,
                      region_.vault->remove_some(handle, records_per_commit));
        into_.orphans_swept += removed;
        if (removed == 0) break;
      }
    }
    return region_.vault->accept();
  }

 private:
  struct Here {
    std::shared_ptr<TenantState> tenant;
    const TenantRegion* home;
  };

  Status erase(std::vector<Removal>& removals) {
    for (std::size_t i = 0; i < removals.size(); i += removals_per_epoch) {
      const auto some =
          std::span(removals).subspan(i, std::min(removals_per_epoch, removals.size() - i));
      EFFACE_TRY(region_.keyring->erase(some));
    }
    return {};
  }

  Status destroy_rows(const std::shared_ptr<TenantState>& tenant, const TenantRegion& home,
                      const Destroyed& destroyed) {
    std::vector<Person> people;
    std::vector<Removal> scopes;
    EFFACE_TRY(region_.keyring->walk(home.people(), [&](keyring::RowView row) -> Result<Flow> {
      if (!destroyed.rows.contains(ledger::hash_of_row(row.handle()))) return Flow::more;
      if (row.label() == keyring::person) {
        people.push_back({tenant, &home, row.tag(), row.handle()});
      } else if (keyring::is_scope(row.label()) || keyring::is_sealing(row.label())) {
        Removal& removal = scopes.emplace_back();
        removal.tenant = home.ref;
        removal.what = Removal::What::scope;
        removal.tag = row.tag();
        removal.only_if_handle = row.handle();
        removal.despite_hold = removal.despite_transfer = true;
      }
      return Flow::more;
    }));
    std::vector<Removal> removals = std::move(scopes);
    into_.scopes_destroyed += removals.size();
    for (const Person& person : people) {
      EFFACE_ASSIGN(const keyring::SharedKeys keys, access::keys_of(person));
      EFFACE_ASSIGN(std::vector<Removal> hers, removals_of(person, *keys));
      for (Removal& removal : hers) removal.despite_hold = removal.despite_transfer = true;
      removals.insert(removals.end(), hers.begin(), hers.end());
    }
    into_.people_erased += people.size();
    return erase(removals);
  }

  Status suppress(const std::shared_ptr<TenantState>& tenant, const TenantRegion& home,
                  const Destroyed& destroyed) {
    const auto found = destroyed.suppressed.find(home.ref.number);
    if (found == destroyed.suppressed.end()) return {};
    std::vector<Removal> removals;
    for (const Entry* entry : found->second) {
      EFFACE_ASSIGN(const codec::Plaintext opened, open_for_tenant(home, entry->sealed));
      keyring::Tag tag{};
      if (opened.bytes().size() != tag.size())
        return Error(Errc::corruption, "a suppression's entry has another size");
      std::ranges::copy(opened.bytes(), tag.begin());
      Removal& removal = removals.emplace_back();
      removal.tenant = home.ref;
      removal.what = Removal::What::rows;
      removal.tag = tag;
      removal.changes = {{.label = keyring::suppression, .make = true}};
      EFFACE_ASSIGN(const keyring::SharedKeys keys, region_.keyring->keys(home.people(), tag));
      const keyring::Row* row = keys->find(keyring::person);
      if (row == nullptr || (row->flags & keyring::flag_held) != 0) continue;
      EFFACE_ASSIGN(std::vector<Removal> hers,
                    removals_of({tenant, &home, tag, row->handle}, *keys));
      removals.insert(removals.end(), hers.begin(), hers.end());
      ++into_.people_erased;
    }
    into_.people_suppressed += found->second.size();
    return erase(removals);
  }

  Status expire(const TenantRegion& home, const Destroyed& destroyed) {
    const auto found = destroyed.day.find(home.ref.number);
    if (found == destroyed.day.end()) return {};
    std::vector<Removal> removals;
    EFFACE_TRY(region_.keyring->walk(home.buckets(), [&](keyring::RowView row) -> Result<Flow> {
      if (row.label() != keyring::bucket_key || row.aux() > found->second) return Flow::more;
      Removal& removal = removals.emplace_back();
      removal.tenant = home.ref;
      removal.what = Removal::What::bucket;
      removal.tag = row.tag();
      removal.day = found->second;
      return Flow::more;
    }));
    into_.days_expired += removals.size();
    return erase(removals);
  }

  Status offboard(const TenantRegion& home, const Destroyed& destroyed) {
    if (!destroyed.tenants.contains(home.ref.number)) return {};
    std::vector<Removal> removals(1);
    removals[0].tenant = home.ref;
    removals[0].what = Removal::What::tenant;
    EFFACE_TRY(erase(removals));
    into_.tenants_offboarded += removals[0].removed ? 1 : 0;
    return {};
  }

  RegionState& region_;
  RestoredRegion& into_;
  std::vector<Here> here_;
};

}  // namespace

Result<RestoreReport> restore(const OpenOptions& options, const RestoreOptions& how,
                              std::span<const access::SealedCapsule> capsules) {
  for (const access::SealedCapsule& capsule : capsules)
    EFFACE_TRY(access::bring_back(options, capsule));
  base::Reached reached(how.on_progress, 3);  // Twice to verify, once to copy.
  EFFACE_ASSIGN(const std::vector<std::string> replaced,
                access::put_records_back(options, how, reached));
  EFFACE_ASSIGN(const auto site, access::Site::open(options, access::Opening::to_restore));
  const auto tenants = site->tenants();
  RestoreReport report;
  for (const auto& region : site->regions()) {
    if (!region->open) continue;
    RestoredRegion& into = report.regions.emplace_back();
    into.name = region->name;
    into.keyring_brought_back =
        std::ranges::find(capsules, region->name, &access::SealedCapsule::region) != capsules.end();
    into.records_replaced = std::ranges::find(replaced, region->name) != replaced.end();
    EFFACE_ASSIGN(const records::Vault::Seen seen, region->vault->seen());
    into.records_older = seen.sequence < region->keyring->records_floor();
    Restoring restoring(*region, tenants, into);
    EFFACE_TRY(restoring.apply());
    for (const RegionOptions& asked : options.regions)
      if (asked.name == region->name) EFFACE_TRY(access::check_witness(*region, asked));
    EFFACE_TRY(restoring.sweep());
    note(region->watch, into);
  }
  reached.end();
  return report;
}

}  // namespace efface::rights
