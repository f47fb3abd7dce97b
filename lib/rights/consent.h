// rights/consent.h -- consent, objection and restriction of one person [7, 18, 21].
//
// Errors  subject_erased, purpose_unknown, basis_differs; those of the keyring.
#pragma once
#include "rights/file.h"

namespace efface::rights {

using subjects::NumberedPurpose;

Status grant(const Acting& acting, const Person& person, const NumberedPurpose& purpose,
             const Evidence& evidence);
// Errors: consent_missing when none is in force.
Result<Erasure> withdraw(const Acting& acting, const Person& person, const NumberedPurpose& purpose,
                         const Evidence& evidence, const ReceiptOptions& receipt = {});

enum class Objection : bool { lifted, raised };
Status object(const Acting& acting, const Person& person, const NumberedPurpose& purpose,
              Objection objection);

enum class Restriction : bool { lifted, imposed };
Status restrict(const Acting& acting, const Person& person, Restriction restriction);

// After a put that corrects what was there.
Status note_rectified(const Acting& acting, const Person& person, const NumberedPurpose& purpose);

}  // namespace efface::rights
