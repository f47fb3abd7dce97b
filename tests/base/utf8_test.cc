#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace efface::base {
namespace {

TEST(Utf8, AcceptsWhatRfc3629Allows) {
  for (const char* text : {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                           "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"})
    EXPECT_TRUE(is_utf8(text));
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndCutSequences) {
  for (const char* text :
       {"\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\x80", "\xc3", "\xe2\x82",
        "\xf0\x9f\x98", "\xc3\x28", "a\xe2\x28\xa1"})
    EXPECT_FALSE(is_utf8(text));
}

TEST(Label, IsShortPlainAndNoEmailAddress) {
  EXPECT_TRUE(is_label("eu-west.1_a"));
  EXPECT_TRUE(is_label(std::string(64, 'a')));
  for (const char* text : {"", "-a", ".a", "_a", "A", "a b", "a@b", "a/b", "\xc3\xa9"})
    EXPECT_FALSE(is_label(text));
  EXPECT_FALSE(is_label(std::string(65, 'a')));
}

}  // namespace
}  // namespace efface::base
