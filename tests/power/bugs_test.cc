// What the simulator is worth: a protocol with a bug must leave a state that is told as wrong.
#include <cstdio>

#include <gtest/gtest.h>

#include <map>
#include <utility>

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
  std::map<std::string, std::size_t> harmless;  // Leave others, none of them wrong. By label.
};

void judge(Simulation& simulation, const std::vector<Bug>& bugs, Verdicts& verdicts, Tally& tally) {
  for (const Bug& bug : bugs) {
    const Tally one = in_child_with_tally([&](Tally& told) {
      simulation.run({.log = bug.log, .first = bug.first, .stops_at_finding = true}, effort(),
                     told);
    });
    tally.broken = tally.broken || one.broken;
    ++verdicts.seeded;
    if (one.violations > 0)
      ++verdicts.caught;
    else if (one.states == 0)
      ++verdicts.without_effect;
    else
      ++verdicts.harmless[bug.label];
  }
}

// The harmless ones are those of the list, as many of each.
std::size_t compare_with_list(const std::string& scenario, Verdicts& verdicts, Tally& tally) {
  std::size_t all = 0;
  for (const Harmless& listed : harmless_in(scenario)) {
    const std::size_t found = std::exchange(verdicts.harmless[std::string(listed.label)], 0);
    all += found;
    if (found != listed.times)
      tally.find("not as often as the list says, but " + std::to_string(found) + ": " +
                 std::string(listed.label));
  }
  for (const auto& [label, times] : verdicts.harmless)
    if (times > 0) tally.find("not caught: " + label);
  return all;
}

void expect_caught(const Scenario& scenario, std::size_t caught_min) {
  const TempDirectory home("power");
  const Tally tally = in_child_with_tally([&](Tally& told) {
    Simulation simulation(scenario, home.path());
    simulation.run({simulation.recording().log}, effort(), told);
    if (told.violations > 0) return;
    Verdicts verdicts;
    std::size_t idle = 0;
    judge(simulation, without_each_sync(simulation, idle), verdicts, told);
    judge(simulation, with_steps_exchanged(simulation), verdicts, told);
    const std::size_t harmless = compare_with_list(scenario.label, verdicts, told);
    if (verdicts.caught < caught_min) told.find("fewer bugs are caught than before");
    std::printf("             %s: of %zu bugs %zu caught, %zu without effect, %zu harmless\n",
                scenario.label.c_str(), verdicts.seeded, verdicts.caught, verdicts.without_effect,
                harmless);
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
