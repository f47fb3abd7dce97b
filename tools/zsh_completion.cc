#include "tools/zsh_completion.h"

#include <algorithm>
#include <array>
#include <vector>

#include "tools/definitions.h"

namespace efface::cli {
namespace {

// With a backslash before each of these.
std::string zsh_escaped(std::string_view text, std::string_view these) {
  std::string out;
  for (const char c : text) {
    if (these.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_spec(const std::string& spec) { return " \\\n    " + zsh_quoted(spec); }

std::string zsh_specs_of(const CLI::Option& option) {
  const std::string says = option.get_description();
  const bool many = takes_many(option);
  if (option.get_positional()) {
    const std::string name = option.get_name(true);
    const char* const place = many ? "*:" : option.get_required() ? ":" : "::";
    const std::string kind = many && name == "DIR" ? "FILE" : name;  // Which may be either.
    return zsh_spec(place + zsh_message(name + ": " + says) + ':' + zsh_action(kind, says));
  }
  const std::vector<std::string> names = option_names(option);
  std::string specs;
  for (const std::string& name : names) {
    std::string spec = many ? "*" : names.size() > 1 ? '(' + in_a_line(names, " ") + ')' : "";
    spec += name;
    if (takes_value(option)) spec += name.starts_with("--") ? "=" : "+";
    spec += '[' + zsh_explained(says) + ']';
    const std::string kind = option.get_type_name();
    if (takes_value(option)) spec += ':' + zsh_message(kind) + ':' + zsh_action(kind, says);
    specs += zsh_spec(spec);
  }
  return specs;
}

std::string zsh_function(const std::string& name, const CLI::App& app) {
  const std::vector<const CLI::App*> verbs = shown_verbs(app);
  std::string specs;
  for (const CLI::Option* option : app.get_options())
    if (!option->get_group().empty()) specs += zsh_specs_of(*option);
  if (verbs.empty()) return name + "() {\n  _arguments -S" + specs + "\n}\n";

  std::string text = name +
                     "() {\n"
                     "  local curcontext=\"$curcontext\" state line\n"
                     "  typeset -A opt_args\n"
                     "  _arguments -C" +
                     specs + zsh_spec("(-): :->verb") + zsh_spec("(-)*:: :->rest") +
                     " && return\n"
                     "  local -a verbs=(\n";
  for (const CLI::App* verb : verbs)
    text +=
        "    " +
        zsh_quoted(zsh_message(verb->get_name()) + ':' + zsh_described(verb->get_description())) +
        '\n';
  text +=
      "  )\n"
      "  case $state in\n"
      "    verb) _describe -t verbs verb verbs ;;\n"
      "    rest) (( $+functions[" +
      name + "-$line[1]] )) && " + name +
      "-$line[1] ;;\n"
      "  esac\n"
      "}\n";
  for (const CLI::App* verb : verbs) text += zsh_function(name + '-' + verb->get_name(), *verb);
  return text;
}

}  // namespace

std::string zsh_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + '\'';
}

std::string zsh_explained(std::string_view text) { return zsh_escaped(text, "\\[]:"); }
std::string zsh_message(std::string_view text) { return zsh_escaped(text, ":"); }
std::string zsh_described(std::string_view text) { return zsh_escaped(text, "\\:"); }

std::string zsh_action(std::string_view kind, std::string_view says) {
  if (kind.find('|') != std::string_view::npos) {  // "yes|no".
    std::string words(kind);
    std::replace(words.begin(), words.end(), '|', ' ');
    return '(' + words + ')';
  }
  // Of "[REGION=]FILE" and "NAME[=DIR]", what comes last; the rest is the user's to say.
  if (kind.ends_with(']')) kind.remove_suffix(1);
  const std::string_view what = kind.substr(kind.find_last_of("=]") + 1);
  constexpr std::array<std::string_view, 3> files = {"FILE", "STORE", "CHECKPOINT"};
  std::string action;
  if (what == "DIR") action = "_files -/";
  if (std::find(files.begin(), files.end(), what) != files.end()) action = "_files";
  if (!action.empty() && what.size() != kind.size()) return "{compset -P \"*=\"; " + action + '}';
  if (!action.empty()) return action;
  if (says.find("@FILE") != std::string_view::npos) return "{compset -P @ && _files}";
  return " ";  // Nothing is offered: it says what the value is.
}

std::string zsh_completion(const CLI::App& app) {
  return "#compdef efface\n"
         "# Completion of efface for zsh, written by `efface completion zsh`.\n" +
         zsh_function("_efface", app) +
         "if [[ $funcstack[1] == _efface ]]; then\n"
         "  _efface \"$@\"\n"
         "else  # Sourced, not loaded by compinit.\n"
         "  compdef _efface efface\n"
         "fi";
}

}  // namespace efface::cli
