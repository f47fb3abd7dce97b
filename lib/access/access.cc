#include "access/access.h"

#include <algorithm>

#include "access/mutant.h"
#include "access/shared.h"
#include "base/check.h"
#include "subjects/dossier.h"

namespace efface::access {
namespace {

// What look finds with the keys of a reader.
template <class Look>
auto look_until_still(const Activity& activity, const Person& person, Look&& look)
    -> decltype(look(std::declval<const keyring::Keys&>())) {
  return until_still(activity, person, Use::read,
                     [&](const Admission& admission) { return look(*admission.keys); });
}

const keyring::Row* successor_of(const keyring::Keys& keys, const keyring::Row& scope) noexcept {
  return keys.find(keyring::scope_label(keyring::purpose_of(scope.label), keyring::successor));
}

// Also one whose day is over, as long as its bucket's key is there. Errors: expired.
Result<std::optional<records::OpenRecord>> read_at(const Person& person, const keyring::Keys& keys,
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

Result<std::optional<records::OpenRecord>> read_scope(const Person& person,
                                                      const keyring::Keys& keys,
                                                      const keyring::Row& scope,
                                                      std::string_view name) {
  EFFACE_ASSIGN(auto record, read_at(person, keys, scope, name));
  if (record) return record;
  const keyring::Row* next = successor_of(keys, scope);
  if (next == nullptr) return record;
  return read_at(person, keys, *next, name);
}

Error over() { return Error(Errc::expired, "the record's retention is over"); }

// Of several, the one that came furthest in the order of the rules.
struct Refusal {
  int reached = 0;
  std::optional<Error> why{};

  void note(int step, const Error& error) {
    if (step <= reached) return;
    reached = step;
    why = error;
  }
};

bool permits(const records::OpenRecord& record, subjects::PurposeNumber purpose) {
  const auto& permitted = record.fields.permitted;
  return mutant == Mutant::permission_not_asked ||
         std::find(permitted.begin(), permitted.end(), purpose) != permitted.end();
}

// Of the scope in use or its successor, and not over. Errors: expired.
Result<std::optional<records::OpenRecord>> read_own_scope(const Person& person,
                                                          const keyring::Keys& keys,
                                                          const keyring::Row& scope,
                                                          std::string_view name) {
  EFFACE_ASSIGN(auto record, read_scope(person, keys, scope, name));
  if (record && is_over(person, *record)) return over();
  return record;
}

// The purpose's own scope first; then the others in order of purpose, for a record that permits it
// and may be read. When there is none, the refusal that came furthest says why.
Result<std::optional<records::OpenRecord>> read_admitted(const Activity& activity,
                                                         const Person& person,
                                                         const keyring::Keys& keys,
                                                         std::string_view name) {
  if (const keyring::Row* own = keys.find(activity.purpose.number)) {
    EFFACE_ASSIGN(auto record, read_own_scope(person, keys, *own, name));
    if (record) return record;
  }
  Refusal refused;
  for (const keyring::Row& scope : keys.rows()) {
    if (!keyring::is_scope_in_use(scope.label) || scope.label == activity.purpose.number) continue;
    EFFACE_ASSIGN(const LegalBasis basis, activity.tenant->basis_of(scope.label));
    const auto closed = [&, open = check_basis(basis, &scope)](Errc why, Mutant broken) {
      return !open && open.error().code() == why && mutant != broken;
    };
    if (closed(Errc::consent_missing, Mutant::withdrawn_scope_read)) continue;  // It is not alive.
    auto record = read_scope(person, keys, scope, name);
    if (!record) {
      if (record.error().code() != Errc::expired) return record;
      refused.note(3, over());
      continue;
    }
    if (!*record) continue;
    if (!permits(**record, activity.purpose.number))
      refused.note(
          1, Error(Errc::purpose_not_permitted, "the record was collected for another purpose"));
    else if (closed(Errc::objected, Mutant::own_scope_not_asked))
      refused.note(2, Error(Errc::objected, "the person objected to what it was collected for"));
    else if (is_over(person, **record))
      refused.note(3, over());
    else
      return record;
  }
  if (refused.why) return *refused.why;
  return std::optional<records::OpenRecord>();
}

struct Named {
  codec::Plaintext name;
  std::string_view text() const noexcept { return as_text(name.bytes()); }
};

// The names at one handle that the options ask for. Expired records are passed over.
Status take_names(const Person& person, const keyring::Keys& keys, const keyring::Row& scope,
                  const ScanOptions& options, std::vector<Named>& into) {
  return person.home->region->vault->each(
      scope.handle, [&](const records::RecordKey& key, Bytes value) -> Status {
        const auto record = open_value(person, keys, scope, records::tag_of(key), value);
        if (!record && record.error().code() == Errc::expired) return {};
        EFFACE_TRY(record);
        const std::string_view name = as_text(record->fields.name);
        if (name.empty() || is_over(person, *record)) return {};  // Empty: the scope's summary.
        if (!name.starts_with(options.prefix)) return {};
        if (!options.after.empty() && name <= options.after) return {};
        Named& named = into.emplace_back(Named{codec::Plaintext(name.size())});
        std::copy(record->fields.name.begin(), record->fields.name.end(), named.name.data());
        return {};
      });
}

// Of the scope and, while it is re-keyed, of its successor: sorted, each once.
Result<std::vector<Named>> names_of(const Person& person, const keyring::Keys& keys,
                                    const keyring::Row& scope, const ScanOptions& options) {
  std::vector<Named> names;
  EFFACE_TRY(take_names(person, keys, scope, options, names));
  if (const keyring::Row* next = successor_of(keys, scope))
    EFFACE_TRY(take_names(person, keys, *next, options, names));
  std::sort(names.begin(), names.end(),
            [](const Named& a, const Named& b) { return a.text() < b.text(); });
  names.erase(std::unique(names.begin(), names.end(),
                          [](const Named& a, const Named& b) { return a.text() == b.text(); }),
              names.end());
  return names;
}

Status own_at(const Person& person, const keyring::Keys& keys, const keyring::Row& scope,
              std::string_view name, OwnRecord& own) {
  const Located place = locate(scope, name);
  EFFACE_TRY(person.home->region->vault->get(place.key, [&](Bytes value) -> Status {
    EFFACE_ASSIGN(own.record, open_value(person, keys, scope, place.tag, value));
    if (is_over(person, *own.record)) return over();
    own.key = place.key;
    std::ranges::copy(records::nonce_of(value), own.nonce.begin());
    return {};
  }));
  return {};
}

Status find_own(const Person& person, const keyring::Keys& keys, keyring::Label purpose,
                std::string_view name, OwnRecord& own) {
  const keyring::Row* scope = keys.find(purpose);
  if (scope == nullptr) return {};
  EFFACE_TRY(own_at(person, keys, *scope, name, own));
  const keyring::Row* next = successor_of(keys, *scope);
  if (own.record || next == nullptr) return {};
  return own_at(person, keys, *next, name, own);
}

}  // namespace

Located locate(const keyring::Row& scope, std::string_view name) noexcept {
  const Id16 tag = records::name_tag(scope, name);
  return {tag, records::record_key(scope.handle, tag)};
}

namespace {

// False: she was never held, and no hold can have kept a record of hers.
Result<bool> was_ever_held(const Person& person, const keyring::Keys& keys) {
  const keyring::Row* row = keys.find(keyring::person);
  if (row == nullptr) return true;
  EFFACE_ASSIGN(auto file, person.home->region->keyring->file(person.home->ref, *row));
  EFFACE_ASSIGN(const auto dossier, subjects::DossierFile::read(std::move(file)));
  return dossier.fields().last_hold != 0;
}

}  // namespace

Result<BucketKey> bucket_key_of(const Person& person, const keyring::Keys& keys,
                                records::Bucket bucket) {
  if (bucket == records::kept_by_hold) {
    const keyring::Row* hold = keys.find(keyring::hold_key);
    if (hold == nullptr) {
      EFFACE_ASSIGN(const bool ever, was_ever_held(person, keys));
      if (!ever) return Error(Errc::corruption, "a record is kept by a hold that never was");
      return Error(Errc::expired, "the hold that kept the record is released");
    }
    return BucketKey{nullptr, hold};
  }
  const TenantRegion& home = *person.home;
  EFFACE_ASSIGN(keyring::SharedKeys found,
                home.region->keyring->keys(home.buckets(), records::bucket_tag(bucket)));
  if (const keyring::Row* row = found->find(keyring::bucket_key))
    return BucketKey{std::move(found), row};
  // A bucket's key goes when its day is over, and the high-water mark says so: one of a later day
  // never was.
  EFFACE_ASSIGN(const records::Bucket mark, high_water_of(home));
  if (bucket > mark)
    return Error(Errc::corruption, "a record is of a retention bucket that never was");
  return Error(Errc::expired, "the record's retention is over");
}

Result<records::OpenRecord> open_value(const Person& person, const keyring::Keys& keys,
                                       const keyring::Row& scope, const Id16& tag, Bytes value) {
  const TenantRegion& home = *person.home;
  EFFACE_ASSIGN(const records::ClearHeader header, records::read_header(value));
  EFFACE_ASSIGN(const BucketKey bucket, bucket_key_of(person, keys, header.bucket));
  const records::ScopeKeys with{home.region->id, home.ref.number, keys,
                                scope,           header.bucket,   bucket.row->key.bytes()};
  return records::open_record(with, tag, value);
}

bool is_over(const Person& person, const records::OpenRecord& record) {
  const std::int64_t expires = record.fields.expires_ms;
  return mutant != Mutant::expiry_not_seen && expires != 0 &&
         records::to_ms(person.tenant->now()) >= expires;
}

Result<std::optional<records::OpenRecord>> read(const Activity& activity, const Person& person,
                                                RecordName name) {
  EFFACE_TRY(subjects::check_name(name));
  return look_until_still(activity, person, [&](const keyring::Keys& keys) {
    return followed(person, read_admitted(activity, person, keys, name.text));
  });
}

Result<ScanEnd> scan(const Activity& activity, const Person& person, const ScanOptions& options,
                     bool with_values, FunctionRef<Flow(std::string_view name, Bytes value)> each) {
  using Records = std::optional<records::OpenRecord>;
  const keyring::Label purpose = activity.purpose.number;
  EFFACE_ASSIGN(const std::vector<Named> names,
                look_until_still(activity, person, [&](const keyring::Keys& keys) {
                  const keyring::Row* scope = keys.find(purpose);
                  return scope != nullptr ? names_of(person, keys, *scope, options)
                                          : Result<std::vector<Named>>(std::vector<Named>());
                }));
  std::size_t told = 0;
  for (const Named& named : names) {
    if (told == options.limit) return ScanEnd::limit;
    // No transaction is open while the caller looks, so each record is found afresh.
    Records record;
    if (!with_values) {
      EFFACE_TRY(admit(activity, person, Use::read));
    } else {
      auto found = look_until_still(activity, person, [&](const keyring::Keys& keys) {
        const keyring::Row* scope = keys.find(purpose);
        if (scope == nullptr) return Result<Records>(Records());
        return followed(person, read_own_scope(person, keys, *scope, named.text()));
      });
      if (!found) {
        if (found.error().code() == Errc::expired) continue;
        return found.error();
      }
      record = *std::move(found);
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
  return look_until_still(activity, person, [&](const keyring::Keys& keys) -> Result<OwnRecord> {
    OwnRecord own;
    EFFACE_TRY(find_own(person, keys, activity.purpose.number, name.text, own));
    if (own.record && !own.record->fields.shared.empty())
      return Error(Errc::conflict, "a record of several people is replaced by put_shared");
    return own;
  });
}

}  // namespace efface::access
