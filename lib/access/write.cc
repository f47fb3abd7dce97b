// Sealing on the caller's thread, and deciding again when what was sealed is stored.
#include <algorithm>

#include "access/access.h"
#include "base/check.h"
#include "base/utf8.h"
#include "efface/limits.h"

namespace efface::access {
namespace {

// The person's keys, her scope for the purpose among them: made where it is missing.
Result<keyring::SharedKeys> keys_with_scope(const Activity& activity, const Person& person,
                                            const Admission& admission) {
  if (admission.keys->find(activity.purpose.number) != nullptr) return admission.keys;
  keyring::Keyring& keyring = *person.home->region->keyring;
  keyring::Ensure row;
  row.tag = person.tag;
  row.label = activity.purpose.number;
  row.aux = first_generation;
  row.needs_person = true;
  EFFACE_ASSIGN(const auto held, keyring.lock());
  EFFACE_TRY(keyring.ensure(held, person.home->people(), {&row, 1}));
  const bool hers = !row.person_missing && row.keys->find(keyring::person) != nullptr &&
                    row.keys->find(keyring::person)->handle == person.handle;
  if (!hers) return Error(Errc::subject_erased, "the person has been erased");
  return row.keys;
}

Result<records::Bucket> bucket_of(const Activity& activity, std::optional<Days> shorter) {
  const std::optional<Days>& longest = activity.purpose.terms.retention;
  if (shorter && (shorter->count() == 0 || shorter->count() > limits::retention_days_max ||
                  (longest && *shorter > *longest)))
    return Error(Errc::invalid_argument, "a record's retention is 1 day to its purpose's");
  const std::optional<Days>& days = shorter ? shorter : longest;
  if (!days) return records::never;
  return records::bucket_after(activity.tenant->now(), days->count());
}

void note_scope(SealedWrites& into, const Person& person, const keyring::Row& scope,
                const Admission& admission) {
  into.removals = std::min(into.removals, admission.removals);
  // Batches go person by person: looking at the last is nearly always enough.
  for (std::size_t i = into.scopes.size(); i-- > 0 && i + 8 >= into.scopes.size();)
    if (into.scopes[i].handle == scope.handle) return;
  into.scopes.push_back({person, scope.handle});
}

Status make_room(const SealedWrites& into, std::size_t bytes) {
  if (into.changes.size() >= limits::batch_records_max ||
      bytes > limits::batch_bytes_max - into.bytes)
    return Error(Errc::too_large, "a batch holds at most 65,536 records and 64 MiB");
  return {};
}

}  // namespace

Status seal_put(const Activity& activity, const Person& person, RecordName name, Bytes value,
                const PutTerms& terms, SealedWrites& into) {
  EFFACE_TRY(subjects::check_name(name));
  if (value.size() > limits::value_bytes_max)
    return Error(Errc::too_large, "a value is larger than 16 MiB");
  if (terms.origin.size() > limits::label_bytes_max)
    return Error(Errc::too_large, "an origin is longer than 64 bytes");
  if (!base::is_utf8(terms.origin)) return Error(Errc::invalid_argument, "an origin is not UTF-8");
  EFFACE_ASSIGN(const Admission admission, admit(activity, person));
  EFFACE_ASSIGN(const records::Bucket bucket, bucket_of(activity, terms.retention));
  EFFACE_ASSIGN(const keyring::SharedKeys bucket_keys, bucket_for_writing(*person.home, bucket));
  EFFACE_ASSIGN(const keyring::SharedKeys keys, keys_with_scope(activity, person, admission));
  const keyring::Row& scope = *keys->find(activity.purpose.number);

  codec::RecordFields fields;
  fields.name = as_bytes(name.text);
  fields.value = value;
  fields.written_ms = records::to_ms(activity.tenant->now());
  fields.expires_ms = records::expiry_ms(bucket);
  fields.permitted = terms.also_permitted;
  fields.origin = terms.origin;
  const Id16 tag = records::name_tag(scope, name.text);
  const records::ScopeKeys with{person.home->region->id,
                                person.home->ref.number,
                                *keys,
                                scope,
                                bucket,
                                bucket_keys->find(keyring::bucket_key)->key.bytes()};
  records::Change change;
  change.key = records::record_key(scope.handle, tag);
  change.value = records::seal_record(with, tag, fields, activity.purpose.terms.compress);
  EFFACE_TRY(make_room(into, change.value.size()));
  into.bytes += change.value.size();
  note_scope(into, person, scope, admission);
  into.changes.push_back(std::move(change));
  return {};
}

Status seal_remove(const Activity& activity, const Person& person, RecordName name,
                   SealedWrites& into) {
  EFFACE_TRY(subjects::check_name(name));
  EFFACE_ASSIGN(const Admission admission, admit(activity, person));
  const keyring::Row* scope = admission.keys->find(activity.purpose.number);
  if (scope == nullptr) return {};  // She has no such scope, so no such record.
  EFFACE_TRY(make_room(into, 0));
  records::Change change;
  change.key = records::record_key(scope->handle, records::name_tag(*scope, name.text));
  note_scope(into, person, *scope, admission);
  into.changes.push_back(std::move(change));
  return {};
}

Status commit(const Activity& activity, const TenantRegion& region, SealedWrites& writes) {
  EFFACE_TRY(activity.tenant->check_here());
  if (writes.changes.empty()) return {};
  return region.region->vault->commit(writes.changes, [&]() -> Status {
    if (region.region->keyring->removals() == writes.removals) return {};
    for (const SealedWrites::Scope& scope : writes.scopes) {
      EFFACE_ASSIGN(const Admission now, admit(activity, scope.person));
      const keyring::Row* row = now.keys->find(activity.purpose.number);
      if (row == nullptr || row->handle != scope.handle)
        return Error(Errc::subject_erased, "the person's scope has been destroyed");
    }
    return {};
  });
}

}  // namespace efface::access
