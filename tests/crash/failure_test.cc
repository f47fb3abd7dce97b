// A step fails and the process lives: typed errors, and nothing acknowledged is lost.
#include <algorithm>
#include <array>

#include "crash/sweep.h"

namespace efface::test {
namespace {

#ifndef EFFACE_CRASH_PLANS
#define EFFACE_CRASH_PLANS 7  // All; a slow build takes the first few.
#endif

// Each way in which the system can fail one step, or all from one step on.
constexpr std::array plans{
    Plan{.then = Then::fail},
    Plan{.then = Then::fail_done, .for_ever = true},
    Plan{.then = Then::fail, .for_ever = true},
    Plan{.then = Then::fail, .error = ENOSPC},
    Plan{.then = Then::fail_done},
    Plan{.then = Then::fall_short},
    Plan{.then = Then::fall_short, .for_ever = true},
};

Sweep failed(const Scenario& scenario, std::size_t plans_max = EFFACE_CRASH_PLANS) {
  Sweep all;
  for (std::size_t i = 0; i < std::min(plans_max, plans.size()); ++i)
    all += at_every_step(scenario, plans[i]);
  return all;
}

TEST(FailingWrites, InCreatingAStoreLeaveNothingThatStandsInTheWay) {
  expect_none(failed(creating()));
}

TEST(FailingWrites, InDeclaringATenantLeaveAllOfItOrNothing) { expect_none(failed(declaring())); }

TEST(FailingWrites, InEnrolLoseNobodyWhoWasAcknowledged) { expect_none(failed(enrolling())); }

TEST(FailingWrites, InEnrolManyLeaveAllOfThemOrNone) { expect_none(failed(enrolling_many())); }

TEST(FailingWrites, InPutLoseNothingAndLeaveNothingUnlessTheOutcomeIsUnknown) {
  expect_none(failed(putting()));
}

TEST(FailingWrites, InEraseAreNeverAnsweredByAnAcknowledgementWhileTheOldKeyLives) {
  expect_none(failed(erasing()));
}

TEST(FailingWrites, InOffboardLeaveTheTenantOrNothingOfIt) { expect_none(failed(offboarding())); }

TEST(FailingWrites, InMaintainLoseNobody) { expect_none(failed(maintaining(), 1)); }

TEST(FailingWrites, InOpenLeaveAStoreThatOpens) { expect_none(failed(opening())); }

TEST(FailingWrites, InOneOfTwoRegionsLeaveBoth) { expect_none(failed(in_two_regions(), 2)); }

TEST(FailingWrites, ThatLeaveTheOutcomeUnknownCloseTheStoreUntilItIsReopened) {
  Room room(erasing());  // Erases twice.
  std::size_t unknown = 0;
  for (Plan plan{.at = 1, .then = Then::fail_done};; ++plan.at) {
    const Room::Trial trial = room.run(plan);
    if (!trial.reached) break;
    if (trial.codes.at(0) != static_cast<std::uint16_t>(Errc::outcome_unknown)) continue;
    ++unknown;
    EXPECT_EQ(trial.codes.at(2), static_cast<std::uint16_t>(Errc::closed));
  }
  EXPECT_GT(unknown, 0u);
}

TEST(FailingWrites, InTheRecoveryFromACrashInEraseLeaveWhatTheCrashLeft) {
  Sweep all = at_every_step_of_recovery(erasing(), {.then = Then::fail_done, .for_ever = true});
  if (EFFACE_CRASH_PLANS > 2) all += at_every_step_of_recovery(erasing(), {.then = Then::fail});
  expect_none(all);
}

}  // namespace
}  // namespace efface::test
