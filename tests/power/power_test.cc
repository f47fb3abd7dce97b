// Power is lost at every point of a scenario, and of the recovery that follows.
#include <gtest/gtest.h>

#include <cstdio>

#include "crash/scenarios.h"
#include "power/simulation.h"

namespace efface::test::power {
namespace {

// How many states there are, at least: a test that looks at fewer fails. (Which pages LMDB writes
// depends on random tags, so that the number varies by some percent.)
struct Least {
  std::size_t states;
  std::size_t in_recovery;
};
constexpr Least create{480, 0};
constexpr Least create_two{950, 0};
constexpr Least declare{650, 120};
constexpr Least enrol{900, 150};
constexpr Least enrol_many{1'600, 300};
constexpr Least put{1'600, 150};
constexpr Least relax{700, 120};
constexpr Least erase{1'900, 100};
constexpr Least erase_many{800, 150};
constexpr Least offboard{500, 80};
constexpr Least maintain{3'200, 500};
constexpr Least re_key{1'200, 200};
constexpr Least merge{2'400, 1'500};
constexpr Least transfer{2'000, 500};
constexpr Least two_regions{3'600, 1'000};
constexpr Least mirrored_erase{3'800, 2'500};
constexpr Least all[] = {create, create_two, declare,     enrol,         enrol_many, put,
                         relax,  erase,      erase_many,  offboard,      maintain,   re_key,
                         merge,  transfer,   two_regions, mirrored_erase};
constexpr Least sum() {
  Least total{};
  for (const Least& one : all) {
    total.states += one.states;
    total.in_recovery += one.in_recovery;
  }
  return total;
}
static_assert(sum().states >= 20'000 && sum().in_recovery >= 2'000);

void expect_kept(const std::vector<Scenario>& scenarios, const Least& least,
                 std::size_t recover_every = 10) {
  Least found{};
  for (const Scenario& scenario : scenarios) {
    const TempDirectory home("power");
    const Tally tally = in_child_with_tally([&](Tally& told) {
      Simulation simulation(scenario, home.path());
      if (!simulation.log_is_complete()) told.find("the log does not make the tree that is there");
      simulation.run({simulation.recording().log}, {.recover_every = recover_every}, told);
    });
    EXPECT_FALSE(tally.broken);
    EXPECT_EQ(tally.violations, 0u) << tally.findings.data();
    found.states += tally.states;
    found.in_recovery += tally.in_recovery;
    std::printf("             %s: %zu states, %zu of them within recovery, of %zu candidates\n",
                scenario.label.c_str(), tally.states, tally.in_recovery, tally.candidates);
  }
  EXPECT_GE(found.states, least.states);
  EXPECT_GE(found.in_recovery, least.in_recovery);
}

TEST(PowerLoss, InCreateLeavesAStoreOrNothingInTheWay) { expect_kept({creating()}, create); }

TEST(PowerLoss, InCreateOfTwoRegionsLeavesAStoreOrNothingInTheWay) {
  expect_kept({creating_two_regions()}, create_two);
}

TEST(PowerLoss, InDeclareAndOpenKeepsWhatWasDeclared) {
  expect_kept({declaring(), opening()}, declare);
}

TEST(PowerLoss, InEnrolKeepsWhoWasAcknowledged) { expect_kept({enrolling()}, enrol); }

TEST(PowerLoss, InEnrolManyKeepsAllOrNone) { expect_kept({enrolling_many()}, enrol_many); }

TEST(PowerLoss, InPutAndSuppressKeepsWhatWasAcknowledged) {
  expect_kept({putting(), suppressing()}, put);
}

TEST(PowerLoss, InRelaxedPutsKeepsWhatWasSyncedAndOfTheRestTheFirst) {
  expect_kept({relaxing()}, relax);
}

TEST(PowerLoss, InEraseRotateAndSweepBringsNobodyBack) {
  expect_kept({erasing(), rotating(), sweeping()}, erase);
}

TEST(PowerLoss, InEraseManyBringsNobodyBack) { expect_kept({erasing_many()}, erase_many); }

TEST(PowerLoss, InOffboardBringsNobodyBack) { expect_kept({offboarding()}, offboard); }

TEST(PowerLoss, InMaintainLosesNobody) { expect_kept({maintaining()}, maintain); }

TEST(PowerLoss, InReKeyingKeepsEveryRecordThatLives) { expect_kept({rekeying()}, re_key); }

TEST(PowerLoss, InMergeKeepsAllThatBothHad) { expect_kept({merging()}, merge); }

TEST(PowerLoss, InTransferLeavesHerWholeInOneRegion) {
  expect_kept({transferring()}, transfer, 60);
}

TEST(PowerLoss, InOneOfTwoRegionsKeepsBoth) { expect_kept({in_two_regions()}, two_regions); }

TEST(PowerLoss, WithAMirrorBringsNobodyBack) { expect_kept({mirrored(erasing())}, mirrored_erase); }

}  // namespace
}  // namespace efface::test::power
