#include "crash/root_key_slots.h"
#include "support/file_content.h"

#include <algorithm>

namespace efface::test {
namespace {

constexpr std::size_t file_bytes = 16'384;
constexpr std::size_t block_bytes = 4'096;
constexpr std::size_t state_at = 10;
constexpr std::byte live{2};
constexpr std::size_t epoch_at = 16;
constexpr std::size_t key_at = 104;

}  // namespace

std::vector<std::byte> raw_root_key_file(const std::filesystem::path& path) {
  const std::string content = file_content(path);
  const auto bytes = std::as_bytes(std::span(content));
  return {bytes.begin(), bytes.end()};
}

std::vector<LiveSlot> live_slots(std::span<const std::byte> file) {
  std::vector<LiveSlot> found;
  if (file.size() != file_bytes) return found;
  for (const std::size_t start : {block_bytes, 2 * block_bytes}) {
    const auto slot = file.subspan(start, 512);
    if (slot[state_at] != live) continue;
    LiveSlot& one = found.emplace_back();
    for (std::size_t i = 8; i-- > 0;)
      one.epoch = one.epoch << 8 | std::to_integer<std::uint64_t>(slot[epoch_at + i]);
    std::ranges::copy(slot.subspan(key_at, one.key.size()), one.key.begin());
  }
  return found;
}

bool holds_key(std::span<const std::byte> file, const RootKeyBytes& key) {
  return !std::ranges::search(file, key).empty();
}

}  // namespace efface::test
