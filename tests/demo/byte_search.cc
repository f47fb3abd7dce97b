#include "demo/byte_search.h"

#include <cstring>
#include <fstream>
#include <string_view>

namespace efface::demo {

Searched search_files(const std::filesystem::path& directory,
                      const std::vector<std::string>& needles) {
  Searched found;
  const auto count = [&](std::string_view hay) {
    for (const std::string& needle : needles)
      for (std::string_view rest = hay;;) {
        const void* at = ::memmem(rest.data(), rest.size(), needle.data(), needle.size());
        if (at == nullptr) break;
        ++found.hits;
        rest.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(at) - rest.data()) +
                           1);
      }
  };
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    count(entry.path().filename().string());
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string bytes(entry.file_size(), '\0');
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    count(bytes);
    ++found.files;
    found.bytes += bytes.size();
  }
  return found;
}

}  // namespace efface::demo
