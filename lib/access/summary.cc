#include "access/summary.h"

#include <algorithm>

#include "base/check.h"
#include "efface/limits.h"

namespace efface::access {
namespace {

constexpr std::size_t days_bytes = 8;  // earliest 4 | latest 4
constexpr std::int64_t day_ms = 86'400'000;

struct Stored {
  Summary summary;
  records::RecordKey key{};
  std::optional<std::array<std::byte, crypto::nonce_bytes>> nonce{};
};

Status take(records::OpenRecord record, Summary& into) {
  if (record.fields.value.size() != days_bytes)
    return Error(Errc::corruption, "a scope's summary has another size");
  into.earliest = load_le<std::uint32_t>(record.fields.value.data());
  into.latest = load_le<std::uint32_t>(record.fields.value.data() + 4);
  into.recipients = std::move(record.fields.recipients);
  into.automated = record.fields.automated_decision;
  into.written_day = static_cast<std::uint32_t>(record.fields.written_ms / day_ms);
  into.plain = std::move(record.plain);
  return {};
}

Result<Stored> read_at(const Person& person, const keyring::Keys& keys, const keyring::Row& scope) {
  const Located at = locate(scope, "");
  Stored stored;
  stored.key = at.key;
  EFFACE_TRY(person.home->region->vault->get(at.key, [&](Bytes value) -> Status {
    EFFACE_ASSIGN(records::OpenRecord record, open_value(person, keys, scope, at.tag, value));
    std::ranges::copy(records::nonce_of(value), stored.nonce.emplace().begin());
    return take(std::move(record), stored.summary);
  }));
  return stored;
}

// The scope that is written into: its successor while it is re-keyed.
const keyring::Row* successor_of(const keyring::Keys& keys, const keyring::Row& scope) noexcept {
  if (keyring::incarnation_of(scope.label) != 0) return nullptr;
  return keys.find(keyring::scope_label(scope.label, keyring::successor));
}

void expect(records::Change& change, const Stored& stored) {
  change.expect = stored.nonce ? records::Change::Expect::nonce : records::Change::Expect::absent;
  if (stored.nonce) change.nonce = *stored.nonce;
}

keyring::Keys::Noted noted_of(const Summary& summary) {
  return {summary.written_day, summary.earliest, summary.latest, summary.automated};
}

SummaryChange as_change(const Summary& summary) {
  SummaryChange change;
  change.any = true;
  change.automated = summary.automated;
  change.earliest = summary.earliest;
  change.latest = summary.latest;
  change.recipients.assign(summary.recipients.begin(), summary.recipients.end());
  return change;
}

}  // namespace

Result<SummaryChange> summary_as_change(records::OpenRecord record) {
  Summary summary;
  EFFACE_TRY(take(std::move(record), summary));
  return as_change(summary);
}

Result<Summary> read_summary(const Person& person, const keyring::Keys& keys,
                             const keyring::Row& scope) {
  const keyring::Row* next = successor_of(keys, scope);
  for (const keyring::Row* row : {&scope, next})  // What waits has no summary yet.
    if (row != nullptr) EFFACE_TRY(person.home->region->vault->commit_waiting(row->handle));
  EFFACE_ASSIGN(Stored stored, read_at(person, keys, scope));
  if (stored.nonce || next == nullptr) return std::move(stored.summary);
  EFFACE_ASSIGN(stored, read_at(person, keys, *next));
  return std::move(stored.summary);
}

Result<SummaryChange> summary_of(const Person& person, const keyring::Keys& keys,
                                 const keyring::Row& scope) {
  EFFACE_ASSIGN(const Stored stored, read_at(person, keys, scope));
  return stored.nonce ? as_change(stored.summary) : SummaryChange{};
}

Status seal_summary(const Person& person, const keyring::Keys& keys, const keyring::Row& scope,
                    const SummaryChange& change, std::vector<records::Change>& into) {
  if (!change.any) return {};
  const auto now_ms = records::to_ms(person.tenant->now());
  const auto today = static_cast<std::uint32_t>(std::max<std::int64_t>(0, now_ms / day_ms));
  const keyring::Row* next = successor_of(keys, scope);
  const keyring::Row& at = next != nullptr ? *next : scope;
  const auto says_all = [&](const keyring::Keys::Noted& noted) {
    return today <= noted.day && change.earliest >= noted.earliest &&
           change.latest <= noted.latest && (!change.automated || noted.automated);
  };
  const auto noted = keys.noted(at.handle);
  if (noted && says_all(*noted) && change.recipients.empty()) return {};

  EFFACE_ASSIGN(const Stored old, read_at(person, keys, scope));
  Stored present;
  if (next != nullptr) {
    EFFACE_ASSIGN(present, read_at(person, keys, *next));
  }
  const Stored& there = old.nonce || next == nullptr ? old : present;
  const Summary& before = there.summary;
  std::vector<std::string_view> recipients = before.recipients;
  for (const std::string& recipient : change.recipients)
    if (std::ranges::find(recipients, recipient) == recipients.end())
      recipients.push_back(recipient);
  if (recipients.size() > limits::recipients_per_scope_max)
    return Error(Errc::too_large, "a scope is disclosed to at most 256 recipients");
  const keyring::Keys::Noted after{
      std::max(today, before.written_day), std::min(change.earliest, before.earliest),
      std::max(change.latest, before.latest), change.automated || before.automated};
  if (there.nonce && after == noted_of(before) && recipients.size() == before.recipients.size()) {
    keys.note(at.handle, after);
    return {};
  }

  std::array<std::byte, days_bytes> days;
  store_le(days.data(), after.earliest);
  store_le(days.data() + 4, after.latest);
  codec::RecordFields fields;
  fields.value = days;
  fields.written_ms = std::int64_t{after.day} * day_ms;
  fields.recipients = recipients;
  fields.automated_decision = after.automated;
  EFFACE_ASSIGN(const auto bucket,
                bucket_for_writing(*person.tenant, *person.home, records::never));
  const TenantRegion& home = *person.home;
  const records::ScopeKeys with{home.region->id,
                                home.ref.number,
                                keys,
                                at,
                                records::never,
                                bucket->find(keyring::bucket_key)->key.bytes()};
  const Located place = locate(at, "");
  records::Change put;
  put.key = place.key;
  put.value = records::seal_record(with, place.tag, fields, false);
  put.is_data = false;
  expect(put, next != nullptr ? present : old);
  into.push_back(std::move(put));
  if (next != nullptr && old.nonce) {
    records::Change gone;
    gone.key = old.key;
    gone.is_data = false;
    expect(gone, old);
    into.push_back(std::move(gone));
  }
  return {};
}

}  // namespace efface::access
