#include "access/admission.h"

#include "access/mutant.h"
#include "base/check.h"

namespace efface::access {
namespace {

constexpr bool sees(Mutant broken) noexcept { return mutant != broken; }

bool has(const keyring::Row& row, std::uint16_t flag) noexcept { return (row.flags & flag) != 0; }

}  // namespace

Status check_same(const keyring::Keys& keys, const Person& person) {
  const keyring::Row* row = keys.find(keyring::person);
  if (row == nullptr || (sees(Mutant::erasure_not_seen) && row->handle != person.handle))
    return Error(Errc::subject_erased, "the person has been erased");
  return {};
}

Status check_person(const keyring::Keys& keys, const Person& person, Use use) {
  EFFACE_TRY(check_same(keys, person));
  const keyring::Row& row = *keys.find(keyring::person);
  if (sees(Mutant::suppression_not_seen) && keys.find(keyring::suppression) != nullptr)
    return Error(Errc::suppressed, "the person is suppressed until she is reinstated");
  if (has(row, keyring::flag_incoming) ||
      (sees(Mutant::moving_is_written) && use == Use::write && has(row, keyring::flag_moving)))
    return Error(Errc::transfer_pending, "the person is being transferred to another region");
  if (sees(Mutant::restriction_not_seen) &&
      has(row, keyring::flag_restricted | keyring::flag_leaving))
    return Error(Errc::restricted, "the processing of the person's data is restricted");
  return {};
}

Status check_basis(LegalBasis basis, const keyring::Row* scope) {
  if (sees(Mutant::objection_not_seen) && scope != nullptr && has(*scope, keyring::flag_objected))
    return Error(Errc::objected, "the person objected to the purpose");
  const bool granted =
      scope != nullptr && (has(*scope, keyring::flag_granted) || !sees(Mutant::consent_not_asked));
  if (basis == LegalBasis::consent && !granted)
    return Error(Errc::consent_missing, "the purpose rests on consent, and none is in force");
  return {};
}

Status check_needs_no_consent(const Activity& activity) {
  return check_basis(activity.purpose.terms.basis, nullptr);
}

Result<Admission> admit(const Activity& activity, const Person& person, Use use) {
  EFFACE_TRY(activity.tenant->check_here());
  if (person.tenant != activity.tenant)
    return Error(Errc::purpose_unknown, "the purpose and the person belong to different tenants");
  const TenantRegion& home = *person.home;
  if (use == Use::read && sees(Mutant::residency_not_asked))
    EFFACE_TRY(activity.tenant->check_residency(home));
  if (use == Use::write && sees(Mutant::agreement_not_asked))
    EFFACE_TRY(activity.tenant->check_agreement());
  Admission admission;
  admission.removals = home.region->keyring->removals();
  EFFACE_ASSIGN(admission.keys, home.region->keyring->keys(home.people(), person.tag));
  EFFACE_TRY(check_person(*admission.keys, person, use));
  EFFACE_TRY(
      check_basis(activity.purpose.terms.basis, admission.keys->find(activity.purpose.number)));
  return admission;
}

}  // namespace efface::access
