// The content of a file, read as one block: unoptimised, most tests would wait for single chars.
#pragma once
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace efface::test {

inline std::string file_content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  return std::move(content).str();
}

}  // namespace efface::test
