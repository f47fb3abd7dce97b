// What the simulator is worth: a protocol with a bug must leave a state that is told as wrong.
#include <cstdio>

#include <gtest/gtest.h>

#include "crash/scenarios.h"
#include "power/bugs.h"

namespace efface::test::power {
namespace {

// Every bug runs until it is caught, with all of each state looked at.
Effort effort() { return {.disks = disks_of({page_bytes}), .thorough_every = 1}; }

struct Verdicts {
  std::size_t seeded = 0;
  std::size_t caught = 0;
  std::size_t without_effect = 0;  // Leave no state that the protocol as it is does not leave.
  std::size_t excused = 0;         // Leave others, none of them wrong, for a reason that is listed.
};

void judge(Simulation& simulation, const std::string& scenario, const std::vector<Bug>& bugs,
           Verdicts& verdicts, Tally& tally) {
  for (const Bug& bug : bugs) {
    const Tally one = in_child_with_tally([&](Tally& told) {
      simulation.run({.log = bug.log, .first = bug.first, .stops_at_finding = true}, effort(),
                     told);
    });
    tally.broken = tally.broken || one.broken;
    ++verdicts.seeded;
    const char* const reason = reason_of(scenario, bug);
    if (one.violations > 0) {
      ++verdicts.caught;
    } else if (one.states == 0) {
      ++verdicts.without_effect;
    } else if (reason != nullptr) {
      ++verdicts.excused;
      std::printf("             not wrong: %s: %s\n", bug.label.c_str(), reason);
    } else {
      tally.find("not caught: " + bug.label);
    }
  }
}

void expect_caught(const Scenario& scenario, std::size_t caught_min) {
  const TempDirectory home("power");
  const Tally tally = in_child_with_tally([&](Tally& told) {
    Simulation simulation(scenario, home.path());
    simulation.run({simulation.recording().log}, effort(), told);
    if (told.violations > 0) return;
    Verdicts verdicts;
    std::size_t idle = 0;
    judge(simulation, scenario.label, without_each_sync(simulation, idle), verdicts, told);
    judge(simulation, scenario.label, with_steps_exchanged(simulation), verdicts, told);
    if (verdicts.caught < caught_min) told.find("fewer bugs are caught than before");
    std::printf("             %s: of %zu bugs %zu caught, %zu without effect, %zu not wrong\n",
                scenario.label.c_str(), verdicts.seeded, verdicts.caught, verdicts.without_effect,
                verdicts.excused);
    std::fflush(stdout);
  });
  EXPECT_FALSE(tally.broken);
  EXPECT_EQ(tally.violations, 0u) << tally.findings.data();
}

#ifndef EFFACE_POWER_SOAK

TEST(ProtocolBug, InEraseIsCaught) { expect_caught(erasing(), 14); }
TEST(ProtocolBug, InRotationIsCaught) { expect_caught(rotating(), 14); }
TEST(ProtocolBug, InDeclareIsCaught) { expect_caught(declaring(), 6); }
TEST(ProtocolBug, InSuppressIsCaught) { expect_caught(suppressing(), 21); }

#else

TEST(ProtocolBug, InCreateIsCaughtOrListed) { expect_caught(creating(), 12); }
TEST(ProtocolBug, InPutIsCaughtOrListed) { expect_caught(putting(), 17); }
TEST(ProtocolBug, InEnrolIsCaughtOrListed) { expect_caught(enrolling(), 11); }
TEST(ProtocolBug, InOffboardIsCaughtOrListed) { expect_caught(offboarding(), 8); }
TEST(ProtocolBug, InSweepIsCaughtOrListed) { expect_caught(sweeping(), 15); }
TEST(ProtocolBug, InMaintainIsCaughtOrListed) { expect_caught(maintaining(), 25); }
TEST(ProtocolBug, InReKeyingIsCaughtOrListed) { expect_caught(rekeying(), 25); }
TEST(ProtocolBug, InMergeIsCaughtOrListed) { expect_caught(merging(), 18); }
TEST(ProtocolBug, InTransferIsCaughtOrListed) { expect_caught(transferring(), 33); }
TEST(ProtocolBug, WithAMirrorIsCaughtOrListed) { expect_caught(mirrored(erasing()), 8); }

#endif

}  // namespace
}  // namespace efface::test::power
