// demo/byte_search.h -- is any of these texts somewhere in the bytes of these files?
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace efface::demo {

struct Searched {
  std::size_t files = 0;
  std::size_t bytes = 0;
  std::size_t hits = 0;
};

// Every regular file below the directory, byte for byte, the file names included.
Searched search_files(const std::filesystem::path& directory,
                      const std::vector<std::string>& needles);

}  // namespace efface::demo
