#include "rights/retention.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "access/reseal.h"
#include "access/shared.h"
#include "base/check.h"
#include "rights/decision.h"
#include "rights/hold.h"
#include "rights/token.h"

namespace efface::rights {
namespace {

using access::RegionState;
using access::TenantRegion;
using access::TenantState;
using keyring::Removal;

constexpr std::size_t scopes_per_epoch = 64;

struct Place {
  std::shared_ptr<TenantState> tenant;
  const TenantRegion* home;
};

struct ByName {
  bool operator()(const RegionState* a, const RegionState* b) const { return a->name < b->name; }
};
// The tenants of each open region, in an order that a plan and its commitment share, whatever was
// opened anew in between.
using Places = std::map<RegionState*, std::vector<Place>, ByName>;

Places places_of(Tenants tenants) {
  Places places;
  for (const auto& tenant : tenants)
    for (const TenantRegion& home : tenant->regions())
      if (home.region->open && home.ref.number != 0 && !tenant->gone())
        places[home.region.get()].push_back({tenant, &home});
  return places;
}

// Today, by a tenant's clock; all have the same.
std::uint32_t today(const TenantState& tenant) {
  const auto day = std::chrono::floor<records::DayNumber>(tenant.now().time_since_epoch()).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(day, 0, records::last_day));
}

// Off-boarded meanwhile is no error.
Status unless_gone(const Status& status) {
  if (!status && status.error().code() == Errc::tenant_unknown) return {};
  return status;
}

struct Due {
  std::vector<std::uint32_t> days;  // Of one tenant in one region, sorted.
  std::uint32_t mark = 0;           // Its high-water mark.
  bool dated = false;               // Whether anything ever expires, or did.
  std::uint32_t yesterday = 0;
};

Result<Due> due_in(const Place& place) {
  Due due;
  const std::uint32_t now = today(*place.tenant);
  due.yesterday = now == 0 ? 0 : now - 1;
  EFFACE_TRY(unless_gone(place.home->region->keyring->walk(
      place.home->buckets(), [&](keyring::RowView row) -> Result<Flow> {
        if (row.label() == keyring::high_water) {
          due.mark = row.aux();
          due.dated = true;
        }
        if (row.label() != keyring::bucket_key || row.aux() >= records::last_day) return Flow::more;
        due.dated = true;
        if (row.aux() < now) due.days.push_back(row.aux());
        return Flow::more;
      })));
  std::ranges::sort(due.days);
  return due;
}

Result<bool> anybody_held(const Place& place) {
  EFFACE_ASSIGN(const auto keys, place.home->region->keyring->tenant_keys(place.home->ref));
  const keyring::Row* row = keys->find(keyring::pseudonym_key);
  return row != nullptr && row->aux != 0;
}

Result<std::vector<Person>> held_people(const Place& place) {
  std::vector<Person> people;
  EFFACE_ASSIGN(const bool any, anybody_held(place));
  if (!any) return people;
  EFFACE_TRY(unless_gone(place.home->region->keyring->walk(
      place.home->people(), [&](keyring::RowView row) -> Result<Flow> {
        if (row.label() == keyring::person && (row.flags() & keyring::flag_held) != 0)
          people.push_back({place.tenant, place.home, row.tag(), row.handle()});
        return Flow::more;
      })));
  return people;
}

Status keep_held(const std::vector<Place>& places, std::uint32_t last,
                 const MaintainOptions& options, Maintained& into) {
  for (const Place& place : places) {
    EFFACE_ASSIGN(const std::vector<Person> held, held_people(place));
    for (const Person& person : held) {
      EFFACE_ASSIGN(const std::size_t kept,
                    access::keep_by_hold(place.tenant, *place.home, person.tag, last,
                                         options.records_per_commit_max));
      into.records_kept += kept;
    }
  }
  return {};
}

std::vector<Removal> removals_of_days(const std::vector<Place>& places,
                                      const std::vector<Due>& due) {
  std::vector<Removal> removals;
  for (std::size_t i = 0; i < places.size(); ++i)
    for (const std::uint32_t day : due[i].days) {
      Removal& removal = removals.emplace_back();
      removal.tenant = places[i].home->ref;
      removal.what = Removal::What::bucket;
      removal.tag = records::bucket_tag(day);
      removal.day = due[i].yesterday;
      if (day != due[i].days.front()) continue;
      ledger::Entry expired = decision({places[i].tenant, "efface"}, ledger::Kind::expired);
      expired.count = due[i].days.size();
      expired.day = due[i].days.back();
      removal.decisions = {std::move(expired)};
    }
  return removals;
}

Result<std::vector<Due>> due_at(const std::vector<Place>& places) {
  std::vector<Due> due;
  for (const Place& place : places) {
    EFFACE_ASSIGN(Due here, due_in(place));
    due.push_back(std::move(here));
  }
  return due;
}

// The mark moves on where nothing was due, too: it says that the clock was seen to go on.
Status raise_marks(const keyring::Keyring::Lock& held, const std::vector<Place>& places,
                   const std::vector<Due>& due) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!due[i].dated || !due[i].days.empty() || due[i].mark >= due[i].yesterday) continue;
    keyring::Amend amend;
    amend.tag = keyring::high_water_tag();
    amend.changes = {{.label = keyring::high_water, .aux = due[i].yesterday, .make = true}};
    const TenantRegion& home = *places[i].home;
    EFFACE_TRY(unless_gone(home.region->keyring->amend(held, home.buckets(), {&amend, 1})));
  }
  return {};
}

