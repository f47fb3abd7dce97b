// power/bugs.h -- a log as a program with a bug in its protocol would have written it: a sync left
// out, or two neighbouring steps the other way round.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "power/simulation.h"

namespace efface::test::power {

struct Bug {
  std::string label;  // What is broken, and in which operation: the same in every run.
  Log log;
  std::size_t first = 0;  // Of the log, where it differs; before it all states are known.
  // What it leaves unsynced is synced by the next commit of the same file, before anything else is
  // written or acknowledged.
  bool synced_again = false;
};

// For every fsync and fdatasync, and every write that syncs itself, one without it; but for those
// of something that has nothing to sync, which are counted.
std::vector<Bug> without_each_sync(const Simulation& simulation, std::size_t& idle);

// Why a bug leaves nothing wrong, or nothing: it must be caught.
const char* reason_of(const std::string& scenario, const Bug& bug);

// A step is what is done to one file up to its sync, and what follows on the same file. For every
// two neighbouring ones, one with them exchanged.
std::vector<Bug> with_steps_exchanged(const Simulation& simulation);

}  // namespace efface::test::power
