// tools/definitions.h -- what the parser knows of the verbs and their options, as the manual pages
// and the completion of shells read it.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace efface::cli {

// Directly below, without those that only the build calls.
std::vector<const CLI::App*> shown_verbs(const CLI::App& app);
// From the command line down to the verb: "efface", "tenant", "add".
std::vector<std::string> verb_path(const CLI::App& app);

// "-h", "--help". Of an argument, which has a place instead: none.
std::vector<std::string> option_names(const CLI::Option& option);
bool takes_value(const CLI::Option& option);
bool takes_many(const CLI::Option& option);  // Or is given again for more.

std::string in_a_line(const std::vector<std::string>& words, const char* between);

}  // namespace efface::cli
