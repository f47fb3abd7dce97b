#include "access/people.h"

#include <thread>

#include "access/processes.h"
#include "access/sighting.h"
#include "base/check.h"
#include "subjects/dossier.h"
#include "subjects/pseudonym.h"

namespace efface::access {
namespace {

const keyring::Row* person_row(const keyring::SharedKeys& keys) noexcept {
  return keys->find(keyring::person);
}

// A transfer was committed by erasing her where she came from; a crash kept the flag here.
Status arrive(const Person& person) {
  ledger::Entry received;
  received.kind = ledger::Kind::received;
  received.actor = "efface";
  return set_flags(person, 0, keyring::flag_incoming, received);
}

}  // namespace

Result<Sighting> look_in(const std::shared_ptr<TenantState>& tenant, const TenantRegion& region,
                         SubjectId id) {
  EFFACE_ASSIGN(keyring::Tag tag, tag_of(region, id));
  keyring::Keyring& keyring = *region.region->keyring;
  EFFACE_ASSIGN(keyring::SharedKeys keys, keyring.keys(region.people(), tag));
  Sighting seen;
  seen.suppressed = keys->find(keyring::suppression) != nullptr;
  if (const keyring::Row* alias = keys->find(keyring::alias_row)) {
    tag = alias->handle;
    EFFACE_ASSIGN(keys, keyring.keys(region.people(), tag));
  }
  const keyring::Row* row = person_row(keys);
  if (row == nullptr) return seen;
  seen.person = Person{tenant, &region, tag, row->handle};
  seen.incoming = (row->flags & keyring::flag_incoming) != 0;
  seen.moving = (row->flags & keyring::flag_moving) != 0;
  return seen;
}

records::Change seal_id(const TenantRegion& home, const keyring::Keys& keys,
                        const keyring::Keys& bucket, SubjectId id, TimePoint now) {
  const keyring::Row& row = *keys.find(keyring::person);
  const Id16 tag = records::name_tag(row, "");
  const records::ScopeKeys scope{home.region->id,
                                 home.ref.number,
                                 keys,
                                 row,
                                 records::never,
                                 bucket.find(keyring::bucket_key)->key.bytes()};
  codec::RecordFields fields;
  fields.value = as_bytes(id.text);
  fields.written_ms = records::to_ms(now);
  records::Change change;
  change.key = records::record_key(row.handle, tag);
  change.value = records::seal_record(scope, tag, fields, false);
  return change;
}

namespace {

// The first dated bucket: up to yesterday all is destroyed, as nothing was there.
Status start_mark(const keyring::Keyring::Lock& held, const TenantRegion& home,
                  records::Bucket today) {
  if (today < 2 || today >= records::last_day) return {};
  keyring::Amend amend;
  amend.tag = keyring::high_water_tag();
  amend.changes = {{.label = keyring::high_water, .aux = today - 1, .make = true}};
  return home.region->keyring->amend(held, home.buckets(), {&amend, 1});
}

}  // namespace

Status set_flags(const Person& person, std::uint16_t set, std::uint16_t clear,
                 const ledger::Entry& decision) {
  keyring::Keyring& keyring = *person.home->region->keyring;
  EFFACE_ASSIGN(const auto held, keyring.lock());
  keyring::Amend amend;
  amend.tag = person.tag;
  amend.only_if_person = person.handle;
  amend.changes = {{.label = keyring::person, .set = set, .clear = clear}};
  if (decision.kind != ledger::Kind{}) amend.decisions = {decision};
  return keyring.amend(held, person.home->people(), {&amend, 1});
}

Result<keyring::Tag> tag_of(const TenantRegion& region, SubjectId id) {
  EFFACE_ASSIGN(const keyring::SharedKeys tenant, region.region->keyring->tenant_keys(region.ref));
  const keyring::Row* pseudonym = tenant->find(keyring::pseudonym_key);
  if (pseudonym == nullptr) return Error(Errc::tenant_unknown, "the region has no such tenant");
  return subjects::subject_tag(*pseudonym, id);
}

Status LoadAhead::before(const TenantState& tenant, std::span<const SubjectId> ids,
                         std::size_t next) {
  if (next < ahead_) return {};
  std::size_t some = ids.size() - next;
  for (const TenantRegion& region : tenant.regions())
    if (region.region->open) some = std::min(some, region.region->keyring->ahead_max());
  ahead_ = next + std::max<std::size_t>(some, 1);
  if (some < 2) return {};
  for (const TenantRegion& region : tenant.regions()) {
    if (!region.region->open) continue;
    std::vector<keyring::Tag> tags;
    for (const SubjectId& id : ids.subspan(next, some)) {
      if (!subjects::check_id(id)) continue;  // It is refused where it is looked for.
      EFFACE_ASSIGN(tags.emplace_back(), tag_of(region, id));
    }
    EFFACE_TRY(region.region->keyring->load_ahead(region.people(), tags));
  }
  return {};
}

namespace {

constexpr int looks_max = 64;

Result<Person> look_everywhere(const std::shared_ptr<TenantState>& tenant, SubjectId id) {
  std::optional<Person> incoming;
  bool suppressed = false;
  for (const TenantRegion& region : tenant->regions()) {
    if (!region.region->open) continue;
    EFFACE_ASSIGN(Sighting seen, look_in(tenant, region, id));
    suppressed = suppressed || seen.suppressed;
    if (!seen.person) continue;
    if (seen.incoming) {
      incoming = std::move(seen.person);
      continue;
    }
    // A crash left it: she is here, and whole, and what was copied goes.
    if (seen.moving && !tenant->is_moving(seen.person->handle) &&
        !somebody_moves_elsewhere(*region.region))
      EFFACE_TRY(abandon_transfer(*seen.person, id));
    return *std::move(seen.person);
  }
  if (suppressed && !incoming)
    return Error(Errc::suppressed, "the person is suppressed until she is reinstated");
  if (!tenant->all_open())
    return Error(Errc::region_not_open, "the person may live in a region that is not open here");
  if (!incoming) return Error(Errc::subject_unknown, "the tenant knows nobody of that id");
  EFFACE_TRY(arrive(*incoming));
  return *std::move(incoming);
}

}  // namespace

namespace {

// Of keyrings that other processes have open too: they may have moved her.
std::uint64_t changes_elsewhere(const TenantState& tenant) {
  std::uint64_t sum = 0;
  for (const TenantRegion& region : tenant.regions())
    if (region.region->open && region.region->processes != nullptr)
      sum += region.region->keyring->removals();
  return sum;
}

}  // namespace

// Regions are looked into one after the other: who moved meanwhile may have been in none of them.
Result<Person> find_person(const std::shared_ptr<TenantState>& tenant, SubjectId id) {
  EFFACE_TRY(tenant->check_here());
  EFFACE_TRY(subjects::check_id(id));
  for (int looks = 1;; ++looks) {
    const std::optional<std::uint64_t> moves = tenant->moves();
    const std::uint64_t changes = changes_elsewhere(*tenant);
    auto found = look_everywhere(tenant, id);
    if (found) return found;
    const Errc code = found.error().code();
    if (code != Errc::subject_unknown && code != Errc::subject_erased) return found;
    const bool still = moves && tenant->moves() == moves && changes_elsewhere(*tenant) == changes;
    if (looks == looks_max || (still && code == Errc::subject_unknown)) return found;
    if (still) return Error(Errc::subject_unknown, "the tenant knows nobody of that id");
    std::this_thread::yield();
  }
}

Result<keyring::SharedKeys> keys_of(const Person& person) {
  EFFACE_TRY(person.tenant->check_here());
  const TenantRegion& home = *person.home;
  EFFACE_ASSIGN(keyring::SharedKeys keys, home.region->keyring->keys(home.people(), person.tag));
  const keyring::Row* row = person_row(keys);
  if (row == nullptr || row->handle != person.handle)
    return Error(Errc::subject_erased, "the person has been erased");
  return keys;
}

Result<AllLocks> lock_all(const TenantState& tenant) {
  EFFACE_TRY(tenant.check_here());
  if (!tenant.all_open())
    return Error(Errc::region_not_open, "it needs all of the tenant's regions open");
  AllLocks held;
  for (const TenantRegion& region : tenant.regions()) {
    EFFACE_ASSIGN(auto lock, region.region->keyring->lock());
    held.push_back(std::move(lock));
  }
  EFFACE_TRY(tenant.check_here());
  return held;
}

Result<Person> find_person(const std::shared_ptr<TenantState>& tenant, SubjectId id,
                           const TenantRegion& home) {
  EFFACE_TRY(subjects::check_id(id));
  EFFACE_ASSIGN(Sighting here, look_in(tenant, home, id));
  if (here.person && !here.incoming && !here.moving) return *std::move(here.person);
  EFFACE_ASSIGN(Person found, find_person(tenant, id));
  if (found.home == &home) return found;  // She has arrived.
  return Error(Errc::region_mismatch, "the person's home is another region");
}

namespace {

// Who did not arrive: all that was made there, the identifiers that lead to her too.
Result<std::vector<keyring::Removal>> removals_at(const TenantRegion& region,
                                                  const Person& incoming) {
  std::vector<keyring::Removal> removals(1);
  removals[0].tenant = region.ref;
  removals[0].tag = incoming.tag;
  removals[0].only_if_person = incoming.handle;
  EFFACE_ASSIGN(const keyring::SharedKeys keys, keys_of(incoming));
  EFFACE_ASSIGN(auto file, region.region->keyring->file(region.ref, *person_row(keys)));
  EFFACE_ASSIGN(const auto dossier, subjects::DossierFile::read(std::move(file)));
  for (const Bytes id : dossier.fields().aliases) {
    keyring::Removal& removal = removals.emplace_back();
    removal.tenant = region.ref;
    removal.what = keyring::Removal::What::alias;
    EFFACE_ASSIGN(removal.tag, tag_of(region, SubjectId(as_text(id))));
    removal.only_if_handle = incoming.tag;
  }
  return removals;
}

}  // namespace

Status abandon_transfer(const Person& person, SubjectId id) {
  const TenantState& tenant = *person.tenant;
  EFFACE_ASSIGN(const keyring::SharedKeys keys, keys_of(person));
  if (const keyring::Row* merging = keys->find(keyring::merging_row)) {
    std::array<keyring::Removal, 2> removals;
    removals[0].tenant = removals[1].tenant = person.home->ref;
    removals[0].what = keyring::Removal::What::arriving;
    removals[0].tag = merging->handle;
    removals[1].what = keyring::Removal::What::merging;
    removals[1].tag = person.tag;
    removals[1].only_if_person = person.handle;
    removals[1].changes = {{.label = keyring::person, .clear = keyring::flag_moving}};
    EFFACE_TRY(person.home->region->keyring->erase(removals));
    return {};
  }
  for (const TenantRegion& region : tenant.regions()) {
    if (&region == person.home) continue;
    if (!region.region->open)
      return Error(Errc::region_not_open, "a transfer that a crash left needs its regions open");
    EFFACE_ASSIGN(const Sighting seen, look_in(person.tenant, region, id));
    if (!seen.person || !seen.incoming) continue;
    EFFACE_ASSIGN(std::vector<keyring::Removal> removals, removals_at(region, *seen.person));
    EFFACE_TRY(region.region->keyring->erase(removals));
  }
  return set_flags(person, 0, keyring::flag_moving);
}

Result<keyring::SharedKeys> bucket_for_writing(const TenantState& tenant, const TenantRegion& home,
                                               records::Bucket bucket) {
  keyring::Keyring& keyring = *home.region->keyring;
  const keyring::Tag tag = records::bucket_tag(bucket);
  EFFACE_ASSIGN(keyring::SharedKeys keys, keyring.keys(home.buckets(), tag));
  if (keys->find(keyring::bucket_key) != nullptr) return keys;
  keyring::Ensure row;
  row.tag = tag;
  row.label = keyring::bucket_key;
  row.aux = bucket;
  EFFACE_ASSIGN(const auto held, keyring.lock());
  EFFACE_ASSIGN(const records::Bucket mark, high_water_of(home));
  if (bucket <= mark)
    return Error(Errc::expired, "the day that the record would expire on has been destroyed");
  // From the first day on, the mark tells a clock that goes on from one that jumps.
  if (mark == 0 && bucket < records::last_day)
    EFFACE_TRY(start_mark(held, home, records::bucket_after(tenant.now(), 0)));
  EFFACE_TRY(keyring.ensure(held, home.buckets(), {&row, 1}));
  return row.keys;
}

Status bucket_is_there(const TenantRegion& home, records::Bucket bucket) {
  EFFACE_ASSIGN(const auto keys,
                home.region->keyring->keys(home.buckets(), records::bucket_tag(bucket)));
  if (keys->find(keyring::bucket_key) != nullptr) return {};
  return Error(Errc::expired, "the day that the record would expire on has been destroyed");
}

Result<records::Bucket> high_water_of(const TenantRegion& home) {
  EFFACE_ASSIGN(const keyring::SharedKeys keys,
                home.region->keyring->keys(home.buckets(), keyring::high_water_tag()));
  const keyring::Row* row = keys->find(keyring::high_water);
  return row == nullptr ? records::Bucket{0} : row->aux;
}

}  // namespace efface::access
