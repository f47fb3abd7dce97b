#include "efface/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/check.h"

namespace efface {
namespace {

TEST(Result, HoldsAValueOrAnError) {
  const Result<std::string> value(std::string("here"));
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, "here");
  const Result<std::string> error(Error(Errc::full, "no room", 28));
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code(), Errc::full);
  EXPECT_EQ(error.error().system_code(), 28);
  EXPECT_STREQ(error.error().note(), "no room");
}

TEST(Result, AbortsWhenTheWrongSideIsRead) {
  const Result<int> error(Error(Errc::full, "no room"));
  EXPECT_DEATH(static_cast<void>(*error), "");
  const Result<int> value(1);
  EXPECT_DEATH(static_cast<void>(value.error()), "");
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> value(std::make_unique<int>(7));
  const std::unique_ptr<int> taken = *std::move(value);
  EXPECT_EQ(*taken, 7);
}

Result<int> half(int n) {
  if (n % 2 != 0) return Error(Errc::invalid_argument, "odd");
  return n / 2;
}
Result<int> quarter(int n) {
  EFFACE_ASSIGN(const int once, half(n));
  EFFACE_ASSIGN(const int twice, half(once));
  return twice;
}

TEST(Result, AssignAnswersTheFirstError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().code(), Errc::invalid_argument);
  EXPECT_EQ(half(8).and_then(half).value(), 2);
  EXPECT_FALSE(half(7).and_then(half));
}

TEST(Errc, EveryCodeHasItsOwnName) {
  std::size_t named = 0;
  for (std::uint16_t i = 0; i < 100; ++i)
    named += std::string_view(name(static_cast<Errc>(i))) != "unknown";
  EXPECT_EQ(named, 53u);
  EXPECT_STREQ(name(Errc::subject_unknown), "subject_unknown");
  EXPECT_STREQ(name(static_cast<Errc>(999)), "unknown");
}

TEST(Check, ABrokenInvariantEndsTheProcessAndSaysWhich) {
  EXPECT_DEATH(EFFACE_CHECK(1 + 1 == 3), "broken invariant at .*result_test.cc");
}

}  // namespace
}  // namespace efface
