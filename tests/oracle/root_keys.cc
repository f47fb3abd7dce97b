// The root key file, as docs/format/root-key-file.md has it.
#include <algorithm>

#include "oracle/pages.h"

namespace disclosure {
namespace {

constexpr std::size_t block_bytes = 4096;
constexpr std::size_t content_bytes = 512;
constexpr std::size_t checksum_at = 496;

bool starts_with(Bytes bytes, std::string_view magic) {
  return std::ranges::equal(bytes.first(magic.size()), bytes_of(magic));
}

bool checksum_fits(Bytes content, const std::array<std::byte, 16>& sum) {
  return std::ranges::equal(content.subspan(checksum_at, 16), sum);
}

}  // namespace

std::optional<RootKeys> RootKeys::from_file(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  if (!file) return std::nullopt;
  return from_image(file->bytes());
}

std::optional<RootKeys> RootKeys::from_image(Bytes file) {
  if (file.size() < 3 * block_bytes) return std::nullopt;
  const Bytes header = file.first(content_bytes);
  if (!starts_with(header, "effaceRK") || little<std::uint16_t>(header, 8) != 1 ||
      header[10] != std::byte{0} ||
      !checksum_fits(header,
                     hash<16>({}, {bytes_of("efface.root.header"), header.first(checksum_at)})))
    return std::nullopt;
  RootKeys keys;
  const Id store = id_at(header, 16);
  for (const std::size_t block : {1U, 2U})
    keys.add_slot(store, file.subspan(block * block_bytes, content_bytes));
  return keys;
}

bool RootKeys::add_slot(const Id& store, Bytes slot) {
  if (slot.size() != content_bytes || !starts_with(slot, {"effslot\0", 8}) ||
      little<std::uint16_t>(slot, 8) != 1 || slot[10] != std::byte{2} || slot[11] != std::byte{0})
    return false;
  for (const std::byte index : {std::byte{0}, std::byte{1}}) {
    if (!checksum_fits(slot, hash<16>({}, {bytes_of("efface.root.slot"), Bytes(store),
                                           Bytes(&index, 1), slot.first(checksum_at)})))
      continue;
    add(store, little<std::uint64_t>(slot, 16), key_at(slot, 104));
    return true;
  }
  return false;
}

void RootKeys::add(const Id& store, std::uint64_t epoch, const Key& key) {
  held_.push_back({store, epoch, key});
}

void RootKeys::add_all(const RootKeys& others) {
  held_.insert(held_.end(), others.held_.begin(), others.held_.end());
}

}  // namespace disclosure
