#include "access/access.h"

#include <algorithm>

#include "base/check.h"

namespace efface::access {
namespace {

// Errors: subject_erased when the row is not hers any more.
Status check_person(const keyring::Keys& keys, const Person& person) {
  const keyring::Row* row = keys.find(keyring::person);
  if (row == nullptr || row->handle != person.handle)
    return Error(Errc::subject_erased, "the person has been erased");
  return {};
}

// A removal between finding and opening makes bytes that do not verify: then the truth is the
// removal.
template <class T>
Result<T> unless_overtaken(Result<T> result, const Activity& activity, const Person& person,
                           const Admission& admission) {
  EFFACE_TRY(still_admitted(activity, person, admission));
  return result;
}

struct Located {
  Id16 tag;
  records::RecordKey key;
};

Located locate(const keyring::Row& scope, std::string_view name) noexcept {
  const Id16 tag = records::name_tag(scope, name);
  return {tag, records::record_key(scope.handle, tag)};
}

// Opens what lies in the map. Errors: expired when its bucket is destroyed or its day is over.
Result<records::OpenRecord> open_value(const Person& person, const keyring::Keys& keys,
                                       const keyring::Row& scope, const Id16& tag, Bytes value) {
  const TenantRegion& home = *person.home;
  EFFACE_ASSIGN(const records::ClearHeader header, records::read_header(value));
  EFFACE_ASSIGN(const keyring::SharedKeys bucket,
                home.region->keyring->keys(home.buckets(), records::bucket_tag(header.bucket)));
  const keyring::Row* bucket_row = bucket->find(keyring::bucket_key);
  if (bucket_row == nullptr) {
    // A bucket's key goes when its day is over: one of a later day never was.
    if (header.bucket == records::never ||
        records::to_ms(person.tenant->now()) < records::expiry_ms(header.bucket))
      return Error(Errc::corruption, "a record is of a retention bucket that never was");
    return Error(Errc::expired, "the record's retention is over");
  }
  const records::ScopeKeys with{home.region->id, home.ref.number, keys,
                                scope,           header.bucket,   bucket_row->key.bytes()};
  EFFACE_ASSIGN(records::OpenRecord record, records::open_record(with, tag, value));
  const std::int64_t expires = record.fields.expires_ms;
  if (expires != 0 && records::to_ms(person.tenant->now()) >= expires)
    return Error(Errc::expired, "the record's retention is over");
  return record;
}

Result<std::optional<records::OpenRecord>> read_scope(const Person& person,
                                                      const keyring::Keys& keys,
                                                      const keyring::Row& scope,
                                                      std::string_view name) {
  const Located at = locate(scope, name);
  std::optional<records::OpenRecord> record;
  EFFACE_TRY(person.home->region->vault->get(at.key, [&](Bytes value) -> Status {
    EFFACE_ASSIGN(record, open_value(person, keys, scope, at.tag, value));
    if (as_text(record->fields.name) != name)
      return Error(Errc::corruption, "a record has another name than its place");
    return {};
  }));
  return record;
}

// The purpose's own scope first; then the others in order of purpose, for a record that permits it.
Result<std::optional<records::OpenRecord>> read_admitted(const Activity& activity,
                                                         const Person& person,
                                                         const keyring::Keys& keys,
                                                         std::string_view name) {
  if (const keyring::Row* own = keys.find(activity.purpose.number)) {
    EFFACE_ASSIGN(auto record, read_scope(person, keys, *own, name));
    if (record) return record;
  }
  bool refused = false;
  for (const keyring::Row& scope : keys.rows()) {
    if (scope.label == keyring::person || scope.label == activity.purpose.number) continue;
    EFFACE_ASSIGN(auto record, read_scope(person, keys, scope, name));
    if (!record) continue;
    const auto& permitted = record->fields.permitted;
    if (std::find(permitted.begin(), permitted.end(), activity.purpose.number) != permitted.end())
      return record;
    refused = true;
  }
  if (refused)
    return Error(Errc::purpose_not_permitted, "the record was collected for another purpose");
  return std::optional<records::OpenRecord>();
}

struct Named {
  codec::Plaintext name;
  records::RecordKey key;
  std::string_view text() const noexcept { return as_text(name.bytes()); }
};

// The names of a scope that the options ask for, sorted. Expired records are passed over.
Result<std::vector<Named>> names_of(const Person& person, const keyring::Keys& keys,
                                    const keyring::Row& scope, const ScanOptions& options) {
  std::vector<Named> names;
  EFFACE_TRY(person.home->region->vault->each(
      scope.handle, [&](const records::RecordKey& key, Bytes value) -> Status {
        Id16 tag;
        std::copy(key.begin() + 16, key.end(), tag.begin());
        const auto record = open_value(person, keys, scope, tag, value);
        if (!record && record.error().code() == Errc::expired) return {};
        EFFACE_TRY(record);
        const std::string_view name = as_text(record->fields.name);
        if (!name.starts_with(options.prefix)) return {};
        if (!options.after.empty() && name <= options.after) return {};
        Named& named = names.emplace_back(Named{codec::Plaintext(name.size()), key});
        std::copy(record->fields.name.begin(), record->fields.name.end(), named.name.data());
        return {};
      }));
  std::sort(names.begin(), names.end(),
            [](const Named& a, const Named& b) { return a.text() < b.text(); });
  return names;
}

}  // namespace

Status check_basis(const Activity& activity) {
  if (activity.purpose.terms.basis == LegalBasis::consent)
    return Error(Errc::consent_missing, "the purpose rests on consent, and none is recorded");
  return {};
}

Result<Admission> admit(const Activity& activity, const Person& person) {
  EFFACE_TRY(activity.tenant->check_here());
  if (person.tenant != activity.tenant)
    return Error(Errc::purpose_unknown, "the purpose and the person belong to different tenants");
  const TenantRegion& home = *person.home;
  Admission admission;
  admission.removals = home.region->keyring->removals();
  EFFACE_ASSIGN(admission.keys, home.region->keyring->keys(home.people(), person.tag));
  EFFACE_TRY(check_person(*admission.keys, person));
  EFFACE_TRY(check_basis(activity));
  return admission;
}

Status still_admitted(const Activity& activity, const Person& person, const Admission& admission) {
  if (person.home->region->keyring->removals() == admission.removals) return {};
  EFFACE_TRY(admit(activity, person));
  return {};
}

Result<std::optional<records::OpenRecord>> read(const Activity& activity, const Person& person,
                                                RecordName name) {
  EFFACE_TRY(subjects::check_name(name));
  EFFACE_ASSIGN(const Admission admission, admit(activity, person));
  return unless_overtaken(read_admitted(activity, person, *admission.keys, name.text), activity,
                          person, admission);
}

Result<ScanEnd> scan(const Activity& activity, const Person& person, const ScanOptions& options,
                     bool with_values, FunctionRef<Flow(std::string_view name, Bytes value)> each) {
  EFFACE_ASSIGN(const Admission first, admit(activity, person));
  const keyring::Row* scope = first.keys->find(activity.purpose.number);
  if (scope == nullptr) return ScanEnd::exhausted;
  EFFACE_ASSIGN(
      const std::vector<Named> names,
      unless_overtaken(names_of(person, *first.keys, *scope, options), activity, person, first));
  std::size_t told = 0;
  for (const Named& named : names) {
    if (told == options.limit) return ScanEnd::limit;
    // No transaction is open while the caller looks, so each record is found afresh.
    EFFACE_ASSIGN(const Admission admission, admit(activity, person));
    const keyring::Row* row = admission.keys->find(activity.purpose.number);
    if (row == nullptr) return ScanEnd::exhausted;
    std::optional<records::OpenRecord> record;
    if (with_values) {
      auto found = unless_overtaken(read_scope(person, *admission.keys, *row, named.text()),
                                    activity, person, admission);
      if (!found && found.error().code() == Errc::expired) continue;
      EFFACE_ASSIGN(record, std::move(found));
      if (!record) continue;  // Removed meanwhile.
    }
    ++told;
    if (each(named.text(), record ? record->fields.value : Bytes()) == Flow::stop)
      return ScanEnd::stopped;
  }
  return ScanEnd::exhausted;
}

Result<OwnRecord> read_own(const Activity& activity, const Person& person, RecordName name) {
  EFFACE_TRY(subjects::check_name(name));
  EFFACE_ASSIGN(const Admission admission, admit(activity, person));
  OwnRecord own;
  const keyring::Row* scope = admission.keys->find(activity.purpose.number);
  if (scope == nullptr) return own;
  const Located at = locate(*scope, name.text);
  const auto found = person.home->region->vault->get(at.key, [&](Bytes value) -> Status {
    EFFACE_ASSIGN(own.record, open_value(person, *admission.keys, *scope, at.tag, value));
    own.expect = records::Change::Expect::nonce;
    std::ranges::copy(records::nonce_of(value), own.nonce.begin());
    return {};
  });
  EFFACE_TRY(still_admitted(activity, person, admission));
  EFFACE_TRY(found);
  return own;
}

}  // namespace efface::access
