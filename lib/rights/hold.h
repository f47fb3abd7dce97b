// rights/hold.h -- legal holds [17(3)]: what they block is queued, and carried out on release.
//
// Errors  subject_erased, hold_unknown; those of the keyring.
#pragma once
#include "rights/file.h"

namespace efface::rights {

Result<HoldNumber> hold(const Acting& acting, const Person& person, const HoldTerms& terms);
Result<Erasure> release(const Acting& acting, const Person& person, HoldNumber number);
// Those that ended by their date. Answers how many.
Result<std::size_t> release_ended(const Acting& acting, const Person& person, Erasure& erasure);

}  // namespace efface::rights
