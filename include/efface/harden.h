// efface/harden.h -- keeping what a process holds in memory from its core dumps and its neighbours.
//
// Example
//   if (!harden_process()) return 1;  // First of all.
#pragma once
#include "efface/export.h"
#include "efface/result.h"

namespace efface {

// For the whole process, and for good, so a library does not do it unasked: no core dumps
// (RLIMIT_CORE 0, soft and hard), and not dumpable (PR_SET_DUMPABLE 0): other processes of this
// user can neither trace it nor read its memory, and /proc/self belongs to root. Keys are in locked
// memory outside core dumps anyway; plaintext that the caller holds is not. What exec starts is
// dumpable again; the limit stays. Call it before opening a store. Errors: io.
EFFACE_EXPORT Status harden_process() noexcept;

}  // namespace efface
