#include <algorithm>
#include <array>
#include <cctype>

#include "house/rules.h"

namespace house {
namespace {

bool is_in(const File& file, std::initializer_list<std::string_view> folders) {
  return std::any_of(folders.begin(), folders.end(),
                     [&](std::string_view folder) { return stands_in(file, folder); });
}

bool is_in_targets(const File& file) {
  return is_in(file, {"lib", "tools", "tests", "bench", "fuzz", "docs"});
}

const File* find(const Tree& tree, std::string_view path) {
  for (const File& file : tree)
    if (file.path == path) return &file;
  return nullptr;
}

std::string without_hash_comments(std::string_view text) {
  std::string out;
  for (const std::string_view line : lines_of(text))
    out.append(line.substr(0, line.find('#'))).push_back('\n');
  return out;
}

// Whether a list of CMake names this file, as itself or at the end of a path.
bool names(std::string_view list, std::string_view name) {
  const auto ends = [](char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0 || c == '(' || c == ')' || c == '"' ||
           c == ';';
  };
  for (std::size_t at = list.find(name); at != std::string_view::npos;
       at = list.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool begins = at == 0 || ends(list[at - 1]) || list[at - 1] == '/';
    if (begins && (end == list.size() || ends(list[end]))) return true;
  }
  return false;
}

constexpr std::string_view test_command = ".ci/setup && cmake --workflow --preset test";
constexpr std::string_view demo_command = ".ci/setup && cmake --workflow --preset demo";

}  // namespace

Findings sources_are_in_a_target(const Tree& tree) {
  Findings findings;
  for (const File& file : tree) {
    if (!is_source(file) || !is_in_targets(file)) continue;
    const File* list = nullptr;
    std::string folder = folder_of(file.path);
    for (; !folder.empty() && list == nullptr; folder = folder_of(folder)) {
      list = find(tree, folder + "/CMakeLists.txt");
      if (list != nullptr) break;
    }
    if (list == nullptr || !names(without_hash_comments(list->text),
                                  std::string_view(file.path).substr(folder.size() + 1)))
      findings.push_back(
          {file.path, 0, "is in no target: name it in the CMakeLists.txt beside it"});
  }
  return findings;
}

Findings public_headers_are_installed(const Tree& tree) {
  Findings findings;
  const File* const list = find(tree, "lib/CMakeLists.txt");
  const File* const umbrella = find(tree, "include/efface/efface.h");
  for (const File& file : tree) {
    if (!is_header(file) || !stands_in(file, "include")) continue;
    const std::string name = file.path.substr(std::string_view("include/").size());
    if (list == nullptr || !names(without_hash_comments(list->text), name))
      findings.push_back({file.path, 0, "is not in the header set of lib/CMakeLists.txt"});
    // The C interface stands alone; export.h says nothing to a user.
    if (umbrella == nullptr || &file == umbrella || name == "efface/capi.h" ||
        name == "efface/export.h")
      continue;
    const auto included = includes_of(*umbrella);
    if (std::none_of(included.begin(), included.end(),
                     [&](const Include& include) { return include.name == name; }))
      findings.push_back({file.path, 0, "is not in efface/efface.h"});
  }
  return findings;
}

Findings headers_say_what_they_are(const Tree& tree) {
  Findings findings;
  for (const File& file : tree) {
    if (!is_header(file)) continue;
    if (places_of(without_comments(file.text), "#pragma once").empty())
      findings.push_back({file.path, 1, "has no #pragma once"});
    // include/efface/x.h is spoken of as efface/x.h, lib/os/x.h as os/x.h.
    const std::string name = file.path.substr(file.path.find('/') + 1);
    const bool ours = is_in(file, {"include", "lib"});
    if (!file.text.starts_with(ours ? "// " + name + " -- " : "// "))
      findings.push_back({file.path, 1, "opens with \"// " + name + " -- what it is\""});
  }
  return findings;
}

Findings sizes_are_kept(const Tree& tree) {
  Findings findings;
  for (const File& file : tree) {
    if (!is_cxx(file)) continue;
    const auto lines = lines_of(file.text);
    const std::size_t lines_max = is_in(file, {"lib", "include", "tools"}) ? 500 : 600;
    if (lines.size() > lines_max)
      findings.push_back({file.path, 0, "has more than " + std::to_string(lines_max) + " lines"});
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (lines[i].size() > 100) findings.push_back({file.path, i + 1, "is over 100 columns"});
  }
  return findings;
}

Findings text_is_plain(const Tree& tree) {
  Findings findings;
  for (const File& file : tree) {
    std::size_t number = 0;
    for (const std::string_view line : lines_of(file.text)) {
      ++number;
      const auto plain = [](char c) { return c >= 0x20 && c < 0x7f; };
      if (!std::all_of(line.begin(), line.end(), plain))
        findings.push_back({file.path, number, "holds a tab or something that is not ASCII"});
      if (!line.empty() && line.back() == ' ')
        findings.push_back({file.path, number, "ends in a space"});
    }
    if (!file.text.empty() && file.text.back() != '\n')
      findings.push_back({file.path, number, "has no newline at its end"});
  }
  return findings;
}

Findings nothing_is_left_lying_about(const Tree& tree) {
  // In two halves, or this file would be its own finding.
  static constexpr std::array<std::string_view, 4> roots = {
      "/ho"
      "me/",
      "/ro"
      "ot/",
      "/wo"
      "rk/",
      "/Us"
      "ers/"};
  static constexpr std::array<std::string_view, 4> notes = {
      "TO"
      "DO",
      "FIX"
      "ME",
      "XX"
      "X",
      "HA"
      "CK"};
  Findings findings;
  for (const File& file : tree) {
    for (const std::string_view root : roots) {
      for (std::size_t at = file.text.find(root); at != std::string::npos;
           at = file.text.find(root, at + 1)) {
        const char before = at == 0 ? ' ' : file.text[at - 1];
        if (std::isalnum(static_cast<unsigned char>(before)) != 0 || before == '_' ||
            before == '.' || before == '-' || before == '}' || before == ']' || before == '*')
          continue;
        findings.push_back({file.path, line_at(file.text, at), "a path of one machine"});
      }
    }
    for (const std::string_view note : notes)
      for (const std::size_t at : places_of(file.text, note))
        findings.push_back({file.path, line_at(file.text, at), "do it, or leave it out"});
  }
  return findings;
}

Findings skips_say_what_they_need(const Tree& tree) {
  Findings findings;
  for (const File& file : tree) {
    if (!is_cxx(file) || !is_in(file, {"tests", "docs"})) continue;
    const std::string code = without_comments(file.text);
    const std::string bare = code_alone(file.text);
    for (const std::size_t at : places_of(bare, "GTEST_SKIP")) {
      const std::size_t opens = code.find('"', at);
      const std::size_t ends = bare.find(';', at);
      if (opens == std::string::npos || opens > ends || code.compare(opens + 1, 6, "needs ") != 0)
        findings.push_back({file.path, line_at(code, at), "a reason begins with \"needs \""});
    }
    for (std::size_t at = bare.find("DISABLED_"); at != std::string::npos;
         at = bare.find("DISABLED_", at + 1))
      findings.push_back({file.path, line_at(bare, at), "a test that does not run is no test"});
  }
  return findings;
}

Findings readme_commands_are_real(const Tree& tree) {
  Findings findings;
  const auto wants = [&](std::string_view path, std::string_view what) {
    const File* const file = find(tree, path);
    if (file == nullptr || file->text.find(what) == std::string::npos)
      findings.push_back({std::string(path), 0, "lacks: " + std::string(what)});
  };
  wants("README.md", test_command);
  wants("README.md", demo_command);
  wants(".ci/run", test_command);
  wants("CMakePresets.json", "\"workflowPresets\"");
  wants(".ci/setup", ".ci/packages.txt");
  return findings;
}

Findings packages_have_reasons(const Tree& tree) {
  Findings findings;
  const File* const list = find(tree, ".ci/packages.txt");
  if (list == nullptr) return {{".ci/packages.txt", 0, "is missing"}};
  std::size_t number = 0;
  for (const std::string_view line : lines_of(list->text)) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const std::size_t hash = line.find("# ");
    if (hash == std::string_view::npos || line.size() < hash + 3)
      findings.push_back({list->path, number, "a package without its reason"});
    const std::string_view name = line.substr(0, line.find_first_of(" #"));
    const std::string_view between = line.substr(name.size(), hash - name.size());
    if (hash != std::string_view::npos && between.find_first_not_of(' ') != std::string_view::npos)
      findings.push_back({list->path, number, "one package a line"});
  }
  return findings;
}

}  // namespace house
