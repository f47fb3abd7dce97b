// cli/page.h -- runs what a page of docs/ shows and compares: every line after "$ " in a console
// block, all in one shell and one directory. <words> in the output of the page stands for any text.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/run.h"

namespace efface::test {

struct Step {
  std::string command;
  std::vector<std::string> expected;
  std::size_t line = 0;
};

inline std::vector<Step> steps_of(const std::string& page) {
  std::vector<Step> steps;
  std::istringstream lines(page);
  std::string line;
  bool inside = false;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line == "```console" || line == "```") {
      inside = line == "```console";
    } else if (inside && line.starts_with("$ ")) {
      steps.push_back({line.substr(2), {}, number});
    } else if (inside && line.starts_with("> ") && !steps.empty() &&
               steps.back().expected.empty()) {
      steps.back().command += '\n' + line.substr(2);
    } else if (inside && !steps.empty()) {
      steps.back().expected.push_back(line);
    }
  }
  return steps;
}

// Whether text is the pattern, with something in place of each <words>.
inline bool agrees(std::string_view text, std::string_view pattern) {
  const std::size_t open = pattern.find('<');
  const std::size_t close = pattern.find('>', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return text == pattern;
  if (!text.starts_with(pattern.substr(0, open))) return false;
  for (std::size_t end = open + 1; end <= text.size(); ++end)
    if (agrees(text.substr(end), pattern.substr(close + 1))) return true;
  return false;
}

inline std::string output_of(const std::string& command) {
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  std::array<char, 4096> some{};
  for (std::size_t got = 0; (got = std::fread(some.data(), 1, some.size(), pipe)) > 0;)
    text.append(some.data(), got);
  ::pclose(pipe);
  return text;
}

// Runs the steps of docs/PAGE in the directory and expects of each what the page says.
inline void expect_page(const std::string& page, const TempDirectory& directory,
                        std::size_t steps_min) {
  const std::vector<Step> steps = steps_of(content_of(EFFACE_SOURCE_DIR "/docs/" + page));
  ASSERT_GE(steps.size(), steps_min);
  const std::string end_mark = "---- end of this command ----";
  std::string script = "cd '" + directory.path().string() +
                       "'\nPATH='" EFFACE_CLI_DIR
                       ":'$PATH\nunset EFFACE_STORE EFFACE_ROOT_KEY EFFACE_PASSPHRASE_FILE\n"
                       "export PATH EFFACE_ACCEPT_LEVEL=L0\nexec 2>&1\n";
  for (const Step& step : steps) script += step.command + "\nprintf '\\n" + end_mark + "\\n'\n";
  write_file(directory / "script", script);
  std::istringstream lines(output_of("sh '" + (directory / "script").string() + "'"));

  for (const Step& step : steps) {
    std::vector<std::string> got;
    std::string line;
    while (std::getline(lines, line) && line != end_mark) got.push_back(line);
    if (!got.empty() && got.back().empty()) got.pop_back();  // The mark's own line end.
    EXPECT_EQ(got.size(), step.expected.size()) << "docs/" << page << ", line " << step.line;
    for (std::size_t i = 0; i < std::min(got.size(), step.expected.size()); ++i)
      EXPECT_TRUE(agrees(got[i], step.expected[i]))
          << "docs/" << page << ", line " << step.line + 1 + i << "\n  shown: " << step.expected[i]
          << "\n  is:    " << got[i];
  }
}

}  // namespace efface::test
