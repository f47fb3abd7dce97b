// An erasure that has the old root key destroyed before its mirrors are written: cut in between,
// the loss of the keyring is the loss of everybody, and the checker says so.
#include <gmock/gmock.h>

#include "crash/sweep.h"

namespace efface::test {
namespace {

TEST(CrashMutant, MirrorsThatComeLastAreFoundToLoseEverybody) {
  EXPECT_THAT(at_every_step(mirrored(erasing()), {.then = Then::stop}).findings,
              testing::IsEmpty());
  EXPECT_THAT(at_every_step(mirrored(erasing()), {.then = Then::stop}, true).findings,
              testing::Contains(testing::HasSubstr("the store does not open")));
}

}  // namespace
}  // namespace efface::test
