// records/mutant.h -- deliberate breakages of the order in which records are committed, one per
// test-only build (tests/power). The library itself is always built with none.
#pragma once

#ifndef EFFACE_RECORDS_MUTANT
#define EFFACE_RECORDS_MUTANT none
#endif

namespace efface::records {

enum class Mutant {
  none,
  sync_answers_first,  // Before what waits is committed.
  waiting_comes_last,  // A commit takes what waits after its own changes.
};
inline constexpr Mutant mutant = Mutant::EFFACE_RECORDS_MUTANT;

}  // namespace efface::records
