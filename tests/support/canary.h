// support/canary.h -- bytes that stand in ids, names and values of people, and nowhere else: what
// holds them, holds personal data.
#pragma once
#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "support/file_content.h"

namespace efface::test {

inline constexpr std::string_view canary = "7Qz3Vw9K";

// As they are, in hexadecimal, and in base64 wherever a group of three begins.
inline bool holds_canary(std::string_view text) {
  static constexpr std::array<std::string_view, 6> forms{
      canary, "37517a335677394b", "37517A335677394B", "N1F6M1Z3O", "dRejNWdzl", "3UXozVnc5"};
  return std::ranges::any_of(forms, [&](auto form) { return text.find(form) != text.npos; });
}

// In a path below the directory, or in a file there. A reader of LMDB's lock file would drop the
// locks of this process: close the store before.
inline bool canary_below(const std::filesystem::path& directory) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (holds_canary(entry.path().string())) return true;
    if (!entry.is_regular_file()) continue;
    if (holds_canary(file_content(entry.path()))) return true;
  }
  return false;
}

}  // namespace efface::test
