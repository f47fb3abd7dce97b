#include "rights/identity.h"

#include <algorithm>

#include "access/admission.h"
#include "access/copy.h"
#include "access/person_records.h"
#include "access/processes.h"
#include "access/reseal.h"
#include "access/summary.h"
#include "base/check.h"
#include "efface/limits.h"
#include "rights/decision.h"
#include "rights/sealing.h"

namespace efface::rights {
namespace {

using access::TenantRegion;
using keyring::Label;
using keyring::Removal;
using keyring::Row;

bool has(const Row& row, std::uint16_t flag) noexcept { return (row.flags & flag) != 0; }

// What a person last said about a purpose that rests on consent.
enum class Consent : std::uint8_t { never_asked, granted, withdrawn };

Consent last_consent(const DossierFile& dossier, Label purpose) {
  Consent last = Consent::never_asked;
  for (const codec::EventFields& event : dossier.fields().events) {
    if (event.purpose != purpose) continue;
    if (event.kind == static_cast<std::uint8_t>(EventKind::consent_granted))
      last = Consent::granted;
    if (event.kind == static_cast<std::uint8_t>(EventKind::consent_withdrawn))
      last = Consent::withdrawn;
  }
  return last;
}

Status check_consents_agree(const subjects::Terms& terms, const OnFile& into, const OnFile& from) {
  for (const subjects::NumberedPurpose& purpose : terms.purposes) {
    const Consent a = last_consent(into.dossier, purpose.number);
    const Consent b = last_consent(from.dossier, purpose.number);
    if (a != b && a != Consent::never_asked && b != Consent::never_asked)
      return Error(Errc::conflict, "one of them consents to what the other withdrew");
  }
  return {};
}

Status check_free(const OnFile& on_file) {
  EFFACE_TRY(check_stays(on_file));
  if (on_file.has(keyring::flag_held))
    return Error(Errc::legal_hold, "a legal hold keeps one of them as she is");
  for (const Row& row : on_file.keys->rows())
    if ((row.label & ~keyring::purpose_mask) == keyring::shared_count && row.aux != 0)
      return Error(Errc::conflict, "one of them has records that others share");
  if (on_file.keys->find(keyring::suppression) != nullptr)
    return Error(Errc::suppressed, "one of them is suppressed");
  return {};
}

// Ends what a re-keying left half done: a scope has one successor at a time.
Status end_rekeying(const Acting& acting, const Person& person) {
  EFFACE_ASSIGN(const keyring::SharedKeys keys, access::keys_of(person));
  std::vector<access::ScopePlace> scopes;
  for (const Row& row : keys->rows())
    if (keyring::is_scope(row.label) && keyring::incarnation_of(row.label) == keyring::successor)
      scopes.push_back({person.tag, keyring::purpose_of(row.label)});
  if (scopes.empty()) return {};
  EFFACE_TRY(access::rekey(acting.tenant, *person.home, scopes, records_per_commit));
  return {};
}

// Steps 1 and 2, the rows.
Status begin(const Acting& acting, const Person& into, const Person& from) {
  const TenantRegion& home = *into.home;
  EFFACE_ASSIGN(const auto held, home.region->keyring->lock());
  EFFACE_ASSIGN(const OnFile one, read_file(acting, into));
  EFFACE_ASSIGN(const OnFile other, read_file(acting, from));
  EFFACE_TRY(check_free(one));
  EFFACE_TRY(check_free(other));
  if (has_bytes_sealed(*other.keys))
    return Error(Errc::conflict, "one of them has bytes sealed elsewhere, which cannot follow");
  EFFACE_TRY(check_consents_agree(acting.tenant->terms(), one, other));
  for (const Row& row : one.keys->rows())
    if (keyring::incarnation_of(row.label) == keyring::arriving_scope)
      return Error(Errc::conflict, "another merge into the same person is not through");
  if (one.dossier.fields().aliases.size() + other.dossier.fields().aliases.size() + 1 >
      limits::identifiers_per_subject_max)
    return Error(Errc::too_large, "a person has at most 64 further identifiers");
  std::array<keyring::Amend, 2> amends;
  amends[0].tag = from.tag;
  amends[0].changes = {{.label = keyring::person, .set = keyring::flag_moving},
                       {.label = keyring::merging_row, .make = true, .handle = into.tag}};
  amends[1].tag = into.tag;
  for (const Row& row : other.keys->rows())
    if (keyring::is_scope_in_use(row.label))
      amends[1].changes.push_back(
          {.label = keyring::scope_label(row.label, keyring::arriving_scope),
           .set = row.flags,
           .aux = access::first_generation,
           .make = true});
  return home.region->keyring->amend(held, home.people(), amends);
}

// Of the person who stays: the scopes that waited are hers.
std::vector<keyring::RowChange> changes_of(const OnFile& into, const OnFile& from) {
  std::vector<keyring::RowChange> changes;
  keyring::RowChange person{.label = keyring::person,
                            .aux = into.person().aux + from.person().aux + 1};
  if (from.has(keyring::flag_restricted)) person.set = keyring::flag_restricted;
  changes.push_back(person);
  for (const Row& row : into.keys->rows()) {
    if (keyring::incarnation_of(row.label) != keyring::arriving_scope) continue;
    const Label purpose = keyring::purpose_of(row.label);
    const Row* own = into.keys->find(purpose);
    changes.push_back(
        {.label = row.label,
         .move_to = own == nullptr ? purpose : keyring::scope_label(purpose, keyring::successor)});
    // The stricter of the two holds.
    if (own != nullptr && has(row, keyring::flag_objected))
      changes.push_back({.label = purpose, .set = keyring::flag_objected});
  }
  return changes;
}

// Step 3.
Result<Erasure> commit(const Acting& acting, const Person& into, const Person& from) {
  const TenantRegion& home = *into.home;
  EFFACE_ASSIGN(const codec::Plaintext first, access::id_of(from));
  EFFACE_ASSIGN(const auto held, home.region->keyring->lock());
  EFFACE_ASSIGN(OnFile one, read_file(acting, into));
  EFFACE_ASSIGN(const OnFile other, read_file(acting, from));
  EFFACE_TRY(check_free(one));
  EFFACE_TRY(check_consents_agree(acting.tenant->terms(), one, other));  // She may have withdrawn.
  for (const Row& row : one.keys->rows())
    if (keyring::is_scope(row.label) && keyring::incarnation_of(row.label) == keyring::successor)
      return Error(Errc::conflict, "a scope is being re-keyed: try again");
  one.dossier.take_over(other.dossier.fields());
  one.dossier.add_event(EventKind::merged, 0, acting.tenant->now(), acting.actor);
  EFFACE_TRY(one.dossier.add_alias(first.bytes()));

  std::vector<Removal> removals(2);
  removals[0] = removal_of(from, Removal::What::subject);
  removals[0].despite_transfer = true;
  removals[0].changes = {{.label = keyring::alias_row, .make = true, .handle = into.tag}};
  for (const Bytes alias : other.dossier.fields().aliases) {
    EFFACE_TRY(one.dossier.add_alias(alias));
    Removal& moved = removals.emplace_back();
    moved.tenant = home.ref;
    moved.what = Removal::What::alias;
    EFFACE_ASSIGN(moved.tag, access::tag_of(home, SubjectId(as_text(alias))));
    moved.only_if_handle = from.tag;
    moved.changes = {{.label = keyring::alias_row, .make = true, .handle = into.tag}};
  }
  const codec::Plaintext file = one.dossier.encode();
  removals[1] = removal_of(into, Removal::What::rows);
  removals[1].changes = changes_of(one, other);
  removals[1].file = file.bytes();
  const ReceiptOptions plain;
  EFFACE_TRY(bind({acting, ledger::Kind::merged, plain}, home, SubjectId(as_text(first.bytes())),
                  removals[0]));
  const auto outcome = home.region->keyring->erase(held, removals);
  Erasure erasure;
  EFFACE_TRY(count(home, {removals.data(), 1}, outcome, erasure));
  erasure.erased = 1;
  return erasure;
}

// Step 4.
Status join_scopes(const Acting& acting, const Person& into) {
  EFFACE_ASSIGN(const keyring::SharedKeys keys, access::keys_of(into));
  std::vector<records::Change> changes;
  for (const Row& row : keys->rows()) {
    const Row* next = keys->find(keyring::scope_label(row.label, keyring::successor));
    if (!keyring::is_scope_in_use(row.label) || next == nullptr) continue;
    EFFACE_ASSIGN(const access::SummaryChange more, access::summary_of(into, *keys, *next));
    EFFACE_TRY(access::seal_summary(into, *keys, row, more, changes));
  }
  if (!changes.empty())
    EFFACE_TRY(into.home->region->vault->commit(changes, records::to_ms(acting.tenant->now()),
                                                []() -> Status { return {}; }));
  return end_rekeying(acting, into);
}

}  // namespace

Status add_identifier(const Acting& acting, const Person& person, SubjectId further) {
  EFFACE_TRY(subjects::check_id(further));
  static_cast<void>(access::find_person(acting.tenant, further));  // Ends what a crash left.
  EFFACE_ASSIGN(const access::AllLocks held, access::lock_all(*acting.tenant));
  const auto known = access::find_person(acting.tenant, further);
  if (known)
    return known->handle == person.handle ? Status()
                                          : Status(Error(Errc::exists, "somebody has that id"));
  if (known.error().code() != Errc::subject_unknown) return known.error();
  EFFACE_ASSIGN(OnFile on_file, read_file(acting, person));
  EFFACE_TRY(check_stays(on_file));
  EFFACE_TRY(on_file.dossier.add_alias(as_bytes(further.text)));
  on_file.dossier.add_event(EventKind::identifier_added, 0, acting.tenant->now(), acting.actor);
  const codec::Plaintext file = on_file.dossier.encode();
  const TenantRegion& home = *person.home;
  std::array<keyring::Amend, 2> amends;
  amends[0].tag = person.tag;
  amends[0].changes = {{.label = keyring::person, .aux_more = 1}};
  amends[0].decisions = {decision(acting, ledger::Kind::identifier_added)};
  amends[0].file = file.bytes();
  EFFACE_ASSIGN(amends[1].tag, access::tag_of(home, further));
  amends[1].changes = {{.label = keyring::alias_row, .make = true, .handle = person.tag}};
  const auto at_home = static_cast<std::size_t>(&home - acting.tenant->regions().data());
  return home.region->keyring->amend(held[at_home], home.people(), amends);
}

Result<Erasure> merge(const Acting& acting, const Person& into, const Person& from) {
  if (into.home != from.home)
    return Error(Errc::region_mismatch, "the two are at home in different regions");
  if (into.handle == from.handle)
    return Error(Errc::invalid_argument, "a person is merged into another");
  EFFACE_TRY(end_rekeying(acting, into));
  EFFACE_TRY(end_rekeying(acting, from));
  acting.tenant->begin_move(from.handle);
  struct Ended {
    access::TenantState& tenant;
    const keyring::Handle& person;
    ~Ended() { tenant.end_move(person); }
  };
  const Ended ended{*acting.tenant, from.handle};
  EFFACE_ASSIGN(const os::ByteLocks::Held moving, access::move_somebody(*from.home->region));
  const records::Vault::Settled settled(*into.home->region->vault);
  EFFACE_TRY(begin(acting, into, from));
  into.home->region->vault->barrier();
  Status copied;
  {
    EFFACE_ASSIGN(const access::AllReading still, access::read_all(*into.home->region));
    copied = access::copy_records(from, into, keyring::arriving_scope, records_per_commit);
  }
  if (!copied) {  // What failed first is what is answered; open abandons it otherwise.
    static_cast<void>(access::abandon_transfer(from, SubjectId("")));
    return copied.error();
  }
  auto merged = commit(acting, into, from);
  if (!merged && merged.error().code() != Errc::erase_pending) {
    static_cast<void>(access::abandon_transfer(from, SubjectId("")));
    return merged;
  }
  EFFACE_TRY(join_scopes(acting, into));
  return merged;
}

}  // namespace efface::rights
