#include "rights/incident.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/utf8.h"
#include "efface/limits.h"
#include "ledger/entry.h"
#include "subjects/terms.h"

namespace efface::rights {
namespace {

using access::RegionState;
using access::Site;

constexpr std::chrono::hours notification_time{72};

ledger::Entry decision_about(ledger::Kind kind, IncidentNumber number, std::string_view what,
                             std::string_view actor) {
  ledger::Entry entry;
  entry.kind = kind;
  entry.actor = actor;
  entry.detail = std::to_string(number);
  if (!what.empty()) entry.detail += ' ' + std::string(what);
  return entry;
}

TimePoint to_millisecond(TimePoint when) {
  return TimePoint(std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch()));
}

RegionState* region_named(const Site& site, std::string_view name) {
  for (const auto& region : site.regions())
    if (region->name == name) return region.get();
  return nullptr;
}

// Where an incident of that number stands: regions count their own in steps of how many there are.
Result<RegionState*> home_of(const Site& site, IncidentNumber number) {
  if (number == 0) return Error(Errc::incident_unknown, "incidents are numbered from 1");
  RegionState* home = site.regions()[(number - 1) % site.regions().size()].get();
  if (!home->open) return Error(Errc::region_not_open, "the incident's region is not open here");
  return home;
}

// The ledger remembers numbers that the register may not: of a keyring that was restored.
Result<IncidentNumber> next_number(const Site& site, RegionState& home) {
  const std::size_t step = site.regions().size();
  const auto at = std::ranges::find_if(site.regions(),
                                       [&](const auto& region) { return region.get() == &home; });
  const auto first = static_cast<IncidentNumber>(at - site.regions().begin()) + 1;
  EFFACE_ASSIGN(const auto numbers, home.keyring->note_numbers());
  IncidentNumber next = numbers.empty() ? first : numbers.back() + step;
  EFFACE_TRY(home.keyring->each_entry(0, [&](std::uint64_t, Bytes bytes) -> Result<Flow> {
    EFFACE_ASSIGN(const ledger::Entry entry, ledger::decode(bytes));
    IncidentNumber used = 0;
    if (entry.kind != ledger::Kind::incident_opened) return Flow::more;
    std::from_chars(entry.detail.data(), entry.detail.data() + entry.detail.size(), used);
    if (used % step == first % step) next = std::max(next, used + step);
    return Flow::more;
  }));
  return next;
}

void complete(Incident& incident, IncidentNumber number, TimePoint now) {
  incident.number = number;
  incident.deadline = incident.terms.discovered + notification_time;
  if (!incident.authority_notified && !incident.closed)
    incident.left = std::chrono::floor<std::chrono::seconds>(incident.deadline - now);
}

Result<IncidentRecord> read(const Site& site, RegionState& home, IncidentNumber number) {
  EFFACE_ASSIGN(const auto note, home.keyring->note(number));
  if (!note) return Error(Errc::incident_unknown, "the register has no such incident");
  EFFACE_ASSIGN(IncidentRecord record, decode_incident(note->bytes()));
  complete(record.incident, number, site.now());
  return record;
}

// What else than its own region's ledger is told.
Status enter_elsewhere(const Site& site, const Incident& incident, const RegionState& home,
                       const ledger::Entry& decision) {
  for (const std::string& name : incident.terms.regions) {
    RegionState* region = region_named(site, name);
    if (region == nullptr || region == &home || !region->open) continue;
    EFFACE_ASSIGN(const auto held, region->keyring->lock());
    EFFACE_TRY(region->keyring->enter(held, {&decision, 1}));
  }
  return {};
}

// Lets change() look at it, and say in a word what it did.
Status change_incident(const Site& site, IncidentNumber number, std::string_view actor,
                       FunctionRef<Result<std::string_view>(Incident&)> change) {
  EFFACE_ASSIGN(RegionState * home, home_of(site, number));
  IncidentRecord record;
  ledger::Entry decision;
  {
    EFFACE_ASSIGN(const auto held, home->keyring->lock());
    EFFACE_ASSIGN(record, read(site, *home, number));
    if (record.incident.closed) return Error(Errc::conflict, "the incident is closed");
    EFFACE_ASSIGN(const std::string_view what, change(record.incident));
    decision = decision_about(ledger::Kind::incident_updated, number, what, actor);
    EFFACE_TRY(home->keyring->put_note(held, number, encode(record), {&decision, 1}));
  }
  return enter_elsewhere(site, record.incident, *home, decision);
}

Status check_time(TimePoint when, TimePoint now) {
  if (when.time_since_epoch().count() > 0 && when <= now) return {};
  return Error(Errc::invalid_argument, "a time is from 1970 until now");
}

Status check_terms(const IncidentTerms& terms, TimePoint now) {
  EFFACE_TRY(
      subjects::check_text(terms.reference, limits::reason_bytes_max, subjects::Empty::refused));
  if (terms.exposed == Exposed{})
    return Error(Errc::invalid_argument, "an incident says what was exposed");
  EFFACE_TRY(check_time(terms.from, now));
  EFFACE_TRY(check_time(terms.until, now));
  EFFACE_TRY(check_time(terms.discovered, now));
  if (terms.from > terms.until)
    return Error(Errc::invalid_argument, "a window ends after it began");
  return {};
}

// The names of those that are meant, once each and in order.
Result<std::vector<std::string>> regions_of(const Site& site, const IncidentTerms& terms) {
  std::vector<std::string> names;
  for (const auto& region : site.regions()) {
    const bool named = std::ranges::find(terms.regions, region->name) != terms.regions.end();
    if (named && !region->open)
      return Error(Errc::region_not_open, "a region of the incident is not open here");
    if (named || (terms.regions.empty() && region->open)) names.push_back(region->name);
  }
  for (const std::string& name : terms.regions)
    if (region_named(site, name) == nullptr)
      return Error(Errc::region_unknown, "the store has no region of that name");
  if (names.empty()) return Error(Errc::region_not_open, "no region is open here");
  return names;
}

bool is_in_one_of(const access::TenantState& tenant, const std::vector<std::string>& regions) {
  return std::ranges::any_of(tenant.regions(), [&](const access::TenantRegion& home) {
    return std::ranges::find(regions, home.region->name) != regions.end();
  });
}

Result<std::vector<std::string>> tenants_of(const Site& site, const IncidentTerms& terms,
                                            const std::vector<std::string>& regions) {
  std::vector<std::string> names;
  for (const auto& tenant : site.tenants()) {
    const bool named = std::ranges::find(terms.tenants, tenant->name()) != terms.tenants.end();
    const bool there = is_in_one_of(*tenant, regions);
    if (named && !there)
      return Error(Errc::invalid_argument, "a tenant is in none of the incident's regions");
    if (named || (terms.tenants.empty() && there)) names.push_back(tenant->name());
  }
  for (const std::string& name : terms.tenants) EFFACE_TRY(site.tenant(name));
  return names;
}

// Those of one incident. Answers what it took.
std::vector<std::string> tell_one(const Site& site, const IncidentRecord& record) {
  std::vector<std::string> took;
  for (std::size_t i = 0; i < record.told.size(); ++i) {
    const std::string& tenant = record.incident.terms.tenants[i];
    if (!record.told[i] && site.on_incident()(tenant, record.incident.number))
      took.push_back(tenant);
  }
  return took;
}

Status note_told(const Site& site, RegionState& home, IncidentNumber number,
                 const std::vector<std::string>& told) {
  EFFACE_ASSIGN(const auto held, home.keyring->lock());
  EFFACE_ASSIGN(IncidentRecord record, read(site, home, number));
  for (std::size_t i = 0; i < record.told.size(); ++i)
    if (std::ranges::find(told, record.incident.terms.tenants[i]) != told.end())
      record.told[i] = true;
  return home.keyring->put_note(held, number, encode(record));
}

}  // namespace

