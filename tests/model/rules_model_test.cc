// Grants, withdrawals, objections, restrictions, holds, erasures, suppression, days that end, two
// regions, a store opened anew: over 250,000 random operations on a store and on the model of its
// rules, and not one difference. RapidCheck shrinks what differs to a few operations and prints the
// seed (RC_PARAMS="seed=...") that replays it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "model/rules_session.h"

namespace efface::test {
namespace {

#ifndef EFFACE_RULES_SHARE
#define EFFACE_RULES_SHARE 1  // A slow build does so many-eth of it.
#endif

// Of the longest programs; they are half as long on average.
constexpr int size = 1'800 / EFFACE_RULES_SHARE;
// Of each of the four themes.
constexpr std::size_t operations_min = 65'000 / EFFACE_RULES_SHARE;

void expect_no_difference(Theme theme) {
  std::size_t operations = 0;
  const bool same = rc::check([&] {
    const auto operations_now = *rc::gen::resize(size, program(theme));
    RulesSession session;
    const std::string difference = session.run(operations_now);
    if (!difference.empty()) RC_FAIL(difference);
    operations += operations_now.size();
  });
  EXPECT_TRUE(same);
  const bool replays = std::getenv("RC_PARAMS") != nullptr;
  EXPECT_TRUE(!same || replays || operations >= operations_min);
}

TEST(RulesModel, StoreAndModelNeverDifferInWhatIsReadAndWritten) {
  expect_no_difference(Theme::access);
}

TEST(RulesModel, StoreAndModelNeverDifferAsConsentComesAndGoes) {
  expect_no_difference(Theme::consent);
}

TEST(RulesModel, StoreAndModelNeverDifferUnderLegalHolds) { expect_no_difference(Theme::holds); }

TEST(RulesModel, StoreAndModelNeverDifferAsDaysEnd) { expect_no_difference(Theme::days); }

// Too long for chance: its ciphertext is counted after the release.
TEST(RulesModel, WhatIsWithdrawnUnderAHoldIsGoneAfterItWhateverWasOverwritten) {
  using enum Act;
  const auto program = [](std::initializer_list<Act> acts) {
    std::vector<Operation> all;
    for (const Act act : acts) all.push_back({act, 0, 1, 0, 0, 9, false});
    return all;
  };
  RulesSession session;
  EXPECT_EQ(session.run(program({enrol, grant, put, put, hold, withdraw, days, maintain, release,
                                 maintain, grant, get})),
            "");
}

}  // namespace
}  // namespace efface::test
