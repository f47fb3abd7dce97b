// A crash, and then the system fails the one who opens what is left.
#include <gtest/gtest.h>

#include "faults/sweep.h"

namespace efface::test {
namespace {

TEST(FailingRecovery, FromACrashInEraseLeavesAStoreThatOpens) {
  expect_sound(of_recovery("erase", stride_of(13, 7)), least(480, 500));
}

TEST(FailingRecovery, FromACrashInPutLosesNothing) {
  expect_sound(of_recovery("put", stride_of(13, 7)), least(240, 250));
}

TEST(FailingRecovery, FromACrashInTransferLeavesAPersonWhole) {
  expect_sound(of_recovery("transfer", stride_of(101, 29)), least(650, 300));
}

}  // namespace
}  // namespace efface::test
