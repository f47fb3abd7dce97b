#include "tools/mirrors.h"

#include <algorithm>

#include "tools/failure.h"
#include "tools/text.h"

namespace efface::cli {

std::vector<std::string> split_mirrors(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

void add_mirrors(const std::vector<std::string>& given, std::vector<RegionOptions>& regions) {
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    std::string name;
    std::string directory = text;
    if (equals != std::string::npos && is_label(std::string_view(text).substr(0, equals))) {
      name = text.substr(0, equals);
      directory = text.substr(equals + 1);
    } else if (regions.size() == 1) {
      name = regions.front().name;
    } else {
      throw usage("with several regions each --mirror names its own: REGION=DIR");
    }
    if (directory.empty()) throw usage("--mirror takes a directory");
    const auto at = std::find_if(regions.begin(), regions.end(),
                                 [&](const RegionOptions& region) { return region.name == name; });
    if (at == regions.end()) throw usage("a --mirror is of a region that is not opened");
    at->keyring_mirrors.emplace_back(directory);
  }
}

}  // namespace efface::cli
