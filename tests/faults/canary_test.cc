// Ids, names and values of people hold a canary (support/canary.h): no file, no path and nothing
// that is no answer about a person holds it, whatever was done.
#include <gtest/gtest.h>

#include "efface/doctor.h"
#include "faults/operations.h"
#include "support/canary.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

TEST(Canary, IsFoundAsItIsInHexadecimalAndInBase64) {
  for (const char* text :
       {"ann~7Qz3Vw9K", "x37517a335677394bx", "N1F6M1Z3OUs=", "ADdRejNWdzlL", "//83UXozVnc5Sw=="})
    EXPECT_TRUE(holds_canary(text));
  EXPECT_FALSE(holds_canary("ann"));
}

TEST(Canary, IsInNoFileAndNoPathAfterAnyOperation) {
  std::size_t looked_at = 0;
  for (const Operation& operation : operations()) {
    if (operation.kind == Operation::Kind::creates || operation.kind == Operation::Kind::opens ||
        operation.manner == Manner::shared)
      continue;
    const TempDirectory home("canary");
    World world(home.path(), operation.two_regions);
    ASSERT_TRUE(world.make());
    if (operation.before) {
      ASSERT_TRUE(operation.before(world));
    }
    if (!world.is_open()) continue;  // What it does is looked at by the trials alone.
    ASSERT_TRUE(operation.prepare(world)(world)) << operation.name;
    world.close();
    EXPECT_FALSE(canary_below(home.path())) << operation.name;
    ++looked_at;
  }
  EXPECT_GE(looked_at, 45u);
}

TEST(Canary, IsInNothingThatIsSaidOfAStore) {
  const TempDirectory home("canary");
  World world(home.path());
  ASSERT_TRUE(world.make());
  std::string said;
  const auto stats = world.store().stats();
  ASSERT_TRUE(stats);
  for (const RegionStats& region : stats->regions) said += region.name;
  const auto findings = world.store().diagnose();
  ASSERT_TRUE(findings);
  for (const Finding& finding : *findings)
    said += finding.region + finding.check + finding.says + finding.remedy;
  const auto checked = world.store().check();
  ASSERT_TRUE(checked);
  for (const Damage& damage : checked->damage) said += damage.what;
  const auto receipt = world.tenant().receipt(as_bytes("request-1"));
  const auto checkpoint = world.store().checkpoint(world.region());
  ASSERT_TRUE(receipt && checkpoint);
  said += *receipt + *checkpoint;
  EXPECT_GT(said.size(), 500u);
  EXPECT_FALSE(holds_canary(said));
}

}  // namespace
}  // namespace efface::test
