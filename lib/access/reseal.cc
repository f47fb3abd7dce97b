#include "access/reseal.h"

#include "access/processes.h"
#include "base/check.h"

namespace efface::access {
namespace {

constexpr int races_max = 64;

// A record as it stands, and what it was sealed for.
struct Sealed {
  records::RecordKey key;
  std::vector<std::byte> value;
};

// Up to records_max of a handle that which() names, from one snapshot.
Result<std::vector<Sealed>> take(records::Vault& vault, const keyring::Handle& handle,
                                 std::size_t records_max,
                                 FunctionRef<bool(const records::ClearHeader&)> which) {
  std::vector<Sealed> found;
  EFFACE_TRY(vault.each(handle, [&](const records::RecordKey& key, Bytes value) -> Status {
    if (found.size() == records_max) return {};
    EFFACE_ASSIGN(const records::ClearHeader header, records::read_header(value));
    if (which(header)) found.push_back({key, {value.begin(), value.end()}});
    return {};
  }));
  return found;
}

records::Change removal_of(const Sealed& from) {
  records::Change gone;
  gone.key = from.key;
  gone.is_data = false;  // What it leaves in free pages dies with the key that is left.
  gone.expect = records::Change::Expect::nonce;
  std::ranges::copy(records::nonce_of(from.value), gone.nonce.begin());
  return gone;
}

// Seals a record of one scope for another place. Nothing: its bucket is destroyed.
Result<std::optional<records::Change>> sealed_for(const Person& person, const keyring::Keys& keys,
                                                  const keyring::Row& from, const keyring::Row& to,
                                                  std::optional<records::Bucket> bucket,
                                                  const Sealed& sealed) {
  const auto opened = open_value(person, keys, from, records::tag_of(sealed.key), sealed.value);
  if (!opened && opened.error().code() == Errc::expired) return std::optional<records::Change>();
  EFFACE_TRY(opened);
  const records::ClearHeader header = records::read_header(sealed.value).value();
  const records::Bucket into = bucket.value_or(header.bucket);
  const auto key = bucket_key_of(person, keys, into);
  EFFACE_TRY(key);
  const records::ScopeKeys with{person.home->region->id, person.home->ref.number, keys, to, into,
                                key->row->key.bytes()};
  const Located at = locate(to, as_text(opened->fields.name));
  records::Change put;
  put.key = at.key;
  put.value = records::seal_record(with, at.tag, opened->fields,
                                   (header.flags & records::flag_compressed) != 0);
  // What it overwrites, after a merge, was sealed for the key that stays: it is residue.
  return std::optional<records::Change>(std::move(put));
}

Person person_at(const std::shared_ptr<TenantState>& tenant, const TenantRegion& home,
                 const keyring::Tag& tag, const keyring::Keys& keys) {
  return {tenant, &home, tag, keys.find(keyring::person)->handle};
}

Status store(const Person& person, std::span<records::Change> changes) {
  return person.home->region->vault->commit(changes, records::to_ms(person.tenant->now()),
                                            []() -> Status { return {}; });
}

// Moves what is left of a scope into its successor. Errors: conflict when writers kept winning.
Status move_records(const std::shared_ptr<TenantState>& tenant, const TenantRegion& home,
                    const ScopePlace& scope, std::size_t records_max) {
  int races = 0;
  for (;;) {
    EFFACE_ASSIGN(const keyring::SharedKeys keys,
                  home.region->keyring->keys(home.people(), scope.tag));
    const keyring::Row* from = keys->find(scope.purpose);
    const keyring::Row* to = keys->find(keyring::scope_label(scope.purpose, keyring::successor));
    if (keys->find(keyring::person) == nullptr || from == nullptr || to == nullptr) return {};
    const Person person = person_at(tenant, home, scope.tag, *keys);
    EFFACE_ASSIGN(const std::vector<Sealed> found,
                  take(*home.region->vault, from->handle, records_max,
                       [](const records::ClearHeader&) { return true; }));
    if (found.empty()) return {};
    std::vector<records::Change> changes;
    for (const Sealed& sealed : found) {
      EFFACE_ASSIGN(auto put, sealed_for(person, *keys, *from, *to, std::nullopt, sealed));
      // Who writes in between takes the old record away, and the removal then finds it gone.
      if (put) changes.push_back(*std::move(put));
      changes.push_back(removal_of(sealed));
    }
    const Status moved = store(person, changes);
    if (moved) continue;
    if (moved.error().code() != Errc::conflict || ++races == races_max) return moved;
  }
}

// Makes the successors that are missing. Answers which scopes have one. Not for a scope whose
// consent is withdrawn: only a hold keeps it, and the release will ask for it by its handle.
Result<std::vector<ScopePlace>> make_successors(const TenantState& tenant, const TenantRegion& home,
                                                std::span<const ScopePlace> scopes) {
  keyring::Keyring& keyring = *home.region->keyring;
  std::vector<ScopePlace> started;
  std::vector<keyring::Amend> amends;
  EFFACE_ASSIGN(const auto held, keyring.lock());
  for (const ScopePlace& scope : scopes) {
    EFFACE_ASSIGN(const keyring::SharedKeys keys, keyring.keys(home.people(), scope.tag));
    const keyring::Row* row = keys->find(scope.purpose);
    if (row == nullptr || keys->find(keyring::person) == nullptr) continue;
    EFFACE_ASSIGN(const LegalBasis basis, tenant.basis_of(scope.purpose));
    if (basis == LegalBasis::consent && (row->flags & keyring::flag_granted) == 0) continue;
    started.push_back(scope);
    const keyring::Label label = keyring::scope_label(scope.purpose, keyring::successor);
    if (keys->find(label) != nullptr) continue;
    keyring::Amend& amend = amends.emplace_back();
    amend.tag = scope.tag;
    amend.changes = {{.label = label, .set = row->flags, .aux = row->aux + 1, .make = true}};
  }
  if (!amends.empty()) EFFACE_TRY(keyring.amend(held, home.people(), amends));
  return started;
}

}  // namespace

Result<std::size_t> rekey(const std::shared_ptr<TenantState>& tenant, const TenantRegion& home,
                          std::span<const ScopePlace> scopes, std::size_t records_per_commit_max) {
  EFFACE_ASSIGN(const Resealing alone, reseal(*home.region));
  const records::Vault::Settled settled(*home.region->vault);
  EFFACE_ASSIGN(const std::vector<ScopePlace> started, make_successors(*tenant, home, scopes));
  home.region->vault->barrier();  // What was sealed for the old scopes is refused from here on.
  for (const ScopePlace& scope : started)
    EFFACE_TRY(move_records(tenant, home, scope, records_per_commit_max));
  keyring::Keyring& keyring = *home.region->keyring;
  std::vector<keyring::Removal> removals;
  std::vector<keyring::Handle> left;
  EFFACE_ASSIGN(const auto held, keyring.lock());
  for (const ScopePlace& scope : started) {
    EFFACE_ASSIGN(const keyring::SharedKeys keys, keyring.keys(home.people(), scope.tag));
    const keyring::Row* row = keys->find(scope.purpose);
    const keyring::Row* next = keys->find(keyring::scope_label(scope.purpose, keyring::successor));
    if (row == nullptr || next == nullptr) continue;
    left.push_back(row->handle);
    keyring::Removal& removal = removals.emplace_back();
    removal.tenant = home.ref;
    removal.what = keyring::Removal::What::replaced;
    removal.tag = scope.tag;
    removal.label = scope.purpose;
    ledger::Entry& decision = removal.decisions.emplace_back();
    decision.kind = ledger::Kind::rekeyed;
    decision.purpose = scope.purpose;
    decision.actor = "efface";
  }
  EFFACE_TRY(keyring.erase(held, removals));
  // Nothing stands at the old handles but the counts of their residue, which is shredded now.
  for (const keyring::Handle& handle : left)
    EFFACE_TRY(home.region->vault->remove_some(handle, records_per_commit_max));
  return removals.size();
}

Result<std::size_t> keep_by_hold(const std::shared_ptr<TenantState>& tenant,
                                 const TenantRegion& home, const keyring::Tag& tag,
                                 records::Bucket last_day, std::size_t records_per_commit_max) {
  std::size_t kept = 0;
  EFFACE_ASSIGN(const keyring::SharedKeys keys, home.region->keyring->keys(home.people(), tag));
  if (keys->find(keyring::person) == nullptr) return kept;
  const Person person = person_at(tenant, home, tag, *keys);
  const auto is_due = [&](const records::ClearHeader& header) { return header.bucket <= last_day; };
  for (const keyring::Row& scope : keys->rows()) {
    if (!keyring::is_scope(scope.label)) continue;
    for (int races = 0;;) {
      EFFACE_ASSIGN(const std::vector<Sealed> found,
                    take(*home.region->vault, scope.handle, records_per_commit_max, is_due));
      if (found.empty()) break;
      std::vector<records::Change> changes;
      for (const Sealed& sealed : found) {
        EFFACE_ASSIGN(auto put,
                      sealed_for(person, *keys, scope, scope, records::kept_by_hold, sealed));
        records::Change change = removal_of(sealed);  // Of one whose bucket went before the hold.
        if (put) {
          change.value = std::move(put->value);
          ++kept;
        }
        changes.push_back(std::move(change));
      }
      const Status stored = store(person, changes);
      if (!stored && (stored.error().code() != Errc::conflict || ++races == races_max))
        return stored.error();
    }
  }
  return kept;
}

Result<std::size_t> drop_kept(const Person& person, std::size_t records_per_commit_max) {
  std::size_t dropped = 0;
  EFFACE_ASSIGN(const keyring::SharedKeys keys, keys_of(person));
  for (const keyring::Row& scope : keys->rows()) {
    if (!keyring::is_scope(scope.label)) continue;
    for (;;) {
      EFFACE_ASSIGN(const std::vector<Sealed> found,
                    take(*person.home->region->vault, scope.handle, records_per_commit_max,
                         [](const records::ClearHeader& header) {
                           return header.bucket == records::kept_by_hold;
                         }));
      if (found.empty()) break;
      std::vector<records::Change> changes;
      for (const Sealed& sealed : found) changes.push_back(removal_of(sealed));
      const Status stored = store(person, changes);
      if (!stored && stored.error().code() != Errc::conflict) return stored.error();
      dropped += found.size();
    }
  }
  return dropped;
}

}  // namespace efface::access