// First without the lock, as nearly all is done then; again under it, for holds that came between.
Status expire_region(RegionState& region, const std::vector<Place>& places,
                     const MaintainOptions& options, Maintained& into) {
  const records::Vault::Settled settled(*region.vault);
  EFFACE_ASSIGN(std::vector<Due> due, due_at(places));
  std::uint32_t last = 0;
  for (const Due& here : due)
    if (!here.days.empty()) last = std::max(last, here.days.back());
  if (last != 0) EFFACE_TRY(keep_held(places, last, options, into));
  const auto held = region.keyring->lock();
  EFFACE_TRY(held);
  EFFACE_TRY(raise_marks(*held, places, due));
  if (last == 0) return {};
  EFFACE_TRY(keep_held(places, last, options, into));
  std::vector<Removal> removals = removals_of_days(places, due);
  EFFACE_TRY(region.keyring->erase(*held, removals));
  for (const Removal& removal : removals) {
    into.buckets_expired += removal.removed ? 1 : 0;
    if (removal.entry) into.receipts.push_back({region.name, *removal.entry, 0, {}});
  }
  return {};
}

}  // namespace

Result<ExpiryPlan> plan_expiry(Tenants tenants) {
  ExpiryPlan plan;
  std::uint32_t first = records::never;
  std::uint32_t last = 0;
  Token token("efface.expiry");
  for (const auto& [region, places] : places_of(tenants)) {
    token.add(Bytes(region->id));
    for (const Place& place : places) {
      EFFACE_ASSIGN(const Due due, due_in(place));
      if (due.dated) {
        const std::uint32_t since =
            due.mark != 0 || due.days.empty() ? due.mark : due.days.front() - 1;
        if (since != 0 && since < due.yesterday)
          plan.days_overdue = std::max(plan.days_overdue, due.yesterday - since);
      }
      if (due.days.empty()) continue;
      ++plan.tenants;
      token.add(place.home->ref.number);
      for (const std::uint32_t day : due.days) token.add(day);
      plan.buckets += due.days.size();
      first = std::min(first, due.days.front());
      last = std::max(last, due.days.back());
    }
  }
  if (plan.buckets != 0) {
    plan.first = std::chrono::sys_days(std::chrono::days(first));
    plan.last = std::chrono::sys_days(std::chrono::days(last));
  }
  plan.token = token.text();
  return plan;
}

