// A crash, and then the system fails the one who opens what is left.
#include <gtest/gtest.h>

#include "faults/sweep.h"

namespace efface::test {
namespace {

TEST(FailingRecovery, FromACrashInEraseLeavesAStoreThatOpens) {
  const Sweep sweep = of_recovery("erase", 7);
  expect_sound(sweep, 500);
}

TEST(FailingRecovery, FromACrashInPutLosesNothing) { expect_sound(of_recovery("put", 7), 250); }

TEST(FailingRecovery, FromACrashInTransferLeavesAPersonWhole) {
  expect_sound(of_recovery("transfer", 29), 300);
}

}  // namespace
}  // namespace efface::test
