// tools/verbs.h -- the verbs, in groups. Each hangs its options into the command line and, when it
// is the one, sets what is to be done.
#pragma once
#include "tools/session.h"

namespace efface::cli {

void add_store_verbs(const Verbs& verbs);    // init, maintain, stat
void add_tenant_verbs(const Verbs& verbs);   // tenant add|list|offboard
void add_purpose_verbs(const Verbs& verbs);  // purpose add|list
void add_record_verbs(const Verbs& verbs);   // put, get, remove, list
void add_import_verb(const Verbs& verbs);
void add_erase_verb(const Verbs& verbs);

// What an erasure did and what that rests on. Refuses (subject_unknown) when it erased nobody.
void say_erasure(Output& out, const Erasure& erasure, std::chrono::nanoseconds time,
                 const char* one, const char* many);

}  // namespace efface::cli
