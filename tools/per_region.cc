#include "tools/per_region.h"

#include <algorithm>

#include "tools/failure.h"
#include "tools/input.h"
#include "tools/session.h"
#include "tools/text.h"

namespace efface::cli {
namespace {

constexpr std::size_t note_bytes_max = 64 * 1024;

struct Path {
  RegionOptions& region;
  std::string text;
};

Path path_of(const std::string& text, const char* option, std::vector<RegionOptions>& regions) {
  const std::size_t equals = text.find('=');
  std::string name;
  std::string path = text;
  if (equals != std::string::npos && is_label(std::string_view(text).substr(0, equals))) {
    name = text.substr(0, equals);
    path = text.substr(equals + 1);
  } else if (regions.size() == 1) {
    name = regions.front().name;
  } else {
    throw usage(std::string("with several regions each ") + option + " names its own: REGION=PATH");
  }
  if (path.empty()) throw usage(std::string(option) + " takes a path");
  const auto at = std::ranges::find(regions, name, &RegionOptions::name);
  if (at == regions.end())
    throw usage(std::string("what ") + option + " gives is of a region that is not opened");
  return {*at, path};
}

}  // namespace

std::vector<std::string> split_paths(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string note_of(const std::string& path) {
  Source source(path);
  while (source.more())
    if (source.window().size() > note_bytes_max)
      throw refused(Errc::too_large, "too long for a checkpoint");
  return std::string(source.window());
}

void add_per_region(const Common& common, std::vector<RegionOptions>& regions) {
  for (const std::string& text : common.mirrors) {
    const Path mirror = path_of(text, "--mirror", regions);
    mirror.region.keyring_mirrors.emplace_back(mirror.text);
  }
  for (const std::string& text : common.ledger_copies) {
    const Path copy = path_of(text, "--ledger-copy", regions);
    copy.region.ledger_copy = copy.text;
  }
  for (const std::string& text : common.witnesses) {
    const Path witness = path_of(text, "--witness", regions);
    witness.region.witness = note_of(witness.text);
  }
}

}  // namespace efface::cli
