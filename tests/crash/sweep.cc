#include "crash/sweep.h"

#include <algorithm>
#include <cstdio>

namespace efface::test {

void Sweep::take(Room::Trial trial) {
  if (trial.news) ++states;
  for (std::string& finding : trial.findings)
    if (!enough()) findings.push_back(std::move(finding));
}

Sweep& Sweep::operator+=(const Sweep& other) {
  states += other.states;
  steps += other.steps;
  findings.insert(findings.end(), other.findings.begin(), other.findings.end());
  return *this;
}

Sweep at_every_step(const Scenario& scenario, Plan plan, bool loses_keyrings) {
  Sweep sweep;
  Room room(scenario);
  room.loses_keyrings = loses_keyrings;
  for (plan.at = 1; !sweep.enough(); ++plan.at) {
    Room::Trial trial = room.run(plan);
    const bool reached = trial.reached;
    sweep.take(std::move(trial));
    if (!reached) break;
    sweep.steps = plan.at;
  }
  return sweep;
}

Sweep at_every_step_of_recovery(const Scenario& scenario, Plan in_recovery, bool loses_keyrings) {
  Sweep sweep;
  Room room(scenario);
  room.loses_keyrings = loses_keyrings;
  for (std::size_t stop = 1; !sweep.enough(); ++stop) {
    const Room::Trial left = room.run({.at = stop});
    for (in_recovery.at = 1; !sweep.enough(); ++in_recovery.at) {
      Room::Trial trial = room.recover(in_recovery);
      const bool reached = trial.reached;
      sweep.take(std::move(trial));
      if (!reached) break;
      ++sweep.steps;
    }
    if (!left.reached) break;
  }
  return sweep;
}

void expect_none(const Sweep& sweep) {
  for (const std::string& finding : sweep.findings) ADD_FAILURE() << finding;
  EXPECT_GT(sweep.states, 0u);
  std::printf("             %zu states over %zu steps\n", sweep.states, sweep.steps);
}

}  // namespace efface::test
