#include "access/copy.h"

#include "access/summary.h"
#include "base/check.h"

namespace efface::access {
namespace {

struct Source {
  const Person& person;
  const keyring::Keys& keys;
  const keyring::Row& scope;
};

struct Target {
  const Person& person;
  const keyring::Keys& keys;
  const keyring::Row& scope;
};

Status copy_summary(const Target& to, records::OpenRecord record,
                    std::vector<records::Change>& into) {
  EFFACE_ASSIGN(const SummaryChange change, summary_as_change(std::move(record)));
  return seal_summary(to.person, to.keys, to.scope, change, into);
}

Status copy_one(const Source& from, const Target& to, const records::RecordKey& key, Bytes value,
                std::vector<records::Change>& into) {
  auto record = open_value(from.person, from.keys, from.scope, records::tag_of(key), value);
  if (!record && record.error().code() == Errc::expired) return {};
  EFFACE_TRY(record);
  if (record->fields.name.empty()) return copy_summary(to, *std::move(record), into);
  const records::ClearHeader header = records::read_header(value).value();  // It was opened.
  const Located at = locate(to.scope, as_text(record->fields.name));
  const TenantRegion& home = *to.person.home;
  const auto bucket = bucket_for_writing(*to.person.tenant, home, header.bucket);
  if (!bucket && bucket.error().code() == Errc::expired) return {};
  EFFACE_TRY(bucket);
  const records::ScopeKeys with{home.region->id, home.ref.number,
                                to.keys,         to.scope,
                                header.bucket,   (*bucket)->find(keyring::bucket_key)->key.bytes()};
  records::Change put;
  put.key = at.key;
  put.value = records::seal_record(with, at.tag, record->fields,
                                   (header.flags & records::flag_compressed) != 0);
  into.push_back(std::move(put));
  return {};
}

Status store(const Person& to, std::vector<records::Change>& changes) {
  if (changes.empty()) return {};
  EFFACE_TRY(to.home->region->vault->commit(changes, records::to_ms(to.tenant->now()),
                                            []() -> Status { return {}; }));
  changes.clear();
  return {};
}

Status copy_scope(const Source& from, const Target& to, std::size_t records_max) {
  records::Vault& vault = *from.person.home->region->vault;
  std::vector<records::RecordKey> places;
  EFFACE_TRY(vault.each(from.scope.handle, [&](const records::RecordKey& key, Bytes) -> Status {
    places.push_back(key);
    return {};
  }));
  std::vector<records::Change> changes;
  for (const records::RecordKey& key : places) {
    std::vector<std::byte> value;  // No transaction is open while another is begun.
    EFFACE_TRY(vault.get(key, [&](Bytes found) -> Status {
      value.assign(found.begin(), found.end());
      return {};
    }));
    if (value.empty()) continue;
    EFFACE_TRY(copy_one(from, to, key, value, changes));
    if (changes.size() >= records_max) EFFACE_TRY(store(to.person, changes));
  }
  return store(to.person, changes);
}

}  // namespace

Status copy_records(const Person& from, const Person& to, keyring::Label incarnation,
                    std::size_t records_per_commit_max) {
  EFFACE_ASSIGN(const keyring::SharedKeys keys, keys_of(from));
  for (const keyring::Row& scope : keys->rows()) {
    if (!keyring::is_scope(scope.label)) continue;
    EFFACE_ASSIGN(const keyring::SharedKeys target, keys_of(to));
    const keyring::Row* into =
        target->find(keyring::scope_label(keyring::purpose_of(scope.label), incarnation));
    if (into == nullptr) continue;
    EFFACE_TRY(copy_scope({from, *keys, scope}, {to, *target, *into}, records_per_commit_max));
  }
  return {};
}

Status store_id(const Person& person, SubjectId id) {
  EFFACE_ASSIGN(const keyring::SharedKeys keys, keys_of(person));
  EFFACE_ASSIGN(const auto bucket,
                bucket_for_writing(*person.tenant, *person.home, records::never));
  std::vector<records::Change> changes;
  changes.push_back(seal_id(*person.home, *keys, *bucket, id, person.tenant->now()));
  return store(person, changes);
}

}  // namespace efface::access
