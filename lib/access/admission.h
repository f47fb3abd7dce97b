// access/admission.h -- the choke point: every read and every write is decided here, and nowhere
// else.
//
// In this order, and closed by default: the tenant is here, the region open, and this process may
// read people of that region; the person is the one that was enrolled, not erased since, not
// suppressed, not under transfer, not restricted; the purpose is declared and its legal basis
// satisfied; then, by access.h, the record's own scope alive and not objected to, the record
// permits the purpose, and is not expired. Unknown or missing anything refuses, with the code that
// says why.
//
// A read that an erasure overtook looks again before it answers: erasure beats snapshot isolation.
#pragma once
#include <utility>

#include "access/people.h"
#include "base/check.h"
#include "efface/activity.h"

namespace efface::access {

// One tenant, one purpose.
struct Activity {
  std::shared_ptr<TenantState> tenant;
  subjects::NumberedPurpose purpose;
};

enum class Use : bool { read, write };

// A person's keys, for the length of one operation.
struct Admission {
  keyring::SharedKeys keys;
  std::uint64_t removals = 0;  // Of the keyring, before it was looked into.
};

// Errors: tenant_unknown, purpose_unknown (another tenant's person), transfer_not_permitted,
// agreement_missing, and those of check_person and check_basis.
Result<Admission> admit(const Activity& activity, const Person& person, Use use);
// What work answers with an admission that nothing overtook: a removal between finding and opening
// makes bytes that do not verify, a re-keyed scope records that are not where they were.
template <class Work>
auto until_still(const Activity& activity, const Person& person, Use use, Work&& work)
    -> decltype(work(std::declval<const Admission&>())) {
  constexpr int looks_max = 64;
  for (int looks = 1;; ++looks) {
    EFFACE_ASSIGN(const Admission admission, admit(activity, person, use));
    auto answer = work(admission);
    if (person.home->region->keyring->removals() == admission.removals) return answer;
    if (looks < looks_max) continue;
    if (const auto still = admit(activity, person, use); !still) return still.error();
    return answer;
  }
}

// Whether she is the one that was found, and may be read and written at all.
// Errors: subject_erased, suppressed, transfer_pending, restricted.
Status check_person(const keyring::Keys& keys, const Person& person, Use use);
// Whether she is the one that was found: all that her own rights ask for. Errors: subject_erased.
Status check_same(const keyring::Keys& keys, const Person& person);

// Whether the legal basis of a purpose allows it to be used, given its scope's row (null: none).
// Errors: consent_missing, objected.
Status check_basis(LegalBasis basis, const keyring::Row* scope);

// A purpose in which she may be given a scope before she is asked anything. Errors:
// consent_missing.
Status check_needs_no_consent(const Activity& activity);

}  // namespace efface::access
