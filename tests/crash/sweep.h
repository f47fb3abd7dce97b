// crash/sweep.h -- a plan applied at every step of a scenario, one after the other.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crash/scenarios.h"
#include "crash/trial.h"

namespace efface::test {

struct Sweep {
  static constexpr std::size_t findings_max = 8;  // Then it stops.

  std::size_t states = 0;  // That were left and checked.
  std::size_t steps = 0;   // Of the scenario.
  std::vector<std::string> findings;

  void take(Room::Trial trial);
  bool enough() const noexcept { return findings.size() >= findings_max; }
  Sweep& operator+=(const Sweep& other);
};

// At step 1, 2, 3 ... until the scenario is over before it. plan.at does not matter.
Sweep at_every_step(const Scenario& scenario, Plan plan, bool loses_keyrings = false);
// Stopped at every step; what is left is opened with in_recovery at every step of that.
Sweep at_every_step_of_recovery(const Scenario& scenario, Plan in_recovery,
                                bool loses_keyrings = false);

// Expects no findings, and prints how many states there were.
void expect_none(const Sweep& sweep);

}  // namespace efface::test
