// Ids, names and values that hold a canary, at the command line: it is in what a question is
// answered with, and nowhere else.
#include <gtest/gtest.h>

#include "cli/desk.h"
#include "support/canary.h"

namespace efface::test {
namespace {

class CliCanary : public testing::Test {
 protected:
  CliCanary() {
    EXPECT_EQ(silent({"put", "acme", ann, "tea~7Qz3Vw9K", "--purpose", "ratings"}), 0);
    EXPECT_EQ(silent({"put", "acme", bob, "tea~7Qz3Vw9K", "--purpose", "ratings"}), 0);
  }
  // Answers the status. Neither what it says nor how it fails holds it.
  int silent(Shop::Words words, std::string_view input = "green~7Qz3Vw9K") {
    const Ran ran = desk_.run(words, input);
    EXPECT_FALSE(holds_canary(ran.out)) << words[0] << ", " << words.size() << " words";
    EXPECT_FALSE(holds_canary(ran.err)) << words[0] << ", " << words.size() << " words";
    return ran.status;
  }
  int asked(Shop::Words words) {
    const Ran ran = desk_.run(words);
    EXPECT_TRUE(holds_canary(ran.out)) << words[0];
    EXPECT_FALSE(holds_canary(ran.err)) << words[0];
    return ran.status;
  }

  Desk desk_;
  const std::string ann = "ann~7Qz3Vw9K";
  const std::string bob = "bob~7Qz3Vw9K";
};

TEST_F(CliCanary, IsInAnswersAlone) {
  EXPECT_EQ(asked({"get", "acme", ann, "tea~7Qz3Vw9K", "--purpose", "ratings"}), 0);
  EXPECT_EQ(asked({"export", "person", "acme", ann}), 0);
}

TEST_F(CliCanary, IsNotInWhatIsSaidOfWhatWasDone) {
  EXPECT_EQ(silent({"consent", "grant", "acme", ann, "--purpose", "letters"}), 0);
  EXPECT_EQ(silent({"consent", "withdraw", "acme", ann, "--purpose", "letters"}), 0);
  EXPECT_EQ(silent({"restrict", "acme", ann}), 0);
  EXPECT_EQ(silent({"suppress", "acme", bob}), 0);
  EXPECT_EQ(silent({"erase", "acme", ann, "nobody~7Qz3Vw9K"}), 0);
  for (const char* verb : {"stats", "check", "doctor", "maintain"}) silent({verb});
  EXPECT_EQ(silent({"ledger", "list"}), 0);
}

TEST_F(CliCanary, IsInNoErrorAndInNoUsage) {
  EXPECT_NE(silent({"get", "acme", "nobody~7Qz3Vw9K", "tea~7Qz3Vw9K", "--purpose", "ratings"}), 0);
  EXPECT_NE(silent({"get", "acme", ann, "tea~7Qz3Vw9K", "--purpose", "letters"}), 0);
  EXPECT_NE(silent({"put", "acme", ann, "tea~7Qz3Vw9K", "--purpose", "none"}), 0);
  EXPECT_NE(silent({"put", "nowhere", ann, "tea~7Qz3Vw9K", "--purpose", "ratings"}), 0);
  EXPECT_NE(silent({"put", "acme", std::string(300, 'x') + ann, "tea", "--purpose", "ratings"}), 0);
  EXPECT_NE(silent({"erase", "acme", "nobody~7Qz3Vw9K", "--surely"}), 0);
  EXPECT_NE(silent({"get", "acme", ann, "tea~7Qz3Vw9K", bob, "--purpose", "ratings"}), 0);
  EXPECT_NE(silent({"get", "acme", ann}), 0);
  EXPECT_NE(silent({"import", "acme"}, "{\"subject\":\"ann~7Qz3Vw9K\",\"value\":}\n"), 0);
  EXPECT_EQ(silent({"suppress", "acme", ann}), 0);
  EXPECT_NE(silent({"put", "acme", ann, "tea~7Qz3Vw9K", "--purpose", "ratings"}), 0);
}

TEST_F(CliCanary, IsInNoFile) {
  EXPECT_EQ(silent({"erase", "acme", bob}), 0);
  silent({"backup", "make", (desk_.path() / "copy").string()});
  for (const char* own : {"stdin", "stdout", "stderr"}) std::filesystem::remove(desk_.path() / own);
  EXPECT_FALSE(canary_below(desk_.path()));
}

}  // namespace
}  // namespace efface::test
