#include "rights/incident_exposure.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "access/person_records.h"
#include "base/check.h"
#include "ledger/entry.h"
#include "rights/incident_people.h"

namespace efface::rights {
namespace {

using access::RegionState;
using access::TenantRegion;
using access::TenantState;
using subjects::PurposeNumber;

// What the ledger of a region says of one tenant.
struct Tally {
  std::uint64_t came_by_end = 0;  // Enrolled, or from another region.
  std::uint64_t went_before = 0;  // Erased, moved, merged.
  std::uint64_t went_since = 0;   // At the window's beginning or later.
  std::uint64_t days_before = 0;
  std::uint64_t days_since = 0;
  struct Consents {
    std::uint64_t before = 0;
    std::uint64_t since = 0;
  };
  std::map<PurposeNumber, Consents> consents{};
  bool gone = false;
  bool gone_before = false;
};

struct Tallies {
  std::map<std::uint32_t, Tally> tenants{};  // By their number there.
  Exposure::InRegion region;

  const Tally& of(std::uint32_t number) const {
    static const Tally none;
    const auto at = tenants.find(number);
    return at == tenants.end() ? none : at->second;
  }
};

// What was destroyed, its row says; a suppression or a hold's release of nobody has none.
void add_entry(const ledger::Entry& entry, const IncidentTerms& window, Tally& into) {
  const TimePoint when(std::chrono::milliseconds(entry.time_ms));
  const bool before = when < window.from;
  const std::uint64_t count = entry.count.value_or(1);
  switch (entry.kind) {
    case ledger::Kind::enrolled:
    case ledger::Kind::received:
      if (when <= window.until) into.came_by_end += count;
      return;
    case ledger::Kind::erased:
    case ledger::Kind::transferred:
    case ledger::Kind::merged:
      if (entry.destroyed) ++(before ? into.went_before : into.went_since);
      return;
    case ledger::Kind::consent_withdrawn:
      if (entry.destroyed && entry.purpose) {
        Tally::Consents& consents = into.consents[*entry.purpose];
        ++(before ? consents.before : consents.since);
      }
      return;
    case ledger::Kind::expired:
      (before ? into.days_before : into.days_since) += count;
      return;
    case ledger::Kind::offboarded:
      into.gone = true;
      into.gone_before = before;
      return;
    default:
      return;
  }
}

Result<Tallies> tally(RegionState& region, const IncidentTerms& window) {
  Tallies tallies;
  tallies.region.region = region.name;
  std::optional<std::uint64_t> last_epoch;  // Several entries end one together.
  EFFACE_TRY(region.keyring->each_entry(0, [&](std::uint64_t, Bytes bytes) -> Result<Flow> {
    EFFACE_ASSIGN(const ledger::Entry entry, ledger::decode(bytes));
    if (entry.tenant != 0) add_entry(entry, window, tallies.tenants[entry.tenant]);
    if (!entry.epoch_after || entry.epoch_after == last_epoch) return Flow::more;
    last_epoch = entry.epoch_after;
    const TimePoint when(std::chrono::milliseconds(entry.time_ms));
    if (when < window.from)
      tallies.region.reaches_back_to = when;
    else if (when <= window.until)
      ++tallies.region.epochs_ended;
    return Flow::more;
  }));
  return tallies;
}

TenantExposure blank(const TenantState& tenant, Reach reach) {
  TenantExposure exposure;
  exposure.tenant = tenant.name();
  exposure.reach = reach;
  for (const subjects::NumberedPurpose& purpose : tenant.terms().purposes) {
    TenantExposure::OfPurpose& of = exposure.purposes.emplace_back();
    of.purpose = purpose.terms.name;
    of.categories = purpose.terms.categories;
  }
  return exposure;
}

// Of one region into the whole.
Status add_region(const std::shared_ptr<TenantState>& tenant, const TenantRegion& home,
                  const IncidentTerms& window, const Tally& tally, TenantExposure& into) {
  into.people_beyond_reach += tally.went_before;
  into.days_beyond_reach += tally.days_before;
  const subjects::Terms terms = tenant->terms();
  std::map<PurposeNumber, TenantExposure::OfPurpose*> purposes;
  for (std::size_t i = 0; i < into.purposes.size() && i < terms.purposes.size(); ++i)
    purposes[terms.purposes[i].number] = &into.purposes[i];
  const bool counts = into.reach != Reach::nothing;
  for (const auto& [number, consents] : tally.consents) {
    const auto of = purposes.find(number);
    if (of == purposes.end()) continue;
    of->second->consents_beyond_reach += consents.before;
    if (counts) of->second->consents_gone += consents.since;
  }
  if (!counts) return {};
  into.days_gone += tally.days_since;
  std::uint64_t there = 0;
  EFFACE_TRY(each_person_within(tenant, home, window.until, [&](const PersonWithin& person) {
    ++there;
    for (const auto& [number, found] : person.purposes) {
      const auto of = purposes.find(number);
      if (of == purposes.end()) continue;
      of->second->people += found.records != 0 ? 1 : 0;
      of->second->people_perhaps += found.records == 0 && found.perhaps ? 1 : 0;
      of->second->records += found.records;
    }
    return Result<Flow>(Flow::more);
  }));
  // The ledger's times and the records' differ by what lay between: never by more than went.
  const std::uint64_t all = tally.came_by_end - std::min(tally.came_by_end, tally.went_before);
  const std::uint64_t gone = std::min(all - std::min(all, there), tally.went_since);
  into.people += there + gone;
  into.people_gone += gone;
  return {};
}

bool concerns(const Incident& incident, std::string_view tenant) {
  const auto& names = incident.terms.tenants;
  return std::ranges::find(names, tenant) != names.end();
}

bool is_in(const Incident& incident, const TenantRegion& home) {
  const auto& names = incident.terms.regions;
  return std::ranges::find(names, home.region->name) != names.end();
}

Status check_open(const TenantRegion& home) {
  if (home.region->open) return {};
  return Error(Errc::region_not_open, "a region of the incident is not open here");
}

using ByRegion = std::map<const RegionState*, Tallies>;

Result<TenantExposure> exposure_of(const std::shared_ptr<TenantState>& tenant,
                                   const Incident& incident, ByRegion& tallies) {
  EFFACE_TRY(tenant->check_here());
  TenantExposure whole = blank(*tenant, reach_of(incident.terms.exposed));
  for (const TenantRegion& home : tenant->regions()) {
    if (!is_in(incident, home)) continue;
    EFFACE_TRY(check_open(home));
    if (!tallies.contains(home.region.get())) {
      EFFACE_ASSIGN(tallies[home.region.get()], tally(*home.region, incident.terms));
    }
    const Tally& of = tallies[home.region.get()].of(home.ref.number);
    EFFACE_TRY(add_region(tenant, home, incident.terms, of, whole));
  }
  return whole;
}

// Those that were off-boarded: nothing but the ledger knows of them, and it by number alone.
void add_offboarded(Tallies& tallies, Exposure& into) {
  for (const auto& [number, tally] : tallies.tenants) {
    if (!tally.gone) continue;
    const std::uint64_t left = tally.came_by_end - std::min(tally.came_by_end, tally.went_before);
    into.people_beyond_reach += tally.gone_before ? tally.came_by_end : tally.went_before;
    if (tally.gone_before) continue;
    ++tallies.region.tenants_gone;
    if (into.reach == Reach::nothing) continue;
    into.people += left;
    into.people_gone += left;
  }
}

}  // namespace

Result<TenantExposure> exposure_of(const std::shared_ptr<TenantState>& tenant,
                                   const Incident& incident) {
  if (!concerns(incident, tenant->name()))
    return Error(Errc::incident_unknown, "the incident does not concern the tenant");
  ByRegion tallies;
  return exposure_of(tenant, incident, tallies);
}

Result<Exposure> exposure(const access::Site& site, const Incident& incident,
                          FunctionRef<void(const TenantExposure&)> each) {
  Exposure whole;
  whole.reach = reach_of(incident.terms.exposed);
  ByRegion tallies;
  for (const auto& region : site.regions()) {
    const auto& names = incident.terms.regions;
    if (std::ranges::find(names, region->name) == names.end()) continue;
    if (!region->open)
      return Error(Errc::region_not_open, "a region of the incident is not open here");
    EFFACE_ASSIGN(Tallies of, tally(*region, incident.terms));
    if (incident.every_tenant) add_offboarded(of, whole);
    whole.regions.push_back(of.region);
    tallies.emplace(region.get(), std::move(of));
  }
  for (const auto& tenant : site.tenants()) {
    if (!concerns(incident, tenant->name())) continue;
    const auto of = exposure_of(tenant, incident, tallies);
    if (!of && of.error().code() == Errc::tenant_unknown) continue;  // It went meanwhile.
    EFFACE_TRY(of);
    ++whole.tenants;
    whole.people += of->people;
    whole.people_gone += of->people_gone;
    whole.people_beyond_reach += of->people_beyond_reach;
    each(*of);
  }
  return whole;
}

Status each_concerned(
    const std::shared_ptr<TenantState>& tenant, const Incident& incident,
    FunctionRef<Flow(std::string_view id, std::span<const std::string_view> purposes)> look) {
  if (!concerns(incident, tenant->name()))
    return Error(Errc::incident_unknown, "the incident does not concern the tenant");
  EFFACE_TRY(tenant->check_here());
  if (reach_of(incident.terms.exposed) == Reach::nothing) return {};
  const subjects::Terms terms = tenant->terms();
  bool stopped = false;
  for (const TenantRegion& home : tenant->regions()) {
    if (!is_in(incident, home) || stopped) continue;
    EFFACE_TRY(check_open(home));
    const auto tell = [&](const PersonWithin& person) -> Result<Flow> {
      const auto id = access::id_of(person.person);
      if (!id) {
        const Errc code = id.error().code();
        // She went meanwhile, or a crash kept her id from being stored.
        if (code == Errc::subject_erased || code == Errc::corruption) return Flow::more;
        return id.error();
      }
      std::vector<std::string_view> purposes;
      for (const auto& [number, found] : person.purposes) {
        const subjects::NumberedPurpose* purpose = terms.find(number);
        if (purpose != nullptr && (found.records != 0 || found.perhaps))
          purposes.emplace_back(purpose->terms.name);
      }
      const Flow flow = look(as_text(id->bytes()), purposes);
      stopped = flow == Flow::stop;
      return flow;
    };
    EFFACE_TRY(each_person_within(tenant, home, incident.terms.until, tell));
  }
  return {};
}

}  // namespace efface::rights
