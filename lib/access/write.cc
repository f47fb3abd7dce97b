// Sealing on the caller's thread, and deciding again when what was sealed is stored.
#include <algorithm>

#include "access/access.h"
#include "access/relaxed.h"
#include "access/shared.h"
#include "access/summary.h"
#include "base/check.h"
#include "efface/limits.h"

namespace efface::access {
namespace {

constexpr int summary_races_max = 64;

// Where a purpose's records are written: while its scope is re-keyed, into the successor.
const keyring::Row* scope_for_writing(const keyring::Keys& keys, keyring::Label purpose) noexcept {
  const keyring::Row* next = keys.find(keyring::scope_label(purpose, keyring::successor));
  return next != nullptr ? next : keys.find(purpose);
}

SummaryChange& note_scope(SealedWrites& into, const Person& person, const keyring::Row& scope,
                          const Admission& admission) {
  into.removals = std::min(into.removals, admission.removals);
  // Batches go person by person: looking at the last is nearly always enough.
  for (std::size_t i = into.scopes.size(); i-- > 0 && i + 8 >= into.scopes.size();)
    if (into.scopes[i].handle == scope.handle) return into.scopes[i].summary;
  return into.scopes.emplace_back(SealedWrites::Scope{person, scope.handle, {}}).summary;
}

void note_bucket(SealedWrites& into, records::Bucket bucket) {
  if (std::ranges::find(into.buckets, bucket) == into.buckets.end()) into.buckets.push_back(bucket);
}

void note_summary(SummaryChange& summary, records::Bucket bucket, const PutTerms& terms) {
  summary.any = true;
  summary.automated = summary.automated || terms.automated_decision;
  summary.earliest = std::min(summary.earliest, bucket);
  summary.latest = std::max(summary.latest, bucket);
  for (const std::string_view recipient : terms.recipients)
    if (std::ranges::find(summary.recipients, recipient) == summary.recipients.end())
      summary.recipients.emplace_back(recipient);
}

// While a scope is re-keyed, what is written into its successor leaves the scope itself.
void leave_old_place(const keyring::Keys& keys, const keyring::Row& written, RecordName name,
                     SealedWrites& into) {
  if (keyring::incarnation_of(written.label) != keyring::successor) return;
  const keyring::Row* old = keys.find(keyring::purpose_of(written.label));
  if (old == nullptr) return;
  records::Change gone;
  gone.key = locate(*old, name.text).key;
  into.changes.push_back(std::move(gone));
}

Status check_terms(const PutTerms& terms) {
  EFFACE_TRY(subjects::check_text(terms.origin, limits::label_bytes_max, subjects::Empty::allowed));
  if (terms.recipients.size() > limits::recipients_per_record_max)
    return Error(Errc::too_large, "a record has at most 16 recipients");
  for (const std::string_view recipient : terms.recipients)
    EFFACE_TRY(subjects::check_text(recipient, limits::label_bytes_max, subjects::Empty::refused));
  return {};
}

Status make_room(const SealedWrites& into, std::size_t bytes) {
  if (into.changes.size() >= limits::batch_records_max ||
      bytes > limits::batch_bytes_max - into.bytes)
    return Error(Errc::too_large, "a batch holds at most 65,536 records and 64 MiB");
  return {};
}

}  // namespace

Result<records::Bucket> bucket_of(const Activity& activity, std::optional<Days> shorter) {
  const std::optional<Days>& longest = activity.purpose.terms.retention;
  if (shorter && (shorter->count() == 0 || shorter->count() > limits::retention_days_max ||
                  (longest && *shorter > *longest)))
    return Error(Errc::invalid_argument, "a record's retention is 1 day to its purpose's");
  const std::optional<Days>& days = shorter ? shorter : longest;
  if (!days) return records::never;
  return records::bucket_after(activity.tenant->now(), days->count());
}

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

Status seal_put(const Activity& activity, const Person& person, RecordName name, Bytes value,
                const PutTerms& terms, SealedWrites& into) {
  EFFACE_TRY(subjects::check_name(name));
  if (value.size() > limits::value_bytes_max)
    return Error(Errc::too_large, "a value is larger than 16 MiB");
  EFFACE_TRY(check_terms(terms));
  EFFACE_ASSIGN(const Admission admission, admit(activity, person, Use::write));
  EFFACE_ASSIGN(const records::Bucket bucket, bucket_of(activity, terms.retention));
  EFFACE_ASSIGN(const keyring::SharedKeys bucket_keys,
                bucket_for_writing(*person.tenant, *person.home, bucket));
  EFFACE_ASSIGN(const keyring::SharedKeys keys, keys_with_scope(activity, person, admission));
  const keyring::Row& scope = *scope_for_writing(*keys, activity.purpose.number);

  codec::RecordFields fields;
  fields.name = as_bytes(name.text);
  fields.value = value;
  fields.written_ms = records::to_ms(activity.tenant->now());
  fields.expires_ms = records::expiry_ms(bucket);
  fields.permitted = terms.also_permitted;
  fields.origin = terms.origin;
  fields.recipients.assign(terms.recipients.begin(), terms.recipients.end());
  fields.automated_decision = terms.automated_decision;
  fields.shared = terms.shared;
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
  note_summary(note_scope(into, person, scope, admission), bucket, terms);
  note_bucket(into, bucket);
  into.changes.push_back(std::move(change));
  leave_old_place(*keys, scope, name, into);
  return {};
}

Status seal_remove(const Activity& activity, const Person& person, RecordName name,
                   SealedWrites& into) {
  EFFACE_TRY(subjects::check_name(name));
  EFFACE_ASSIGN(const Admission admission, admit(activity, person, Use::write));
  const keyring::Row* scope = scope_for_writing(*admission.keys, activity.purpose.number);
  if (scope == nullptr) return {};  // She has no such scope, so no such record.
  EFFACE_TRY(make_room(into, 0));
  records::Change change;
  change.key = records::record_key(scope->handle, records::name_tag(*scope, name.text));
  note_scope(into, person, *scope, admission);
  into.changes.push_back(std::move(change));
  leave_old_place(*admission.keys, *scope, name, into);
  return {};
}

// Under the records lock, or the queue's.
Status still_valid(const Activity& activity, const TenantRegion& region,
                   const SealedWrites& writes) {
  if (region.region->keyring->removals() == writes.removals) return {};
  for (const SealedWrites::Scope& scope : writes.scopes) {
    EFFACE_ASSIGN(const Admission now, admit(activity, scope.person, Use::write));
    const keyring::Row* row = scope_for_writing(*now.keys, activity.purpose.number);
    if (row == nullptr || row->handle != scope.handle)
      return Error(Errc::conflict, "the scope was re-keyed since the record was sealed");
  }
  for (const records::Bucket bucket : writes.buckets) EFFACE_TRY(bucket_is_there(region, bucket));
  return {};
}

Status seal_summaries(const Activity& activity, const SealedWrites& writes,
                      std::vector<records::Change>& into) {
  for (const SealedWrites::Scope& scope : writes.scopes) {
    if (!scope.summary.any) continue;
    EFFACE_ASSIGN(const Admission now, admit(activity, scope.person, Use::write));
    const keyring::Row* row = now.keys->find(activity.purpose.number);
    if (row == nullptr)
      return Error(Errc::conflict, "the scope was re-keyed since the record was sealed");
    EFFACE_TRY(seal_summary(scope.person, *now.keys, *row, scope.summary, into));
  }
  return {};
}

// The summaries are sealed for what they were read as: who loses a race for one seals it again.
Status commit(const Activity& activity, const TenantRegion& region, SealedWrites& writes,
              Durability durability) {
  EFFACE_TRY(activity.tenant->check_here());
  if (writes.changes.empty()) return {};
  if (durability == Durability::relaxed) {
    EFFACE_ASSIGN(const bool waits, leave_waiting(activity, region, writes));
    if (waits) return {};
  }
  const std::size_t sealed = writes.changes.size();
  for (int attempt = 0;; ++attempt) {
    EFFACE_TRY(seal_summaries(activity, writes, writes.changes));
    const bool with_summaries = writes.changes.size() > sealed;
    bool overtaken = false;
    const Status stored = region.region->vault->commit(
        writes.changes, records::to_ms(activity.tenant->now()), [&]() -> Status {
          const Status valid = still_valid(activity, region, writes);
          overtaken = !valid;
          return valid;
        });
    writes.changes.resize(sealed);
    if (stored) EFFACE_TRY(note_links_gone(activity, writes));
    const bool raced = !stored && !overtaken && with_summaries &&
                       stored.error().code() == Errc::conflict && attempt < summary_races_max;
    if (!raced) return stored;
  }
}

}  // namespace efface::access