Status expire(Tenants tenants, const MaintainOptions& options, Maintained& into) {
  EFFACE_ASSIGN(const ExpiryPlan plan, plan_expiry(tenants));
  if (plan.days_overdue > options.expiry_days_max) {
    into.expiry_waits = plan.buckets != 0;
    if (into.expiry_waits)
      tenants.front()->watch().note(
          LogEvent::expiry_waits,
          {{"days_overdue", plan.days_overdue}, {"days_max", options.expiry_days_max}});
    return {};
  }
  for (const auto& [region, places] : places_of(tenants))
    EFFACE_TRY(expire_region(*region, places, options, into));
  return {};
}

Result<std::uint64_t> expired_days(Tenants tenants, const RegionState& region) {
  std::uint64_t days = 0;
  for (const auto& [there, places] : places_of(tenants)) {
    if (there != &region) continue;
    for (const Place& place : places) {
      EFFACE_ASSIGN(const Due due, due_in(place));
      days += due.days.size();
    }
  }
  return days;
}

Status expire_planned(Tenants tenants, std::string_view token, const MaintainOptions& options,
                      Maintained& into) {
  EFFACE_ASSIGN(const ExpiryPlan plan, plan_expiry(tenants));
  if (plan.token != token)
    return Error(Errc::conflict, "the token is of another plan, or other days have expired");
  for (const auto& [region, places] : places_of(tenants))
    EFFACE_TRY(expire_region(*region, places, options, into));
  return {};
}

Status end_holds(Tenants tenants, Maintained& into) {
  for (const auto& [region, places] : places_of(tenants)) {
    for (const Place& place : places) {
      EFFACE_ASSIGN(const std::vector<Person> held, held_people(place));
      for (const Person& person : held) {
        Erasure erasure;
        const auto ended = release_ended({place.tenant, "efface"}, person, erasure);
        if (!ended && ended.error().code() == Errc::subject_erased) continue;
        EFFACE_TRY(ended);
        into.holds_ended += *ended;
      }
    }
  }
  return {};
}

Status sweep_shared(Tenants tenants, const MaintainOptions& options, Maintained& into) {
  for (const auto& [region, places] : places_of(tenants)) {
    EFFACE_ASSIGN(const std::size_t removed,
                  access::sweep_shared(tenants, *region, options.records_per_commit_max));
    into.records_removed += removed;
  }
  return {};
}

Status shred_residue(Tenants tenants, const MaintainOptions& options, Maintained& into,
                     base::Reached& reached) {
  for (const auto& [region, places] : places_of(tenants)) {
    std::unordered_map<Id16, bool, Id16Hash> dirty;  // By handle.
    const auto window =
        std::chrono::duration_cast<std::chrono::milliseconds>(options.residue_window).count();
    const std::int64_t before = records::to_ms(places.front().tenant->now()) - window;
    EFFACE_TRY(region->vault->each_residue(
        [&](const keyring::Handle& handle, const records::Residue& residue) -> Status {
          if (residue.oldest_ms <= before) dirty.emplace(handle, true);
          return {};
        }));
    if (dirty.empty()) continue;
    for (const Place& place : places) {
      std::vector<access::ScopePlace> scopes;
      EFFACE_TRY(unless_gone(
          region->keyring->walk(place.home->people(), [&](keyring::RowView row) -> Result<Flow> {
            if (keyring::is_scope_in_use(row.label()) && dirty.contains(row.handle()))
              scopes.push_back({row.tag(), row.label()});
            return Flow::more;
          })));
      reached.expect(scopes.size());
      for (std::size_t i = 0; i < scopes.size(); i += scopes_per_epoch) {
        const std::size_t n = std::min(scopes_per_epoch, scopes.size() - i);
        EFFACE_ASSIGN(const std::size_t rekeyed,
                      access::rekey(place.tenant, *place.home, std::span(scopes).subspan(i, n),
                                    options.records_per_commit_max));
        into.scopes_rekeyed += rekeyed;
        reached.add(n);
      }
    }
  }
  return {};
}

}  // namespace efface::rights
