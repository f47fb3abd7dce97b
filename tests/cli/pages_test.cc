// The manual pages and the completion of shells, against what the help of each verb says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/destroying.h"
#include "cli/page.h"
#include "cli/run.h"

namespace {

namespace fs = std::filesystem;
using efface::test::Shop;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAreArray;
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

// The functions of the completion of zsh, by name, each a line an element.
std::map<std::string, Words> zsh_functions(const std::string& completion) {
  std::map<std::string, Words> functions;
  std::istringstream lines(completion);
  Words* inside = nullptr;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with("() {"))
      inside = &functions[line.substr(0, line.size() - 4)];
    else if (line == "}")
      inside = nullptr;
    else if (inside != nullptr)
      inside->push_back(line);
  }
  return functions;
}

// Whether one of the lines says that of it, between those, and not nothing.
bool says_of(const Words& lines, const std::string& name, const std::string& between) {
  return std::ranges::any_of(lines, [&](const std::string& line) {
    const std::size_t at = line.find(name + between);
    const std::size_t said = at + name.size() + between.size();
    return at != std::string::npos && line.size() > said + 5 && line[said] != ']';
  });
}

TEST(ZshCompletion, HasEveryVerbAndOptionOfTheHelpWithWhatItIsFor) {
  const Shop shop("zsh");
  const std::string completion = shop.run({"completion", "zsh"}).out;
  EXPECT_TRUE(completion.starts_with("#compdef efface\n"));
  const auto functions = zsh_functions(completion);
  EXPECT_EQ(functions.size(), all_help().size());
  for (const Help& help : all_help()) {
    const std::string name = '_' + dashed(help.path, "-");
    ASSERT_TRUE(functions.contains(name)) << name;
    const Words& lines = functions.at(name);
    for (const std::string& verb : help.verbs)
      EXPECT_TRUE(says_of(lines, '\'' + verb, ":")) << name << ' ' << verb;
    for (const std::string& option : help.options)
      EXPECT_TRUE(says_of(lines, option, "[") || says_of(lines, option, "=[")) << name << option;
    EXPECT_FALSE(says_of(lines, "--no-such-option", "["));
    const auto options = std::ranges::count_if(lines, [](const std::string& line) {
      return line.starts_with("    '-") || line.starts_with("    '*-") ||
             line.starts_with("    '(-h");
    });
    EXPECT_EQ(static_cast<std::size_t>(options), help.options.size() + 1) << "and -h: " << name;
  }
  EXPECT_THAT(functions.at("_efface-stat"),
              Contains(HasSubstr("--json[One JSON object a line; errors too, on stderr]'")));
  EXPECT_EQ(shop.run({"completion", "fish"}).status, 2);
  EXPECT_EQ(shop.run({"completion", "bash"}).out, shop.run({"completion"}).out);
}

#ifdef EFFACE_ZSH

// What zsh offers where each of these lines is being typed, with what it shows of it.
using Offers = std::map<std::string, std::string>;
std::vector<Offers> zsh_offers(const Shop& shop, const Words& lines) {
  const std::string in = shop.path().string() + '/';
  fs::create_directory(in + "functions");
  fs::create_directory(in + "directory");
  efface::test::write_file(in + "functions/_efface", shop.run({"completion", "zsh"}).out);
  std::string questions;
  for (const std::string& line : lines) questions += line + '\n';
  efface::test::write_file(in + "questions", questions);
  fs::copy_file(EFFACE_SOURCE_DIR "/tests/cli/ask.zsh", in + ".zshrc");
  // On a terminal, as zsh completes nowhere else.
  EXPECT_EQ(
      efface::test::output_of("cd '" + in + "' && ZDOTDIR='" + in +
                              "' " EFFACE_ZSH " -f -c 'zmodload zsh/zpty && zpty ask " EFFACE_ZSH
                              " -d -i && while zpty -r ask said; do :; done' 2>&1"),
      "");
  std::vector<Offers> offers;
  std::istringstream answers(efface::test::content_of(in + "answers"));
  for (std::string line; std::getline(answers, line);) {
    const std::size_t tab = line.find('\t');
    if (line.starts_with("? "))
      offers.emplace_back();
    else if (tab != std::string::npos && !offers.empty())
      offers.back()[line.substr(0, tab)] = line.substr(tab + 1);
  }
  EXPECT_EQ(offers.size(), lines.size());
  offers.resize(lines.size());
  return offers;
}

Words names_in(const Offers& offers) {
  Words names;
  for (const auto& [name, shown] : offers) names.push_back(name);
  return names;
}

TEST(ZshCompletion, OffersTheVerbsAndOptionsOfTheHelpAndNothingElse) {
  const Shop shop("zsh-all");
  Words lines;
  for (const Help& help : all_help()) {
    lines.push_back(dashed(help.path, " ") + " -");
    lines.push_back(dashed(help.path, " ") + ' ');
  }
  const std::vector<Offers> offers = zsh_offers(shop, lines);
  for (std::size_t i = 0; i < all_help().size(); ++i) {
    const Help& help = all_help()[i];
    Words options = help.options;
    options.emplace_back("-h");
    EXPECT_THAT(names_in(offers[2 * i]), UnorderedElementsAreArray(options)) << lines[2 * i];
    if (help.verbs.empty()) continue;
    EXPECT_THAT(names_in(offers[2 * i + 1]), UnorderedElementsAreArray(help.verbs))
        << lines[2 * i + 1];
  }
}

TEST(ZshCompletion, GoesByWhatWasTypedAndSaysWhatItIsFor) {
  const Shop shop("zsh-typed");
  const Words lines = {"efface ten",
                       "efface tenant offboard acme --tok",
                       "efface stat --json --ver",
                       "efface stat --store ",
                       "efface stat --root-key eu=direc",
                       "efface query acme --held ",
                       "efface stat --store a --sto",
                       "efface stat --root-key a --root",
                       "efface manu",
                       "efface tenant -- --js",
                       "efface purpose a"};
  const std::vector<Offers> offers = zsh_offers(shop, lines);
  EXPECT_THAT(names_in(offers[0]), ElementsAre("tenant"));
  EXPECT_THAT(names_in(offers[1]), ElementsAre("--token"));
  EXPECT_THAT(names_in(offers[2]), ElementsAre("--verify"));
  EXPECT_THAT(names_in(offers[3]), ElementsAre("directory", "functions"));
  EXPECT_THAT(names_in(offers[4]), ElementsAre("directory"));
  EXPECT_THAT(names_in(offers[5]), ElementsAre("no", "yes"));
  EXPECT_THAT(names_in(offers[6]), IsEmpty());  // Given already.
  EXPECT_THAT(names_in(offers[7]), ElementsAre("--root-key"));
  EXPECT_THAT(names_in(offers[8]), IsEmpty());
  EXPECT_THAT(names_in(offers[9]), IsEmpty());
  EXPECT_THAT(names_in(offers[10]), ElementsAre("add"));
  EXPECT_THAT(offers[2].at("--verify"),
              HasSubstr("Check every page of the files before they are opened"));
}

#endif

}  // namespace
