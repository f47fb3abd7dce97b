#include "access/people.h"

#include <unordered_set>

#include "base/check.h"
#include "efface/limits.h"
#include "subjects/pseudonym.h"

namespace efface::access {
namespace {

const keyring::Row* person_row(const keyring::SharedKeys& keys) noexcept {
  return keys->find(keyring::person);
}

Result<std::optional<Person>> look_in(const std::shared_ptr<TenantState>& tenant,
                                      const TenantRegion& region, SubjectId id) {
  EFFACE_ASSIGN(const keyring::Tag tag, tag_of(region, id));
  EFFACE_ASSIGN(const keyring::SharedKeys keys, region.region->keyring->keys(region.people(), tag));
  const keyring::Row* row = person_row(keys);
  if (row == nullptr) return std::optional<Person>();
  return std::optional<Person>(Person{tenant, &region, tag, row->handle});
}

// The id itself stands sealed under the key of her own row, where only her export will look for it.
Result<records::Change> seal_id(const TenantRegion& home, const keyring::Keys& keys,
                                const keyring::Row& row, const keyring::Keys& bucket, SubjectId id,
                                std::chrono::system_clock::time_point now) {
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

struct NewPerson {
  SubjectId id;
  keyring::SharedKeys keys;
  bool created;
};

// A crash after the keys and before this leaves keys without an id: the next enrolment mends it.
Status store_ids(const std::shared_ptr<TenantState>& tenant, const TenantRegion& home,
                 std::span<const NewPerson> people) {
  EFFACE_ASSIGN(const auto bucket, bucket_for_writing(home, records::never));
  std::vector<records::Change> changes;
  std::unordered_set<Id16, Id16Hash> seen;
  std::size_t bytes = 0;
  const auto store = [&]() -> Status {
    if (changes.empty()) return {};
    EFFACE_TRY(home.region->vault->commit(changes, []() -> Status { return {}; }));
    changes.clear();
    bytes = 0;
    return {};
  };
  for (const NewPerson& person : people) {
    const keyring::Row& row = *person_row(person.keys);
    if (!seen.insert(row.handle).second) continue;
    const auto key = records::record_key(row.handle, records::name_tag(row, ""));
    if (!person.created) {
      EFFACE_ASSIGN(const bool there,
                    home.region->vault->get(key, [](Bytes) -> Status { return {}; }));
      if (there) continue;
    }
    EFFACE_ASSIGN(records::Change change,
                  seal_id(home, *person.keys, row, *bucket, person.id, tenant->now()));
    bytes += change.value.size();
    changes.push_back(std::move(change));
    if (changes.size() == limits::batch_records_max || bytes > limits::batch_bytes_max / 2)
      EFFACE_TRY(store());
  }
  return store();
}

}  // namespace

Result<keyring::Tag> tag_of(const TenantRegion& region, SubjectId id) {
  EFFACE_ASSIGN(const keyring::SharedKeys tenant, region.region->keyring->tenant_keys(region.ref));
  const keyring::Row* pseudonym = tenant->find(keyring::pseudonym_key);
  if (pseudonym == nullptr) return Error(Errc::tenant_unknown, "the region has no such tenant");
  return subjects::subject_tag(*pseudonym, id);
}

Result<Person> find_person(const std::shared_ptr<TenantState>& tenant, SubjectId id) {
  EFFACE_TRY(tenant->check_here());
  EFFACE_TRY(subjects::check_id(id));
  for (const TenantRegion& region : tenant->regions()) {
    if (!region.region->open) continue;
    EFFACE_ASSIGN(std::optional<Person> found, look_in(tenant, region, id));
    if (found) return *std::move(found);
  }
  if (!tenant->all_open())
    return Error(Errc::region_not_open, "the person may live in a region that is not open here");
  return Error(Errc::subject_unknown, "the tenant knows nobody of that id");
}

Result<Person> find_person(const std::shared_ptr<TenantState>& tenant, SubjectId id,
                           const TenantRegion& home) {
  EFFACE_TRY(subjects::check_id(id));
  EFFACE_ASSIGN(std::optional<Person> here, look_in(tenant, home, id));
  if (here) return *std::move(here);
  EFFACE_ASSIGN(const Person elsewhere, find_person(tenant, id));
  EFFACE_CHECK(elsewhere.home != &home || !elsewhere.tenant->gone());
  return Error(Errc::region_mismatch, "the person's home is another region");
}

Result<std::vector<Person>> enrol(const std::shared_ptr<TenantState>& tenant,
                                  std::span<const SubjectId> ids, const TenantRegion& home,
                                  IfThere if_there,
                                  std::span<const subjects::PurposeNumber> purposes) {
  EFFACE_TRY(tenant->check_here());
  if (ids.size() > limits::subjects_per_call_max)
    return Error(Errc::too_large, "more than 100,000 people at once");
  for (const SubjectId& id : ids) EFFACE_TRY(subjects::check_id(id));
  if (!tenant->all_open())
    return Error(Errc::region_not_open, "enrolling needs all of the tenant's regions open");
  const std::size_t rows_each = 1 + purposes.size();  // Her own, then her scopes'.
  std::vector<keyring::Ensure> rows(ids.size() * rows_each);
  {
    std::vector<keyring::Keyring::Lock> held;  // In name order.
    std::size_t at_home = 0;
    for (const TenantRegion& region : tenant->regions()) {
      EFFACE_ASSIGN(auto lock, region.region->keyring->lock());
      if (&region == &home) at_home = held.size();
      held.push_back(std::move(lock));
    }
    EFFACE_TRY(tenant->check_here());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      for (const TenantRegion& region : tenant->regions()) {
        if (&region == &home) continue;
        EFFACE_ASSIGN(const std::optional<Person> there, look_in(tenant, region, ids[i]));
        if (there) return Error(Errc::region_mismatch, "the person's home is another region");
      }
      EFFACE_ASSIGN(const keyring::Tag tag, tag_of(home, ids[i]));
      for (std::size_t k = 0; k < rows_each; ++k) {
        keyring::Ensure& row = rows[i * rows_each + k];
        row.tag = tag;
        if (k == 0) continue;
        row.label = purposes[k - 1];
        row.aux = first_generation;
        row.needs_person = true;
      }
      if (if_there == IfThere::accept) continue;
      EFFACE_ASSIGN(const keyring::SharedKeys keys, home.region->keyring->keys(home.people(), tag));
      if (person_row(keys) != nullptr)
        return Error(Errc::exists, "the tenant knows somebody of that id");
    }
    EFFACE_TRY(home.region->keyring->ensure(held[at_home], home.people(), rows));
  }
  std::vector<Person> people;
  std::vector<NewPerson> stored;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const keyring::Ensure& row = rows[i * rows_each];
    people.push_back({tenant, &home, row.tag, person_row(row.keys)->handle});
    stored.push_back({ids[i], row.keys, row.created});
  }
  EFFACE_TRY(store_ids(tenant, home, stored));
  return people;
}

Result<keyring::SharedKeys> bucket_for_writing(const TenantRegion& home, records::Bucket bucket) {
  keyring::Keyring& keyring = *home.region->keyring;
  const keyring::Tag tag = records::bucket_tag(bucket);
  EFFACE_ASSIGN(keyring::SharedKeys keys, keyring.keys(home.buckets(), tag));
  if (keys->find(keyring::bucket_key) != nullptr) return keys;
  keyring::Ensure row;
  row.tag = tag;
  row.label = keyring::bucket_key;
  row.aux = bucket;
  EFFACE_ASSIGN(const auto held, keyring.lock());
  EFFACE_TRY(keyring.ensure(held, home.buckets(), {&row, 1}));
  return row.keys;
}

}  // namespace efface::access
