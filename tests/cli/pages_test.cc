// The manual pages and the completion of bash, against what the help of each verb says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "cli/destroying.h"
#include "cli/page.h"
#include "cli/run.h"

namespace {

namespace fs = std::filesystem;
using efface::test::Shop;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using Words = Shop::Words;

constexpr std::size_t help_lines_max = 60;

struct Help {
  Words path;  // Without "efface".
  std::string text;
  Words verbs;
  Words options;  // Long ones.
  std::size_t lines = 0;
};

Help help_of(const Shop& shop, const Words& path) {
  Help help{path, {}, {}, {}, 0};
  Words words = path;
  words.emplace_back("--help");
  help.text = shop.run(words).out;
  std::istringstream lines(help.text);
  bool in_verbs = false;
  for (std::string line; std::getline(lines, line); ++help.lines) {
    if (!line.starts_with("  ")) in_verbs = line == "Subcommands:";
    if (!line.starts_with("  ") || line.starts_with("   ")) continue;
    const std::string word = line.substr(2, line.find_first_of(" ,", 2) - 2);
    if (in_verbs) help.verbs.push_back(word);
    const std::size_t option = line.find("--");
    if (!in_verbs && (option == 2 || (option == 5 && line[2] == '-')))
      help.options.push_back(line.substr(option, line.find(' ', option) - option));
  }
  return help;
}

// Every verb there is, found as a user would find it.
void add_all(const Shop& shop, const Words& path, std::vector<Help>& all) {
  const Help help = help_of(shop, path);
  all.push_back(help);
  for (const std::string& verb : help.verbs) {
    Words longer = path;
    longer.push_back(verb);
    add_all(shop, longer, all);
  }
}

const std::vector<Help>& all_help() {
  static const std::vector<Help> found = [] {
    std::vector<Help> all;
    add_all(Shop("help"), {}, all);
    return all;
  }();
  return found;
}

std::string dashed(const Words& path, const std::string& between) {
  std::string name = "efface";
  for (const std::string& word : path) name += between + word;
  return name;
}

// As the page's source has it.
std::string in_troff(std::string text) {
  for (std::size_t at = 0; (at = text.find('-', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

TEST(Help, OfEveryVerbFitsAScreenAndShowsAnExample) {
  EXPECT_GT(all_help().size(), 60u);
  for (const Help& help : all_help()) {
    EXPECT_LE(help.lines, help_lines_max) << dashed(help.path, " ");
    if (!help.verbs.empty()) continue;
    const std::size_t example = help.text.find("Example:\n");
    ASSERT_NE(example, std::string::npos) << dashed(help.path, " ");
    EXPECT_THAT(help.text.substr(example), HasSubstr(dashed(help.path, " ")));
  }
}

TEST(Help, OfEveryVerbThatDestroysOffersADryRun) {
  std::size_t verbs = 0;
  for (const Help& help : all_help()) {
    if (!help.verbs.empty()) continue;
    ++verbs;
    const std::string verb = dashed(help.path, " ").substr(std::string("efface ").size());
    const bool destroys = efface::test::destroying.contains(verb);
    EXPECT_NE(destroys, efface::test::keeping.contains(verb))
        << "cli/destroying.h does not say whether this verb destroys: " << verb;
    EXPECT_EQ(std::ranges::count(help.options, "--dry-run"), destroys ? 1 : 0) << verb;
  }
  EXPECT_EQ(verbs, efface::test::destroying.size() + efface::test::keeping.size());
}

TEST(Help, LeadsFromEveryVerbThatIsMistypedToIt) {
  const Shop shop("mistyped");
  for (const Help& help : all_help()) {
    if (help.path.empty() || help.path.back().size() < 4) continue;
    Words words = help.path;
    words.back().pop_back();  // "tenan".
    const efface::test::Ran ran = shop.run(words);
    EXPECT_EQ(ran.status, 2) << dashed(words, " ");
    EXPECT_THAT(ran.err, HasSubstr("did you mean `" + dashed(help.path, " ") + "`?"));
  }
}

TEST(ManualPages, SayWhatTheHelpOfEachVerbSays) {
  const Shop shop("manual");
  const fs::path pages = shop.path() / "pages";
  fs::create_directory(pages);
  ASSERT_EQ(shop.run({"manual", pages.string()}).status, 0);
  for (const Help& help : all_help()) {
    const std::string page = efface::test::content_of(pages / (dashed(help.path, "-") + ".1"));
    EXPECT_THAT(page, HasSubstr(".TH " + in_troff(dashed(help.path, "-")) + " 1 "));
    for (const std::string& option : help.options) EXPECT_THAT(page, HasSubstr(in_troff(option)));
    for (const std::string& verb : help.verbs)
      EXPECT_THAT(page, HasSubstr(in_troff(dashed(help.path, "-") + "-" + verb)));
    EXPECT_EQ(page.find(".SH OPTIONS\n"), page.rfind(".SH OPTIONS\n"));
    EXPECT_EQ(page.find("\\fI\\fR"), std::string::npos) << "a value without a name";
    EXPECT_EQ(page.find(".SH EXAMPLE\n") != std::string::npos, help.verbs.empty());
  }
  const auto files = std::distance(fs::directory_iterator(pages), fs::directory_iterator());
  EXPECT_EQ(static_cast<std::size_t>(files), all_help().size());
  EXPECT_EQ(shop.run({"manual", (shop.path() / "nowhere").string()}).status, 3);
}

TEST(ManualPages, AreTroffWithoutAWarning) {
  const Shop shop("troff");
  ASSERT_EQ(shop.run({"manual", shop.path().string()}).status, 0);
  const auto warnings = [&](const std::string& pages) {
    return efface::test::output_of("cd '" + shop.path().string() + "' && groff -man -ww -z " +
                                   pages + " 2>&1");
  };
  EXPECT_EQ(warnings("*.1"), "");
  efface::test::write_file(shop.path() / "bad.1", ".TH bad 1\n.SH NAME\n.no_such_macro\n");
  EXPECT_NE(warnings("bad.1"), "");
}

// What bash offers where the last of the words is being typed.
Words offered(const Shop& shop, const Words& words) {
  std::string line = "efface";
  for (const std::string& word : words) line += " '" + word + "'";
  efface::test::write_file(shop.path() / "ask",
                           "source '" + (shop.path() / "completion").string() + "'\nCOMP_WORDS=(" +
                               line +
                               ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_efface\n"
                               "printf '%s\\n' \"${COMPREPLY[@]}\"\n");
  std::istringstream lines(
      efface::test::output_of("bash '" + (shop.path() / "ask").string() + "' 2>&1"));
  Words out;
  for (std::string one; std::getline(lines, one);)
    if (!one.empty()) out.push_back(one);
  return out;
}

TEST(BashCompletion, OffersTheVerbsAndOptionsOfTheHelpAndNothingElse) {
  const Shop shop("completion");
  efface::test::write_file(shop.path() / "completion", shop.run({"completion"}).out);
  for (const Help& help : all_help()) {
    Words words = help.path;
    words.emplace_back("");
    Words there = help.verbs;
    there.insert(there.end(), help.options.begin(), help.options.end());
    const Words got = offered(shop, words);
    EXPECT_THAT(got, IsSupersetOf(there)) << dashed(help.path, " ");
    EXPECT_EQ(got.size(), there.size() + 1) << "and -h: " << dashed(help.path, " ");
  }
}

TEST(BashCompletion, GoesByWhatWasTyped) {
  const Shop shop("typed");
  efface::test::write_file(shop.path() / "completion", shop.run({"completion"}).out);
  EXPECT_EQ(offered(shop, {"ten"}), Words({"tenant"}));
  EXPECT_EQ(offered(shop, {"tenant", "off"}), Words({"offboard"}));
  EXPECT_EQ(offered(shop, {"tenant", "offboard", "acme", "--tok"}), Words({"--token"}));
  EXPECT_EQ(offered(shop, {"stat", "--json", "--ver"}), Words({"--verify"}));
  // A value is the user's to say; of a word that is no verb nothing is made up.
  EXPECT_EQ(offered(shop, {"stat", "--store", ""}), Words());
  EXPECT_EQ(offered(shop, {"manu"}), Words());
}

}  // namespace
