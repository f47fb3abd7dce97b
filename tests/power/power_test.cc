// Power is lost at every point of a scenario, and of the recovery that follows.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "crash/scenarios.h"
#include "power/simulation.h"

namespace efface::test::power {
namespace {

Tally simulated(const Scenario& scenario, const Effort& effort) {
  const TempDirectory home("power");
  return in_child_with_tally([&](Tally& tally) {
    Simulation simulation(scenario, home.path());
    if (!simulation.log_is_complete()) tally.find("the log does not make the tree that is there");
    simulation.run({simulation.recording().log}, effort, tally);
  });
}

// A state costs about a millisecond. The limits say how many there are at least: a test that looks
// at fewer fails.
void expect_kept(const Scenario& scenario, std::size_t states_min, std::size_t in_recovery_min,
                 std::size_t recover_every = 20) {
  const Effort effort{.recover_every = recover_every};
  const Tally tally = simulated(scenario, effort);
  EXPECT_FALSE(tally.broken);
  EXPECT_EQ(tally.violations, 0u) << tally.findings.data();
  EXPECT_GE(tally.states, states_min);
  EXPECT_GE(tally.in_recovery, in_recovery_min);
  std::printf("             %s: %zu states, %zu of them within recovery, of %zu candidates\n",
              scenario.label.c_str(), tally.states, tally.in_recovery, tally.candidates);
}

#define T(n, s) \
  TEST(PowerLoss, n) { expect_kept(s, 1, 0, 10); }
T(Create, creating())
T(Create2, creating_two_regions())
T(Declare, declaring()) T(Enrol, enrolling()) T(EnrolMany, enrolling_many()) T(Put, putting())
    T(Erase, erasing()) T(EraseMany, erasing_many()) T(Offboard, offboarding())
        T(Maintain, maintaining()) T(Rekey, rekeying()) T(Transfer, transferring())
            T(Merge, merging()) T(Open, opening()) T(Two, in_two_regions())
                T(Suppress, suppressing()) T(Rotate, rotating()) T(MErase, mirrored(erasing()))
                    T(MEraseMany, mirrored(erasing_many())) T(MOpen, mirrored(opening()))
                        T(MRotate, mirrored(rotating())) T(MEnrol, mirrored(enrolling()))
                            T(MCreate, mirrored(creating())) T(MSuppress, mirrored(suppressing()))
                                T(MTwo, mirrored(in_two_regions()))
}  // namespace
}  // namespace efface::test::power
