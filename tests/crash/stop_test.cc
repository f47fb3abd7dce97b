// Writes stop, at every step there is.
#include "crash/sweep.h"

namespace efface::test {
namespace {

Sweep stopped(const Scenario& scenario) {
  Sweep all = at_every_step(scenario, {.then = Then::stop});
  all += at_every_step(scenario, {.then = Then::stop_torn});
  all += at_every_step(scenario, {.then = Then::power_loss});
  return all;
}

TEST(Crash, InCreatingAStoreLeavesNothingThatStandsInTheWay) { expect_none(stopped(creating())); }

TEST(Crash, InCreatingTwoRegionsLeavesNothingThatStandsInTheWay) {
  expect_none(stopped(creating_two_regions()));
}

TEST(Crash, InDeclaringATenantLeavesAllOfItOrNothing) { expect_none(stopped(declaring())); }

TEST(Crash, InEnrolLeavesEveryoneWhoWasAcknowledged) { expect_none(stopped(enrolling())); }

TEST(Crash, InEnrolManyWithSplitsLeavesAllOfThemOrNone) { expect_none(stopped(enrolling_many())); }

TEST(Crash, InPutLeavesEveryRecordThatWasAcknowledged) { expect_none(stopped(putting())); }

TEST(Crash, InEraseLeavesEveryoneElseAndNoKeyThatWasDestroyed) { expect_none(stopped(erasing())); }

TEST(Crash, InEraseManyLeavesAllOfThemOrNone) { expect_none(stopped(erasing_many())); }

TEST(Crash, InOffboardLeavesTheTenantOrNothingOfIt) { expect_none(stopped(offboarding())); }

TEST(Crash, InMaintainLosesNobody) { expect_none(stopped(maintaining())); }

TEST(Crash, InReKeyingAScopeLeavesEveryRecordThatLives) { expect_none(stopped(rekeying())); }

TEST(Crash, InATransferLeavesThePersonWholeInOneRegion) { expect_none(stopped(transferring())); }

TEST(Crash, InAMergeLeavesTwoPeopleOrOneWithAllThatBothHad) { expect_none(stopped(merging())); }

TEST(Crash, InTheRecoveryFromACrashInATransferLeavesThePersonWholeInOneRegion) {
  expect_none(at_every_step_of_recovery(transferring(), {.then = Then::stop}));
}

TEST(Crash, InOpenLeavesAStoreThatOpens) { expect_none(stopped(opening())); }

TEST(Crash, InOneOfTwoRegionsLeavesBoth) { expect_none(stopped(in_two_regions())); }

TEST(Crash, InTheRecoveryFromACrashInEraseLeavesWhatTheFirstOneLeft) {
  Sweep all = at_every_step_of_recovery(erasing(), {.then = Then::stop});
  all += at_every_step_of_recovery(erasing(), {.then = Then::power_loss});
  expect_none(all);
}

TEST(Crash, InTheRecoveryFromACrashInOffboardLeavesWhatTheFirstOneLeft) {
  expect_none(at_every_step_of_recovery(offboarding(), {.then = Then::stop}));
}

}  // namespace
}  // namespace efface::test
