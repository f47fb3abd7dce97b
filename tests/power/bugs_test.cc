// What the simulator is worth: a protocol with a bug in it must leave a state that is told as wrong.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>

#include "crash/scenarios.h"
#include "power/bugs.h"

namespace efface::test::power {
namespace {

Effort effort() { return {.disks = disks_of({page_bytes}), .thorough_every = 1}; }

struct Verdicts {
  std::size_t seeded = 0;
  std::size_t caught = 0;
  std::size_t without_effect = 0;  // Leave no state that the protocol as it is does not leave.
};

void judge(Simulation& simulation, const std::vector<Bug>& bugs, Verdicts& verdicts, Tally& tally) {
  for (const Bug& bug : bugs) {
    const Tally one = in_child_with_tally([&](Tally& told) {
      simulation.run({.log = bug.log, .first = bug.first, .stops_at_finding = true}, effort(),
                     told);
    });
    tally.broken = tally.broken || one.broken;
    ++verdicts.seeded;
    if (one.violations > 0) {
      ++verdicts.caught;
      std::printf("   caught %s: %s", bug.label.c_str(), one.findings.data());
      if (one.findings[0] == 0) std::printf("\n");
    } else if (one.states == 0) {
      ++verdicts.without_effect;
      std::printf("   equal  %s\n", bug.label.c_str());
    } else {
      std::printf("   MISSED %s (%zu states)\n", bug.label.c_str(), one.states);
      tally.find(bug.label);
    }
    std::fflush(stdout);
  }
}

void expect_caught(const Scenario& scenario) {
  const TempDirectory home("power");
  const Tally tally = in_child_with_tally([&](Tally& told) {
    Simulation simulation(scenario, home.path());
    simulation.run({simulation.recording().log}, effort(), told);
    if (told.violations > 0) return;
    Verdicts verdicts;
    std::size_t idle = 0;
    judge(simulation, without_each_sync(simulation, idle), verdicts, told);
    judge(simulation, with_steps_exchanged(simulation), verdicts, told);
    std::printf("             %s: %zu bugs, %zu caught, %zu without effect; %zu syncs of nothing\n",
                scenario.label.c_str(), verdicts.seeded, verdicts.caught, verdicts.without_effect,
                idle);
    std::fflush(stdout);
  });
  EXPECT_FALSE(tally.broken);
  EXPECT_EQ(tally.violations, 0u) << tally.findings.data();
}

TEST(Bug, InEraseIsCaught) { expect_caught(erasing()); }
TEST(Bug, InCreateIsCaught) { expect_caught(creating()); }
TEST(Bug, InPutIsCaught) { expect_caught(putting()); }
TEST(Bug, InMirrored) { expect_caught(mirrored(erasing())); }
TEST(Bug, InRotate) { expect_caught(rotating()); }
TEST(Bug, InMaintain) { expect_caught(maintaining()); }
TEST(Bug, InTransfer) { expect_caught(transferring()); }

}  // namespace
}  // namespace efface::test::power
