#include "tools/usage.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "tools/text.h"

namespace efface::cli {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 14> other_words = {{
    {"create", "init"},
    {"delete", "remove"},
    {"rm", "remove"},
    {"forget", "erase"},
    {"set", "put"},
    {"write", "put"},
    {"read", "get"},
    {"ls", "list"},
    {"scan", "list"},
    {"vacuum", "maintain"},
    {"stats", "stat"},
    {"release", "hold release"},
    {"revoke", "consent withdraw"},
    {"block", "suppress"},
}};

bool is_shown(const CLI::App* verb) { return !verb->get_group().empty(); }

const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().back();
  return *at;
}

// The words that may follow, with what one writes for them.
using Words = std::vector<std::pair<std::string, std::string>>;
std::optional<std::string> nearest(const std::string& given, const Words& words) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, given.size() / 3) + 1;
  for (const auto& [word, written] : words) {
    const std::size_t edits = distance(given, word);
    if (edits >= best_distance) continue;
    best = written;
    best_distance = edits;
  }
  return best;
}

// Near ones first: of two that are as like, it is the one meant.
Words verbs_of(const CLI::App& app, const std::string& before) {
  Words words;
  Words deeper;
  for (const CLI::App* verb : app.get_subcommands(is_shown)) {
    words.emplace_back(verb->get_name(), before + verb->get_name());
    for (const auto& [word, written] : verbs_of(*verb, before + verb->get_name() + ' '))
      deeper.emplace_back(word, written);
  }
  words.insert(words.end(), deeper.begin(), deeper.end());
  return words;
}

Words options_of(const CLI::App& app) {
  Words words;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames())
      words.emplace_back("--" + name, "--" + name);
  return words;
}

std::string list_of(const CLI::App& app) {
  std::string text;
  for (const CLI::App* verb : app.get_subcommands(is_shown))
    text += (text.empty() ? "" : ", ") + verb->get_name();
  return text;
}

std::string wrong_verb(const CLI::App& at, const std::vector<std::string>& rest) {
  std::string path;
  for (const CLI::App* group = &at; group->get_parent() != nullptr; group = group->get_parent())
    path = group->get_name() + ' ' + path;
  for (const std::string& word : rest) {
    if (word.starts_with('-')) continue;
    Words words = verbs_of(at, path);
    std::optional<std::string> meant = nearest(word, words);
    for (const auto& [other, verb] : other_words)
      if (word == other && path.empty()) meant = std::string(verb);
    return meant ? "no such verb; did you mean `efface " + *meant + "`?"
                 : "no such verb; there are " + list_of(at);
  }
  return "a verb is missing: " + list_of(at);
}

}  // namespace

Failure explain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& at = innermost(app);
  const std::vector<std::string> rest = app.remaining(true);
  const bool wants_verb = !at.get_subcommands(is_shown).empty();
  if (wants_verb) return usage(wrong_verb(at, rest));
  for (const std::string& word : rest) {
    if (word.size() < 2 || !word.starts_with('-')) continue;
    const auto meant = nearest(word.substr(0, word.find('=')), options_of(at));
    return usage("this verb has no such option" +
                 (meant
                      ? "; did you mean " + *meant + '?'
                      : std::string("; what begins with - and is no option goes last, after --")));
  }
  // These texts hold names of options and numbers alone.
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr ||
      dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
    return usage(error.what());
  if (!rest.empty()) return usage("an argument too many");
  return usage("the command line does not parse: see --help");
}

}  // namespace efface::cli
