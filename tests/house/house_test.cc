#include <gtest/gtest.h>

#include "house/rules.h"

namespace house {
namespace {

const Tree& sources() {
  static const Tree* const tree = new Tree(read_tree(EFFACE_SOURCE_DIR));
  return *tree;
}

testing::AssertionResult none(const Findings& findings) {
  if (findings.empty()) return testing::AssertionSuccess();
  auto failure = testing::AssertionFailure();
  for (const Finding& finding : findings)
    failure << "\n" << finding.path << ":" << finding.line << ": " << finding.says;
  return failure;
}

// A reader that finds nothing would agree with every rule.
TEST(House, IsReadWhole) {
  std::size_t layers = 0;
  bool tests = false;
  for (const File& file : sources()) {
    if (file.path.starts_with("lib/") && file.path.ends_with("/CMakeLists.txt")) ++layers;
    if (file.path == "tests/house/house_test.cc") tests = true;
  }
  EXPECT_GE(layers, 2U);
  EXPECT_TRUE(tests);
}

TEST(House, IncludesGoStrictlyDown) { EXPECT_TRUE(none(includes_go_down(sources()))); }

TEST(House, KeepsEachThirdPartyHeaderInOneFolder) {
  EXPECT_TRUE(none(third_party_stands_in_one_folder(sources())));
}

TEST(House, ReachesRecordsThroughAccess) {
  EXPECT_TRUE(none(records_are_reached_through_access(sources())));
}

TEST(House, NamesEverySourceInATarget) { EXPECT_TRUE(none(sources_are_in_a_target(sources()))); }

TEST(House, InstallsEveryPublicHeader) {
  EXPECT_TRUE(none(public_headers_are_installed(sources())));
}

TEST(House, CallsNothingBanned) { EXPECT_TRUE(none(nothing_banned_is_called(sources()))); }

TEST(House, OpensEveryHeaderWithWhatItIs) {
  EXPECT_TRUE(none(headers_say_what_they_are(sources())));
}

TEST(House, KeepsFilesAndLinesShort) { EXPECT_TRUE(none(sizes_are_kept(sources()))); }

TEST(House, IsWrittenInPlainText) { EXPECT_TRUE(none(text_is_plain(sources()))); }

TEST(House, LeavesNothingLyingAbout) { EXPECT_TRUE(none(nothing_is_left_lying_about(sources()))); }

TEST(House, SkipsNoTestWithoutNamingWhatItNeeds) {
  EXPECT_TRUE(none(skips_say_what_they_need(sources())));
}

TEST(House, KeepsTheCommandsOfTheReadmeReal) {
  EXPECT_TRUE(none(readme_commands_are_real(sources())));
}

TEST(House, GivesAReasonForEveryPackage) { EXPECT_TRUE(none(packages_have_reasons(sources()))); }

}  // namespace
}  // namespace house
