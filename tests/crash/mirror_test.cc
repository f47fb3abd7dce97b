// Writes stop at every step there is; and then the keyring is lost, so that its mirror is what is
// left.
#include <gmock/gmock.h>

#include "crash/sweep.h"

namespace efface::test {
namespace {

Sweep stopped_and_lost(const Scenario& scenario) {
  Sweep all = at_every_step(mirrored(scenario), {.then = Then::stop}, true);
  all += at_every_step(mirrored(scenario), {.then = Then::stop_torn}, true);
  all += at_every_step(mirrored(scenario), {.then = Then::power_loss}, true);
  return all;
}

TEST(Mirrored, LosesNobodyWhoWasAcknowledgedWithItsKeyring) {
  expect_none(stopped_and_lost(enrolling()));
}

TEST(Mirrored, BringsNobodyBackWhoWasErasedWithTheLossOfItsKeyring) {
  expect_none(stopped_and_lost(erasing()));
}

TEST(Mirrored, HasAllOfALargeChangeOrNothing) {
  expect_none(at_every_step(mirrored(erasing_many()), {.then = Then::stop}, true));
}

TEST(Mirrored, OpensWhetherOrNotItsKeyringIsThere) {
  expect_none(at_every_step(mirrored(erasing()), {.then = Then::stop}));
  expect_none(at_every_step(mirrored(opening()), {.then = Then::stop}));
}

TEST(Mirrored, IsInStepBeforeARecoveryDestroysAnything) {
  expect_none(at_every_step_of_recovery(mirrored(erasing()), {.then = Then::stop}, true));
}

TEST(Mirrored, IsGoneOnWithWhereverThatIsCut) {
  // The keyring is lost before the scenario: opening copies the mirror into its place.
  Scenario scenario = mirrored(erasing());
  Sweep sweep;
  Room room(scenario);
  room.loses_keyrings = true;
  const Room::Trial whole = room.run({});
  EXPECT_THAT(whole.findings, testing::IsEmpty());
  room.starts_without_keyrings = true;
  for (Plan plan{.at = 1, .then = Then::power_loss}; !sweep.enough(); ++plan.at) {
    Room::Trial trial = room.recover(plan);
    const bool reached = trial.reached;
    sweep.take(std::move(trial));
    if (!reached) break;
    sweep.steps = plan.at;
  }
  expect_none(sweep);
}

}  // namespace
}  // namespace efface::test
