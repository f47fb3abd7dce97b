#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "faults/sweep.h"

namespace efface::test {
namespace {

TEST(Probe, All) {
  const char* only = std::getenv("ONLY");
  Sweep all;
  for (const Operation& one : operations()) {
    if (only != nullptr && one.name != only) continue;
    all += of_operations({one.name}, std::getenv("STRIDE") ? std::atoi(std::getenv("STRIDE")) : 1);
    std::fflush(stdout);
  }
  expect_sound(all, 0);
}

}  // namespace
}  // namespace efface::test
