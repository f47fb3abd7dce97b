// access/person_records.h -- all that is kept of one person, for her rights: export, transfer,
// merging, re-keying. Not for processing: no purpose is asked for.
//
// Threads  Shared. look runs with no transaction open, and must not re-key a scope (Shred::now,
//          maintain): scopes stay as they are until it is through.
// Errors   subject_erased when she is erased meanwhile.
#pragma once
#include "access/access.h"

namespace efface::access {

struct PersonRecord {
  const keyring::Row& scope;
  subjects::PurposeNumber purpose;
  const records::OpenRecord& record;
  bool kept_by_hold;  // Past its day, or of a scope that was withdrawn.
};

// Every record of hers that can be opened, scope by scope, those of withdrawn scopes under a hold
// included; not her id and not the summaries; of what several people share, what may be read.
// Memory: the places of one scope, and one record.
Status each_record(const Person& person, FunctionRef<Status(const PersonRecord&)> look);

// One of her sealed records where it lies: for a check of the whole store, or for counting what a
// stolen copy showed. Errors: expired when its bucket is destroyed; corruption.
Result<records::OpenRecord> open_for_a_duty(const Person& person, const keyring::Keys& keys,
                                            const keyring::Row& scope, const Id16& tag,
                                            Bytes value);

// A sealed record that was found elsewhere, with keys that were found elsewhere: whether any of
// them should still be there is what is asked.
struct ImageKeys {
  const Id16& region;
  std::uint32_t tenant;  // Its number there.
  const keyring::Row& scope;
  const keyring::Row& bucket;  // Or her hold's.
};
Result<records::OpenRecord> open_image(const ImageKeys& keys, const Id16& tag, Bytes value);

// The id that she was enrolled under. Errors: corruption when it is not there (a crash during her
// enrolment; enrolling her again mends it).
Result<codec::Plaintext> id_of(const Person& person);

}  // namespace efface::access