Result<IncidentNumber> open_incident(const Site& site, const IncidentTerms& terms,
                                     std::string_view actor) {
  const TimePoint now = site.now();
  EFFACE_TRY(check_terms(terms, now));
  IncidentRecord record;
  Incident& incident = record.incident;
  incident.terms = terms;
  EFFACE_ASSIGN(incident.terms.regions, regions_of(site, terms));
  EFFACE_ASSIGN(incident.terms.tenants, tenants_of(site, terms, incident.terms.regions));
  incident.every_tenant = terms.tenants.empty();
  incident.opened = to_millisecond(now);
  incident.opened_by = actor;
  record.told.resize(incident.terms.tenants.size());
  RegionState& home = *region_named(site, incident.terms.regions.front());
  IncidentNumber number = 0;
  ledger::Entry decision;
  {
    EFFACE_ASSIGN(const auto held, home.keyring->lock());
    EFFACE_ASSIGN(number, next_number(site, home));
    decision = decision_about(ledger::Kind::incident_opened, number, {}, actor);
    EFFACE_TRY(home.keyring->put_note(held, number, encode(record), {&decision, 1}));
  }
  EFFACE_TRY(enter_elsewhere(site, incident, home, decision));
  EFFACE_TRY(tell_incidents(site));
  return number;
}

