#include "rights/consent.h"

#include "access/admission.h"
#include "base/check.h"
#include "efface/limits.h"
#include "rights/decision.h"
#include "rights/sealing.h"

namespace efface::rights {
namespace {

using keyring::Label;
using keyring::Removal;

Status check_consent(const NumberedPurpose& purpose) {
  if (purpose.terms.basis == LegalBasis::consent) return {};
  return Error(Errc::basis_differs, "the purpose does not rest on consent");
}

// When it was given, which cannot be later than now.
Result<TimePoint> check_evidence(const Acting& acting, const Evidence& evidence) {
  using subjects::Empty;
  EFFACE_TRY(subjects::check_text(evidence.text_version, limits::label_bytes_max, Empty::allowed));
  EFFACE_TRY(subjects::check_text(evidence.channel, limits::label_bytes_max, Empty::allowed));
  const TimePoint now = acting.tenant->now();
  const TimePoint when = evidence.when.value_or(now);
  if (when > now || when < TimePoint{})
    return Error(Errc::invalid_argument, "evidence is of a time from 1970 until now");
  return when;
}

bool is_granted(const keyring::Row* scope) noexcept {
  return scope != nullptr && (scope->flags & keyring::flag_granted) != 0;
}

// Under a hold, a withdrawn scope waits beside the one that a new consent makes; and with it its
// successor, if it was being re-keyed, and the key of what is kept elsewhere. Errors: too_large
// when consent came and went too often meanwhile.
Status make_wait(const keyring::Keys& keys, Label purpose, std::vector<keyring::RowChange>& into) {
  Label next = keyring::first_kept;
  for (const Label in_use : {purpose, keyring::scope_label(purpose, keyring::successor),
                             keyring::scope_label(purpose, keyring::sealing_key)}) {
    if (keys.find(in_use) == nullptr) continue;
    while (next <= keyring::last_kept && keys.find(keyring::scope_label(purpose, next)) != nullptr)
      ++next;
    if (next > keyring::last_kept)
      return Error(Errc::too_large, "consent was withdrawn too often under one legal hold");
    into.push_back({.label = in_use, .move_to = keyring::scope_label(purpose, next++)});
  }
  return {};
}

}  // namespace

Status grant(const Acting& acting, const Person& person, const NumberedPurpose& purpose,
             const Evidence& evidence) {
  EFFACE_TRY(check_consent(purpose));
  EFFACE_ASSIGN(const TimePoint when, check_evidence(acting, evidence));
  const Label label = purpose.number;
  return amend_person(acting, person, [&](OnFile& on_file, keyring::Amend& amend) -> Status {
    EFFACE_TRY(access::check_person(*on_file.keys, person, access::Use::write));
    on_file.dossier.add_event(EventKind::consent_granted, label, when, acting.actor, evidence);
    amend.decisions = {decision(acting, ledger::Kind::consent_granted, label)};
    const keyring::Row* scope = on_file.keys->find(label);
    if (scope != nullptr && !is_granted(scope)) {  // Withdrawn, and kept by a hold.
      EFFACE_TRY(make_wait(*on_file.keys, label, amend.changes));
    }
    if (!is_granted(scope))
      amend.changes.push_back({.label = label,
                               .set = keyring::flag_granted,
                               .aux = access::first_generation,
                               .make = true});
    return {};
  });
}

Result<Erasure> withdraw(const Acting& acting, const Person& person, const NumberedPurpose& purpose,
                         const Evidence& evidence, const ReceiptOptions& receipt) {
  EFFACE_TRY(check_consent(purpose));
  EFFACE_ASSIGN(const TimePoint when, check_evidence(acting, evidence));
  const Label label = purpose.number;
  const access::TenantRegion& home = *person.home;
  Erasure erasure;
  EFFACE_ASSIGN(auto made, made_by(*acting.tenant, receipt));
  if (made) {
    erasure.receipts.push_back(*std::move(made));
    return erasure;
  }
  std::vector<Removal> removals{removal_of(person, Removal::What::scope)};
  std::optional<Result<keyring::ErasureOutcome>> outcome;
  const records::Vault::Settled settled(*home.region->vault);
  {
    EFFACE_ASSIGN(const auto held, home.region->keyring->lock());
    EFFACE_ASSIGN(OnFile on_file, read_file(acting, person));
    EFFACE_TRY(check_stays(on_file));
    const keyring::Row* scope = on_file.keys->find(label);
    if (!is_granted(scope))
      return Error(Errc::consent_missing, "no consent is in force that could be withdrawn");
    on_file.dossier.add_event(EventKind::consent_withdrawn, label, when, acting.actor, evidence);
    if (on_file.has(keyring::flag_held)) {
      keyring::Amend amend;
      amend.tag = person.tag;
      amend.only_if_person = person.handle;
      amend.changes = {{.label = label, .clear = keyring::flag_granted}};
      amend.decisions = {decision(acting, ledger::Kind::consent_withdrawn, label, "held")};
      on_file.dossier.ask(subjects::Asked::scope, scope->handle);
      for (const Label beside : {keyring::successor, keyring::sealing_key})
        if (const auto* row = on_file.keys->find(keyring::scope_label(label, beside)))
          on_file.dossier.ask(subjects::Asked::scope, row->handle);
      const codec::Plaintext file = on_file.dossier.encode();
      amend.file = file.bytes();
      EFFACE_TRY(home.region->keyring->amend(held, home.people(), {&amend, 1}));
      erasure.held = 1;
    } else {
      const codec::Plaintext file = on_file.dossier.encode();
      removals[0].label = label;
      removals[0].file = file.bytes();
      EFFACE_TRY(
          bind({acting, ledger::Kind::consent_withdrawn, receipt, label}, person, removals[0]));
      if (auto sealing = removal_of_sealing(person, *on_file.keys, label)) {
        const ReceiptOptions plain;
        EFFACE_TRY(bind({acting, ledger::Kind::consent_withdrawn, plain, label, "sealed"}, person,
                        *sealing));
        removals.push_back(*std::move(sealing));
      }
      outcome = home.region->keyring->erase(held, removals);
    }
  }
  home.region->vault->barrier();
  if (!outcome) return erasure;
  EFFACE_TRY(count(home, {removals.data(), 1}, *outcome, erasure));
  erasure.erased = removals[0].removed ? 1 : 0;
  return erasure;
}

Status object(const Acting& acting, const Person& person, const NumberedPurpose& purpose,
              Objection objection) {
  if (purpose.terms.basis != LegalBasis::legitimate_interest &&
      purpose.terms.basis != LegalBasis::public_task)
    return Error(Errc::basis_differs,
                 "one objects to legitimate interest or a public task; consent is withdrawn");
  const bool raised = objection == Objection::raised;
  const std::uint16_t flag = keyring::flag_objected;
  return amend_person(acting, person, [&](OnFile& on_file, keyring::Amend& amend) -> Status {
    const keyring::Row* scope = on_file.keys->find(purpose.number);
    const bool stands = scope != nullptr && (scope->flags & flag) != 0;
    if (stands == raised) return {};
    on_file.dossier.add_event(raised ? EventKind::objected : EventKind::objection_lifted,
                              purpose.number, acting.tenant->now(), acting.actor);
    amend.decisions = {decision(
        acting, raised ? ledger::Kind::objected : ledger::Kind::objection_lifted, purpose.number)};
    keyring::RowChange change{.label = purpose.number};
    (raised ? change.set : change.clear) = flag;
    if (scope == nullptr) change.aux = access::first_generation;
    change.make = raised;
    amend.changes.push_back(change);
    return {};
  });
}

Status restrict(const Acting& acting, const Person& person, Restriction restriction) {
  const bool imposed = restriction == Restriction::imposed;
  return amend_person(acting, person, [&](OnFile& on_file, keyring::Amend& amend) -> Status {
    if (on_file.has(keyring::flag_restricted) == imposed) return {};
    on_file.dossier.add_event(imposed ? EventKind::restricted : EventKind::restriction_lifted, 0,
                              acting.tenant->now(), acting.actor);
    amend.decisions = {
        decision(acting, imposed ? ledger::Kind::restricted : ledger::Kind::restriction_lifted)};
    keyring::RowChange change{.label = keyring::person};
    (imposed ? change.set : change.clear) = keyring::flag_restricted;
    amend.changes.push_back(change);
    return {};
  });
}

Status note_rectified(const Acting& acting, const Person& person, const NumberedPurpose& purpose) {
  return amend_person(acting, person, [&](OnFile& on_file, keyring::Amend& amend) -> Status {
    amend.decisions = {decision(acting, ledger::Kind::rectified, purpose.number)};
    on_file.dossier.add_event(EventKind::rectified, purpose.number, acting.tenant->now(),
                              acting.actor);
    return {};
  });
}

}  // namespace efface::rights
