#include "rights/incident_people.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "access/access.h"
#include "access/person_records.h"
#include "access/processes.h"
#include "base/check.h"
#include "rights/file.h"

namespace efface::rights {
namespace {

using access::Person;
using access::TenantRegion;

using Residues = std::unordered_set<keyring::Handle, Id16Hash>;

// The scopes of which something was overwritten or removed since their keys were made.
Result<Residues> residues_of(const TenantRegion& home) {
  Residues scopes;
  EFFACE_TRY(home.region->vault->each_residue(
      [&](const keyring::Handle& scope, const records::Residue&) -> Status {
        scopes.insert(scope);
        return {};
      }));
  return scopes;
}

struct Place {
  keyring::Tag tag;
  keyring::Handle handle;
};

// Answers how many leaves there are.
Result<std::uint32_t> people_of(const TenantRegion& home, std::uint32_t leaf,
                                std::vector<Place>& into) {
  return home.region->keyring->walk_leaf(home.people(), leaf, [&](keyring::RowView row) {
    if (row.label() == keyring::person && (row.flags() & keyring::flag_incoming) == 0)
      into.push_back({row.tag(), row.handle()});
  });
}

// Nothing: it is not on record.
Result<std::optional<std::int64_t>> enrolled_ms(const Person& person, const keyring::Keys& keys) {
  const keyring::Row& row = *keys.find(keyring::person);
  const access::Located at = access::locate(row, "");
  std::optional<std::int64_t> when;
  EFFACE_TRY(person.home->region->vault->get(at.key, [&](Bytes value) -> Status {
    EFFACE_ASSIGN(const auto record, access::open_for_a_duty(person, keys, row, at.tag, value));
    when = record.fields.written_ms;
    return {};
  }));
  return when;
}

// Her records then came with their times.
Result<bool> was_merged(const Person& person, const keyring::Keys& keys) {
  EFFACE_ASSIGN(auto file,
                person.home->region->keyring->file(person.home->ref, *keys.find(keyring::person)));
  EFFACE_ASSIGN(const auto dossier, subjects::DossierFile::read(std::move(file)));
  return std::ranges::any_of(dossier.fields().events, [](const codec::EventFields& event) {
    return event.kind == static_cast<std::uint8_t>(EventKind::merged);
  });
}

// Whether it is over or not; what was destroyed with its day is not there.
Status look_at_scope(const Person& person, const keyring::Keys& keys, const keyring::Row& scope,
                     std::int64_t until_ms, PersonWithin::Found& into) {
  return person.home->region->vault->each(
      scope.handle, [&](const records::RecordKey& key, Bytes value) -> Status {
        const auto record =
            access::open_for_a_duty(person, keys, scope, records::tag_of(key), value);
        if (!record && record.error().code() == Errc::expired) return {};
        EFFACE_TRY(record);
        if (!record->fields.name.empty() && record->fields.written_ms <= until_ms) ++into.records;
        return {};
      });
}

// Answers whether she was there.
Result<bool> look_at(PersonWithin& into, const keyring::Keys& keys, std::int64_t until_ms,
                     const Residues& residues) {
  EFFACE_ASSIGN(const auto enrolled, enrolled_ms(into.person, keys));
  const bool later = enrolled && *enrolled > until_ms;
  if (later) {
    EFFACE_ASSIGN(const bool merged, was_merged(into.person, keys));
    if (!merged) return false;
  }
  std::uint64_t records = 0;
  for (const keyring::Row& scope : keys.rows()) {
    const auto incarnation = keyring::incarnation_of(scope.label);
    if (!keyring::is_scope(scope.label) || incarnation == keyring::arriving_scope) continue;
    PersonWithin::Found& found = into.purposes[keyring::purpose_of(scope.label)];
    EFFACE_TRY(look_at_scope(into.person, keys, scope, until_ms, found));
    found.perhaps = found.perhaps || residues.contains(scope.handle) ||
                    (incarnation == 0 && scope.aux > access::first_generation);
    records += found.records;
  }
  return !later || records != 0;
}

}  // namespace

Status each_person_within(const std::shared_ptr<access::TenantState>& tenant,
                          const TenantRegion& home, TimePoint until,
                          FunctionRef<Result<Flow>(const PersonWithin&)> look) {
  EFFACE_TRY(tenant->check_residency(home));
  EFFACE_ASSIGN(const Residues residues, residues_of(home));
  const std::int64_t until_ms = records::to_ms(until);
  std::unordered_set<keyring::Handle, Id16Hash> seen;  // A leaf may split while it is walked.
  for (std::uint32_t leaf = 0, leaves = 1; leaf < leaves; ++leaf) {
    std::vector<Place> people;
    EFFACE_ASSIGN(leaves, people_of(home, leaf, people));
    for (const Place& place : people) {
      if (!seen.insert(place.handle).second) continue;
      const Person person{tenant, &home, place.tag, place.handle};
      PersonWithin within{person};
      {
        EFFACE_ASSIGN(const access::AllReading still, access::read_all(*home.region));
        const auto keys = access::keys_of(person);
        if (!keys && keys.error().code() == Errc::subject_erased) continue;
        EFFACE_TRY(keys);
        EFFACE_ASSIGN(const bool there, look_at(within, **keys, until_ms, residues));
        if (!there) continue;
      }
      EFFACE_ASSIGN(const Flow flow, look(within));
      if (flow == Flow::stop) return {};
    }
  }
  return {};
}

}  // namespace efface::rights
