// Manual pages and the completion of shells, from the definitions that the parser itself has: what
// is added there is in all of them. Verbs of their own, not shown: the build calls them.
#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/definitions.h"
#include "tools/verbs.h"
#include "tools/zsh_completion.h"

namespace efface::cli {
namespace {

// As text of troff, which gives a meaning to \, to - and to . or ' at the beginning of a line.
std::string troff(std::string_view text) {
  std::string out;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    begins = c == '\n';
  }
  return out;
}

std::string synopsis_of(const CLI::App& app) {
  std::string text = "\\fB" + troff(in_a_line(verb_path(app), " ")) + "\\fR";
  const bool group = !shown_verbs(app).empty();
  text += group ? " \\fIVERB\\fR ..." : " [\\fIOPTION\\fR ...]";
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    std::string name = "\\fI" + troff(option->get_name(true)) + "\\fR";
    if (option->get_expected_max() > 1) name += " ...";
    text += option->get_required() ? ' ' + name : " [" + name + ']';
  }
  return text;
}

void add_option(const CLI::Option& option, std::string& page) {
  page += ".TP\n";
  if (option.get_positional()) {
    page += "\\fI" + troff(option.get_name(true)) + "\\fR\n";
  } else {
    page += "\\fB" + troff(in_a_line(option_names(option), ", ")) + "\\fR";
    if (takes_value(option)) page += " \\fI" + troff(option.get_type_name()) + "\\fR";
    page += '\n';
  }
  page += troff(option.get_description()) + '\n';
  if (option.get_required() && !option.get_positional()) page += "Required.\n";
}

// Arguments, then the verb's own options, then those that every verb has: as the help has them.
void add_options(const CLI::App& app, std::string& page) {
  std::vector<std::string> groups = {"ARGUMENTS", "OPTIONS"};
  std::map<std::string, std::string> said;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    std::string group = option->get_positional() ? groups.front() : option->get_group();
    for (char& c : group)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
    add_option(*option, said[group]);
  }
  for (const std::string& group : groups)
    if (!said[group].empty()) page += ".SH " + troff(group) + '\n' + said[group];
}

std::string manual_page(const CLI::App& app, const std::string& version) {
  const std::vector<std::string> path = verb_path(app);
  const std::string title = in_a_line(path, "-");
  std::string page = ".TH " + troff(title) + " 1 \"\" \"" + troff(version) + "\"\n.SH NAME\n" +
                     troff(title) + " \\- " + troff(app.get_description()) + "\n.SH SYNOPSIS\n" +
                     synopsis_of(app) + '\n';
  add_options(app, page);
  const std::vector<const CLI::App*> verbs = shown_verbs(app);
  if (!verbs.empty()) page += ".SH VERBS\n";
  for (const CLI::App* verb : verbs)
    page += ".TP\n\\fB" + troff(in_a_line(verb_path(*verb), "-")) + "\\fR(1)\n" +
            troff(verb->get_description()) + '\n';
  const std::string footer = app.get_footer();
  constexpr std::string_view example = "Example:\n";
  if (verbs.empty() && footer.starts_with(example))
    page += ".SH EXAMPLE\n.nf\n" + troff(footer.substr(example.size())) + "\n.fi\n";
  page +=
      ".SH EXIT STATUS\n0 done, 1 refused or not found, 2 usage, 3 I/O or corruption.\n"
      ".SH SEE ALSO\n";
  page += app.get_parent() == nullptr
              ? "Each verb has a page of its own.\n"
              : "\\fB" + troff(in_a_line(verb_path(*app.get_parent()), "-")) + "\\fR(1)\n";
  return page;
}

void write_pages(const CLI::App& app, const std::string& version, const std::string& directory) {
  const std::string path = directory + '/' + in_a_line(verb_path(app), "-") + ".1";
  std::ofstream page(path, std::ios::binary);
  page << manual_page(app, version);
  if (!page.flush()) throw system_failure("a page cannot be written there");
  for (const CLI::App* verb : shown_verbs(app)) write_pages(*verb, version, directory);
}

struct Completion {
  std::string verbs;   // Patterns of the paths that there are.
  std::string valued;  // Of a path and an option that takes a value.
  std::string words;   // What may follow each path.
};

void add_completion(const CLI::App& app, const std::string& path, Completion& to) {
  std::vector<std::string> words;
  for (const CLI::App* verb : shown_verbs(app)) {
    words.push_back(verb->get_name());
    const std::string longer = path + ' ' + verb->get_name();
    to.verbs += (to.verbs.empty() ? "\"" : " | \\\n      \"") + longer + '"';
    add_completion(*verb, longer, to);
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option_names(*option)) {
      words.push_back(name);
      if (takes_value(*option))
        to.valued += (to.valued.empty() ? "\"" : " | \\\n    \"") + path + ' ' + name + '"';
    }
  }
  to.words += "    \"" + path + "\") words=\"" + in_a_line(words, " ") + "\" ;;\n";
}

std::string bash_completion(const CLI::App& app) {
  Completion made;
  add_completion(app, "", made);
  return "# Completion of efface for bash, written by `efface completion`.\n"
         "_efface() {\n"
         "  local path='' words='' previous=${COMP_WORDS[COMP_CWORD-1]} i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case \"$path ${COMP_WORDS[i]}\" in\n"
         "      " +
         made.verbs +
         ") path+=\" ${COMP_WORDS[i]}\" ;;\n"
         "    esac\n"
         "  done\n"
         "  COMPREPLY=()\n"
         "  case \"$path $previous\" in\n"
         "    " +
         made.valued +
         ") return ;;  # A file, perhaps: what bash itself does.\n"
         "  esac\n"
         "  case \"$path\" in\n" +
         made.words +
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
         "}\n"
         "complete -o default -F _efface efface";
}

}  // namespace

void add_pages_verbs(const Verbs& verbs) {
  Action& action = verbs.action;
  CLI::App& app = verbs.app;
  const auto directory = std::make_shared<std::string>();
  CLI::App& manual = *app.add_subcommand("manual", "Write the manual pages")->group("");
  text_option(manual, "DIR", *directory, "Where to").required();
  manual.callback([&app, &action, directory] {
    action = [&app, directory](Output&) { write_pages(app, app.version(), *directory); };
  });
  const auto shell = std::make_shared<std::string>("bash");
  CLI::App& completion = *app.add_subcommand("completion", "The completion of a shell")->group("");
  text_option(completion, "SHELL", *shell, "bash (default) or zsh");
  completion.callback([&app, &action, shell] {
    action = [&app, shell](Output& out) {
      if (*shell != "bash" && *shell != "zsh") throw usage("there is completion for bash and zsh");
      out.line(*shell == "zsh" ? zsh_completion(app) : bash_completion(app));
    };
  });
}

}  // namespace efface::cli
