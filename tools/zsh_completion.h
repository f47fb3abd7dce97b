// tools/zsh_completion.h -- the completion of zsh, from the definitions that the parser has.
//
// Source  zshcompsys(1): #compdef, _arguments, _describe.
#pragma once
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace efface::cli {

// The file _efface: a function a verb, and one for what has verbs below it.
std::string zsh_completion(const CLI::App& app);

// Text as each place takes it: a word of the shell; what an option is for, between [ and ]; what a
// value is, between colons; what a verb is for, after one.
std::string zsh_quoted(std::string_view text);
std::string zsh_explained(std::string_view text);
std::string zsh_message(std::string_view text);
std::string zsh_described(std::string_view text);

// What completes a value: of a kind such as "[REGION=]FILE", and what the help says of it.
std::string zsh_action(std::string_view kind, std::string_view says);

}  // namespace efface::cli
