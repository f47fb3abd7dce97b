// access/mutant.h -- deliberate breakages of the rules of access, one per test-only build.
//
// A comparison with a model that nothing can make fail shows nothing. tests/model compiles this
// layer once per mutant and passes only if model and store then differ. The library itself is
// always built with none, so every branch on it disappears.
#pragma once

#ifndef EFFACE_ACCESS_MUTANT
#define EFFACE_ACCESS_MUTANT none
#endif

namespace efface::access {

enum class Mutant {
  none,
  erasure_not_seen,      // A Subject from before an erasure reads whoever came after.
  suppression_not_seen,  // A tombstone refuses nobody.
  restriction_not_seen,  // A restricted person is read and written.
  consent_not_asked,     // Whoever has a scope is taken to have consented.
  objection_not_seen,    // The reading purpose is objected to, and reads.
  own_scope_not_asked,   // What was collected for an objected purpose is read for another.
  withdrawn_scope_read,  // What a hold keeps of a withdrawn consent is read for another purpose.
  permission_not_asked,  // Every record permits every purpose.
  expiry_not_seen,       // A record whose time is over is read.
  residency_not_asked,   // A process reads wherever its people live.
  agreement_not_asked,   // Who has no processing agreement writes all the same.
  moving_is_written,     // A person under transfer is written.
  any_purpose_opens,     // What was sealed for one purpose is opened for another.
};
inline constexpr Mutant mutant = Mutant::EFFACE_ACCESS_MUTANT;

}  // namespace efface::access
