// rights/identity.h -- several identifiers of one person, and two people who turn out to be one.
//
// A further identifier is a row that leads to hers; erasing by any of them erases her, and all of
// them go. A merge gives one person what the other has:
//
//   1  the other is marked as moving, with whom she goes to: nothing of her is written or erased;
//   2  her records are sealed for scopes that wait beside the one's, and that nobody reads;
//   3  in one epoch she goes, her identifiers lead to the one, and the waiting scopes are hers;
//   4  where both had a scope, the two become one.
//
// Interrupted before 3, whoever looks the other up destroys what waits; after it, the merge is
// done.
//
// Errors  exists, conflict, suppressed, legal_hold, transfer_pending, region_mismatch.
#pragma once
#include "rights/file.h"

namespace efface::rights {

Status add_identifier(const Acting& acting, const Person& person, SubjectId further);
Result<Erasure> merge(const Acting& acting, const Person& into, const Person& from);

}  // namespace efface::rights
