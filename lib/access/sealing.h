// access/sealing.h -- bytes that are kept elsewhere, sealed and opened for who was admitted.
//
// The key stands in a row of its own beside the scope's, made with the first use. Re-keying passes
// it by; whatever destroys the scope for good destroys it too.
//
// Errors  Those of admission; seal_unknown, expired, purpose_not_permitted, corruption, format_new.
#pragma once
#include <vector>

#include "access/access.h"

namespace efface::access {

Result<std::vector<std::byte>> seal(const Activity& activity, const Person& person, Bytes context,
                                    Bytes plain, std::optional<Days> retention);
Result<codec::Plaintext> open(const Activity& activity, const Person& person, Bytes context,
                              Bytes sealed);

}  // namespace efface::access
