// The rights of people who are there in numbers: some of MovieLens decide, and nobody else notices.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/movielens.h"
#include "cli/run.h"

namespace {

namespace fs = std::filesystem;
using efface::test::content_of;
using efface::test::Ran;
using efface::test::Ratings;
using efface::test::Shop;
using nlohmann::json;

class MovieLensPeople : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path csv = efface::test::movielens_csv();
    if (!fs::exists(csv)) GTEST_SKIP() << "needs ../shared/data";
    ratings_ = efface::test::ratings_of(content_of(csv));
    for (const auto& [person, lines] : ratings_) people_.push_back(person);
    shop_.open_for_business();
    shop_.run({"purpose", "add", "acme", "recommendations", "--basis", "consent"});
    ASSERT_EQ(shop_
                  .run({"import", "acme", "--purpose", "ratings", "--subject", "userId", "--name",
                        "{movieId}", "--csv", csv.string()})
                  .status,
              0);
  }
  std::string code(Shop::Words words, std::string_view input = {}) const {
    words.emplace_back("--json");
    const Ran ran = shop_.run(words, input);
    if (ran.status == 0) return "done";
    return json::parse(ran.err)["error"]["code"];
  }
  std::string grant(const std::string& person) const {
    return code({"consent", "grant", "acme", person, "--purpose", "recommendations",
                 "--text-version", "2026-05", "--channel", "web"});
  }
  std::string recommend(const std::string& person) const {
    return code({"put", "acme", person, "next", "--purpose", "recommendations", "--automated"},
                "Alien");
  }
  std::string next_of(const std::string& person) const {
    return code({"get", "acme", person, "next", "--purpose", "recommendations"});
  }
  std::string ratings_read(const std::string& person) const {
    return code({"list", "acme", person, "--purpose", "ratings"});
  }
  void expect_whole(const std::string& person) const {
    std::string expected;
    for (const auto& [movie, line] : ratings_.at(person)) expected += movie + '\t' + line + '\n';
    EXPECT_TRUE(shop_.run({"list", "acme", person, "--purpose", "ratings", "--values"}).out ==
                expected)
        << "a person reads back otherwise";
  }
  std::string count(Shop::Words conditions) const {
    Shop::Words words = {"query", "acme", "--count"};
    words.insert(words.end(), conditions.begin(), conditions.end());
    return shop_.run(words).out;
  }

  Shop shop_{"movielens-rights"};
  Ratings ratings_;
  std::vector<std::string> people_;  // Ids, in order.
};

TEST_F(MovieLensPeople, DecideForThemselvesAndForNobodyElse) {
  const std::string &withdraws = people_[0], &goes = people_[1], &held = people_[2],
                    &stays = people_[3], &never = people_[4];
  for (const std::string* person : {&withdraws, &goes, &held, &stays}) {
    EXPECT_EQ(recommend(*person), "consent_missing");
    EXPECT_EQ(grant(*person), "done");
    EXPECT_EQ(recommend(*person), "done");
  }
  EXPECT_EQ(recommend(never), "consent_missing");
  const Shop::Words consenting = {"--purpose", "recommendations", "--consent", "yes"};
  EXPECT_EQ(count(consenting), "4\n");

  EXPECT_EQ(code({"consent", "withdraw", "acme", withdraws, "--purpose", "recommendations"}),
            "done");
  EXPECT_EQ(next_of(withdraws), "consent_missing");
  expect_whole(withdraws);
  EXPECT_EQ(count(consenting), "3\n");

  EXPECT_EQ(code({"suppress", "acme", goes}), "done");
  EXPECT_EQ(ratings_read(goes), "suppressed");
  EXPECT_EQ(code({"put", "acme", goes, "1", "--purpose", "ratings"}, "4.0"), "suppressed");

  EXPECT_EQ(code({"hold", "add", "acme", held, "--basis", "litigation", "--reason", "case 17"}),
            "done");
  EXPECT_EQ(count({"--held", "yes"}), "1\n");
  EXPECT_EQ(code({"erase", "acme", held}), "legal_hold");
  EXPECT_EQ(ratings_read(held), "restricted");
  EXPECT_EQ(code({"hold", "release", "acme", held, "1"}), "done");
  EXPECT_EQ(ratings_read(held), "subject_unknown");

  EXPECT_EQ(next_of(stays), "done");
  EXPECT_EQ(count(consenting), "1\n");
  EXPECT_EQ(count({"--purpose", "ratings"}), std::to_string(people_.size() - 2) + '\n');
  for (std::size_t i = 3; i < people_.size(); i += 10) expect_whole(people_[i]);
}

TEST_F(MovieLensPeople, OfWhomOneIsSuppressedAreImportedAgainWithoutHer) {
  ASSERT_EQ(code({"suppress", "acme", people_[0]}), "done");
  const std::size_t hers = ratings_.at(people_[0]).size();
  const Ran again = shop_.run({"import", "acme", "--purpose", "ratings", "--subject", "userId",
                               "--name", "{movieId}", "--skip-bad", "--json", "--csv",
                               efface::test::movielens_csv().string()});
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(json::parse(again.out)["skipped"], hers);
  EXPECT_EQ(json::parse(again.out)["people"], people_.size() - 1);
  EXPECT_EQ(ratings_read(people_[0]), "suppressed");
  expect_whole(people_[1]);
}

}  // namespace
