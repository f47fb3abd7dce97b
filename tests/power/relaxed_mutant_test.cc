// A build that breaks the order in which relaxed writes are committed, as its claim says: power
// that is lost leaves a state that is told as wrong.
#include <gmock/gmock.h>

#include "crash/scenarios.h"
#include "power/simulation.h"

namespace efface::test::power {
namespace {

TEST(PowerLossMutant, EFFACE_CLAIM) {
  const TempDirectory home("power");
  const Tally tally = in_child_with_tally([&](Tally& told) {
    Simulation simulation(relaxing(), home.path());
    simulation.run({.log = simulation.recording().log, .stops_at_finding = true}, {}, told);
  });
  EXPECT_FALSE(tally.broken);
  EXPECT_GT(tally.violations, 0u);
  EXPECT_THAT(tally.findings.data(),
              testing::HasSubstr("a person's records are not what they were"));
}

}  // namespace
}  // namespace efface::test::power
