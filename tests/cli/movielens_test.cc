#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/movielens.h"
#include "cli/run.h"

namespace {

namespace fs = std::filesystem;
using efface::test::content_of;
using efface::test::Ran;
using efface::test::Ratings;
using efface::test::ratings_of;
using efface::test::Shop;
using nlohmann::json;

// How many places of all files below a directory hold one of these lines. Every line of these two
// people is over 16 bytes and begins with "1414," or "1001,".
std::size_t places(const fs::path& directory, const std::vector<std::string_view>& needles) {
  std::unordered_multimap<std::uint64_t, std::string_view> by_head;
  const auto head = [](const char* at) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, 8);
    return eight;
  };
  for (const std::string_view needle : needles) by_head.emplace(head(needle.data()), needle);
  std::size_t found = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    const std::string text = content_of(entry.path());
    for (std::size_t at = 0; at + 8 <= text.size(); ++at) {
      if (text[at] != '1') continue;
      const auto [begin, end] = by_head.equal_range(head(text.data() + at));
      found += static_cast<std::size_t>(std::any_of(begin, end, [&](const auto& one) {
        return std::string_view(text).substr(at).starts_with(one.second);
      }));
    }
  }
  return found;
}

void copy_tree(const fs::path& from, const fs::path& to) {
  fs::copy(from, to, fs::copy_options::recursive);
}

TEST(MovieLens, GoesInAndTwoPeopleLeaveForGood) {
  const fs::path csv = efface::test::movielens_csv();
  if (!fs::exists(csv)) GTEST_SKIP() << "needs ../shared/data";
  Shop shop("movielens");
  shop.open_for_business();
  const std::string text = content_of(csv);
  const Ratings ratings = ratings_of(text);
  ASSERT_EQ(ratings.at("1414").size(), 2'698u);

  const Ran imported =
      shop.run({"import", "acme", "--region", "eu", "--purpose", "ratings", "--subject", "userId",
                "--name", "{movieId}", "--csv", csv.string(), "--json"});
  ASSERT_EQ(imported.status, 0);
  EXPECT_EQ(json::parse(imported.out)["records"], 100'836);
  EXPECT_EQ(json::parse(imported.out)["people"], 610);
  for (const auto& [movie, line] : {*ratings.at("1414").begin(), *ratings.at("1414").rbegin()})
    EXPECT_EQ(shop.run({"get", "acme", "1414", movie, "--purpose", "ratings"}).out, line);

  copy_tree(shop.path() / "people", shop.path() / "copy-before");
  ASSERT_EQ(shop.run({"erase", "acme", "1414"}).status, 0);
  copy_tree(shop.path() / "people", shop.path() / "copy-between");
  ASSERT_EQ(shop.run({"erase", "acme", "1001"}).status, 0);

  std::vector<std::string_view> needles;
  for (const auto& [user, lines] : ratings) {
    if (user == "1414" || user == "1001") {
      for (const auto& [movie, line] : lines) needles.push_back(line);
      EXPECT_EQ(shop.run({"list", "acme", user, "--purpose", "ratings"}).status, 1);
      continue;
    }
    std::string expected;
    for (const auto& [movie, line] : lines) expected += movie + '\t' + line + '\n';
    const Ran listed = shop.run({"list", "acme", user, "--purpose", "ratings", "--values"});
    ASSERT_EQ(listed.status, 0);
    ASSERT_TRUE(listed.out == expected) << "a person reads back otherwise";
  }
  fs::create_directory(shop.path() / "control");
  efface::test::write_file(shop.path() / "control" / "file", text);
  EXPECT_EQ(places(shop.path() / "control", needles), needles.size());  // It does find them.
  for (const char* where : {"people", "copy-before", "copy-between"})
    EXPECT_EQ(places(shop.path() / where, needles), 0u) << where;
}

}  // namespace
