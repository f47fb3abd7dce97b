// access/copy.h -- sealing a person's records for where she will be: another region, or another
// person that she turned out to be.
//
// Errors  Those of the stores. What was copied before stays; copying again is no error.
#pragma once
#include "access/access.h"

namespace efface::access {

// Seals every record of `from` for that incarnation of the scope of the same purpose of `to`, which
// must be there, in bounded transactions; the summaries with them. Expired ones are passed over.
Status copy_records(const Person& from, const Person& to, keyring::Label incarnation,
                    std::size_t records_per_commit_max);

// Seals her id for where she is enrolled.
Status store_id(const Person& person, SubjectId id);

}  // namespace efface::access
