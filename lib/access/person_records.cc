#include "access/person_records.h"

#include "access/processes.h"
#include "access/shared.h"
#include "base/check.h"

namespace efface::access {
namespace {

Result<std::vector<records::RecordKey>> places_of(const Person& person,
                                                  const keyring::Handle& handle) {
  std::vector<records::RecordKey> places;
  EFFACE_TRY(
      person.home->region->vault->each(handle, [&](const records::RecordKey& key, Bytes) -> Status {
        places.push_back(key);
        return {};
      }));
  return places;
}

// Nothing: it was removed, or its key is gone.
Result<std::optional<records::OpenRecord>> open_at(const Person& person, const keyring::Keys& keys,
                                                   const keyring::Row& scope,
                                                   const records::RecordKey& key,
                                                   records::Bucket& bucket) {
  std::optional<records::OpenRecord> record;
  const auto found = person.home->region->vault->get(key, [&](Bytes value) -> Status {
    EFFACE_ASSIGN(record, open_value(person, keys, scope, records::tag_of(key), value));
    bucket = records::read_header(value).value().bucket;  // It was opened.
    return {};
  });
  if (!found && found.error().code() == Errc::expired) return std::optional<records::OpenRecord>();
  EFFACE_TRY(found);
  return record;
}

// Of a record that all of several people share: one of the others is not to be read now.
bool keeps_from_sharing(Errc code) noexcept {
  switch (code) {
    case Errc::suppressed:
    case Errc::restricted:
    case Errc::objected:
    case Errc::consent_missing:
    case Errc::transfer_pending:
      return true;
    default:
      return false;
  }
}

}  // namespace

Status each_record(const Person& person, FunctionRef<Status(const PersonRecord&)> look) {
  EFFACE_ASSIGN(const AllReading still, read_all(*person.home->region));
  EFFACE_ASSIGN(const keyring::SharedKeys first, keys_of(person));
  for (const keyring::Row& listed : first->rows()) {
    if (!keyring::is_scope(listed.label)) continue;
    EFFACE_ASSIGN(const auto places, places_of(person, listed.handle));
    for (const records::RecordKey& place : places) {
      EFFACE_ASSIGN(const keyring::SharedKeys keys, keys_of(person));
      const keyring::Row* scope = keys->find(listed.label);
      if (scope == nullptr || scope->handle != listed.handle) break;  // Withdrawn, or re-keyed.
      records::Bucket bucket = records::never;
      const std::uint64_t removals = person.home->region->keyring->removals();
      const auto record = followed(person, open_at(person, *keys, *scope, place, bucket));
      if (person.home->region->keyring->removals() != removals) EFFACE_TRY(keys_of(person));
      if (!record && keeps_from_sharing(record.error().code())) continue;
      EFFACE_TRY(record);
      if (!*record || (**record).fields.name.empty()) continue;
      const bool kept = bucket == records::kept_by_hold ||
                        keyring::incarnation_of(scope->label) >= keyring::first_kept;
      EFFACE_TRY(look({*scope, keyring::purpose_of(scope->label), **record, kept}));
    }
  }
  return {};
}

Result<codec::Plaintext> id_of(const Person& person) {
  EFFACE_ASSIGN(const keyring::SharedKeys keys, keys_of(person));
  const keyring::Row& row = *keys->find(keyring::person);
  const Located at = locate(row, "");
  records::Bucket bucket = records::never;
  EFFACE_ASSIGN(const auto record, open_at(person, *keys, row, at.key, bucket));
  if (!record) return Error(Errc::corruption, "a person's id is not on record");
  codec::Plaintext id(record->fields.value.size());
  std::copy(record->fields.value.begin(), record->fields.value.end(), id.data());
  return id;
}

Result<records::OpenRecord> open_for_a_duty(const Person& person, const keyring::Keys& keys,
                                            const keyring::Row& scope, const Id16& tag,
                                            Bytes value) {
  return open_value(person, keys, scope, tag, value);
}

Result<records::OpenRecord> open_image(const ImageKeys& keys, const Id16& tag, Bytes value) {
  EFFACE_ASSIGN(const records::ClearHeader header, records::read_header(value));
  std::vector<keyring::Row> rows;
  rows.push_back({keys.scope.tag, keys.scope.key.clone(), keys.scope.handle, keys.scope.label,
                  keys.scope.flags, keys.scope.aux});
  const keyring::Keys alone(std::move(rows));
  const records::ScopeKeys with{keys.region,          keys.tenant,   alone,
                                alone.rows().front(), header.bucket, keys.bucket.key.bytes()};
  return records::open_record(with, tag, value);
}

}  // namespace efface::access
