#include "support/files.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

namespace efface::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t chunk_bytes = std::size_t{4} << 20;

bool has(const fs::path& path, Bytes bytes) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> chunk(chunk_bytes);
  std::size_t kept = 0;  // Of the chunk before: what is looked for may lie across.
  while (in) {
    in.read(chunk.data() + kept, static_cast<std::streamsize>(chunk.size() - kept));
    const std::size_t filled = kept + static_cast<std::size_t>(in.gcount());
    if (::memmem(chunk.data(), filled, bytes.data(), bytes.size()) != nullptr) return true;
    kept = std::min(filled, bytes.size() - 1);
    std::memmove(chunk.data(), chunk.data() + filled - kept, kept);
  }
  return false;
}

template <class Look>
void for_each_file(const fs::path& directory, Look&& look) {
  std::error_code ignored;
  fs::recursive_directory_iterator at(directory, ignored);
  while (!ignored && at != fs::recursive_directory_iterator()) {
    if (at->is_regular_file(ignored)) look(at->path());
    at.increment(ignored);
  }
}

}  // namespace

std::uint64_t bytes_below(const fs::path& directory) {
  std::uint64_t sum = 0;
  for_each_file(directory, [&](const fs::path& path) {
    std::error_code gone;
    const std::uintmax_t bytes = fs::file_size(path, gone);
    if (!gone) sum += bytes;
  });
  return sum;
}

bool is_in_a_file(const fs::path& directory, Bytes bytes) {
  bool found = false;
  for_each_file(directory, [&](const fs::path& path) { found = found || has(path, bytes); });
  return found;
}

std::size_t read_last_lines(const fs::path& file, std::size_t lines) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  std::vector<char> chunk(64 * 1024);
  std::size_t found = 0;
  for (auto left = static_cast<std::uint64_t>(std::max<std::streamoff>(in.tellg(), 0));
       left > 0 && found < lines;) {
    const std::uint64_t some = std::min<std::uint64_t>(left, chunk.size());
    left -= some;
    in.seekg(static_cast<std::streamoff>(left));
    in.read(chunk.data(), static_cast<std::streamsize>(some));
    found += static_cast<std::size_t>(std::count(chunk.data(), chunk.data() + some, '\n'));
  }
  return std::min(found, lines);
}

}  // namespace efface::bench
