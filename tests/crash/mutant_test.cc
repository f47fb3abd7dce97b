// An erasure that does not read back what it committed: on a disk that loses the commit it destroys
// the key of everybody, and the checker says so.
#include <gmock/gmock.h>

#include "crash/sweep.h"

namespace efface::test {
namespace {

TEST(CrashMutant, CommitNotReadBackIsFoundToLoseEverybody) {
  Room room(erasing());
  EXPECT_THAT(room.run({}).findings, testing::IsEmpty());
  EXPECT_THAT(room.run({.lost = Lost::keyring_meta}).findings,
              testing::Contains(testing::HasSubstr("the store does not open: keyring_stale")));
}

}  // namespace
}  // namespace efface::test