Result<Incident> find_incident(const Site& site, IncidentNumber number) {
  EFFACE_ASSIGN(RegionState * home, home_of(site, number));
  EFFACE_ASSIGN(IncidentRecord record, read(site, *home, number));
  return std::move(record.incident);
}

Result<std::vector<Incident>> incidents(const Site& site) {
  std::vector<Incident> all;
  for (const auto& region : site.regions()) {
    if (!region->open) continue;
    EFFACE_ASSIGN(const auto numbers, region->keyring->note_numbers());
    for (const std::uint64_t number : numbers) {
      EFFACE_ASSIGN(IncidentRecord record, read(site, *region, number));
      all.push_back(std::move(record.incident));
    }
  }
  std::ranges::sort(all, {}, &Incident::number);
  return all;
}

Status update_incident(const Site& site, IncidentNumber number, std::string_view text,
                       std::string_view actor) {
  EFFACE_TRY(subjects::check_text(text, limits::reason_bytes_max, subjects::Empty::refused));
  return change_incident(site, number, actor, [&](Incident& incident) -> Result<std::string_view> {
    if (incident.updates.size() >= limits::updates_per_incident_max)
      return Error(Errc::too_large, "an incident has at most 1,000 updates");
    incident.updates.push_back({to_millisecond(site.now()), std::string(actor), std::string(text)});
    return std::string_view("updated");
  });
}

Status note_notified(const Site& site, IncidentNumber number, Audience audience,
                     std::optional<TimePoint> when, std::string_view actor) {
  const TimePoint at = when.value_or(site.now());
  EFFACE_TRY(check_time(at, site.now()));
  return change_incident(site, number, actor, [&](Incident& incident) -> Result<std::string_view> {
    const bool authority = audience == Audience::authority;
    std::optional<TimePoint>& noted =
        authority ? incident.authority_notified : incident.people_notified;
    if (!noted) noted = to_millisecond(at);
    return std::string_view(authority ? "authority notified" : "people notified");
  });
}

Status close_incident(const Site& site, IncidentNumber number, std::string_view actor) {
  return change_incident(site, number, actor, [&](Incident& incident) -> Result<std::string_view> {
    incident.closed = to_millisecond(site.now());
    return std::string_view("closed");
  });
}

// With no lock held while it is told.
Status tell_incidents(const Site& site) {
  if (!site.on_incident()) return {};
  for (const auto& region : site.regions()) {
    if (!region->open) continue;
    EFFACE_ASSIGN(const auto numbers, region->keyring->note_numbers());
    for (const std::uint64_t number : numbers) {
      EFFACE_ASSIGN(const IncidentRecord record, read(site, *region, number));
      const std::vector<std::string> told = tell_one(site, record);
      if (!told.empty()) EFFACE_TRY(note_told(site, *region, number, told));
    }
  }
  return {};
}

}  // namespace efface::rights
