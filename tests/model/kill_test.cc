// Random programs on a store that is killed in between, and on a model: not one difference.
//
// EFFACE_PROGRAM=N  runs program N alone. A failure prints its number, and the steps that are left
//                   when it is made short.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "model/kill_run.h"

namespace efface::test {
namespace {

std::string text_of(const Program& program) {
  std::ostringstream out;
  for (const Step& step : program) out << "\n  " << step;
  return out.str();
}

#ifndef EFFACE_MUTANT_IS_IN

void expect_as_the_model(std::uint64_t first_program, std::uint64_t programs) {
  const char* const chosen = std::getenv("EFFACE_PROGRAM");
  const std::uint64_t first =
      chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : first_program;
  Ran all;
  for (std::uint64_t i = 0; i < (chosen != nullptr ? 1 : programs); ++i) {
    const Program program = program_of(first + i);
    const Ran ran = run(program);
    if (ran.finding)
      FAIL() << "program " << first + i << ": " << *ran.finding << text_of(shrunk(program));
    all.operations += ran.operations;
    all.erasures += ran.erasures;
    all.kills += ran.kills;
    all.cut += ran.cut;
    all.opening += ran.opening;
    all.readings += ran.readings;
    all.growths += ran.growths;
  }
  std::printf(
      "             %zu operations, %zu of them end an epoch; %zu kills, %zu within an\n"
      "             operation, %zu within opening; %zu readings; %zu lives outgrew the map\n",
      all.operations, all.erasures, all.kills, all.cut, all.opening, all.readings, all.growths);
  if (chosen != nullptr) return;
  EXPECT_GT(all.operations, 300u);
  EXPECT_GT(all.erasures, 50u);
  EXPECT_GT(all.cut, 50u);
  EXPECT_GT(all.opening, 5u);
  EXPECT_GT(all.readings, 1'000u);
  EXPECT_GT(all.growths, 0u);
}

#endif

#ifdef EFFACE_PROGRAM_SOAK

TEST(KilledProgram, LeavesWhatTheModelSaysInThousandsOfPrograms) {
  expect_as_the_model(1'000, 5'000);
}

#else

// The first of the programs that shows it, made short.
std::optional<Program> shortest(Disk disk) {
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const Program program = program_of(i);
    if (run(program, disk).finding) return shrunk(program, disk);
  }
  return std::nullopt;
}

#ifndef EFFACE_MUTANT_IS_IN

TEST(KilledProgram, LeavesWhatTheModelSaysWhereverItIsKilled) { expect_as_the_model(1, 40); }

TEST(KilledProgram, IsTheSameFromTheSameNumber) {
  EXPECT_EQ(text_of(program_of(7)), text_of(program_of(7)));
  EXPECT_NE(text_of(program_of(7)), text_of(program_of(8)));
}

TEST(KilledProgram, FindsADiskThatLiesAndIsMadeShort) {
  const auto found = shortest(Disk::lies);
  ASSERT_TRUE(found);
  EXPECT_LE(found->size(), 3u) << text_of(*found);
  EXPECT_TRUE(run(*found, Disk::lies).finding);
  EXPECT_FALSE(run(*found).finding);
}

#else

TEST(KilledProgram, FindsAnErasureThatDestroysTheOldRootFirstAndIsMadeShort) {
  const auto found = shortest(Disk::honest);
  ASSERT_TRUE(found);
  EXPECT_LE(found->size(), 3u) << text_of(*found);
  const Ran again = run(*found);
  ASSERT_TRUE(again.finding);
  EXPECT_NE(again.finding->find("keyring_stale"), std::string::npos) << *again.finding;
}

#endif
#endif

}  // namespace
}  // namespace efface::test
