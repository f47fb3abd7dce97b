// power/bugs.h -- a log as a program with a bug in its protocol would have written it: a sync left
// out, or two neighbouring steps the other way round.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "power/simulation.h"

namespace efface::test::power {

struct Bug {
  std::string label;  // What is broken, and in which operation.
  Log log;
  std::size_t first = 0;  // Of the log, where it differs; before it all states are known.
};

// For every fsync and fdatasync, and every write that syncs itself, one without it; but for those
// of something that has nothing to sync, which are counted.
std::vector<Bug> without_each_sync(const Simulation& simulation, std::size_t& idle);

// A bug that was seeded and leaves no state that is wrong, though it leaves others than the right
// protocol: there the protocol does more than the promise needs.
struct Harmless {
  std::string_view scenario;
  std::string_view label;
  std::size_t times;  // That many of this label, neither more nor less.
  const char* reason;
};
std::span<const Harmless> harmless_in(std::string_view scenario);

// A step is what is done to one file up to its sync, and what follows on the same file. For every
// two neighbouring ones, one with them exchanged.
std::vector<Bug> with_steps_exchanged(const Simulation& simulation);

}  // namespace efface::test::power
