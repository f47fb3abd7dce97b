// crash/root_key_slots.h -- the raw bytes of a root key file without a passphrase, read as
// docs/format/root-key-file.md says, with nothing of the library's own code.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace efface::test {

using RootKeyBytes = std::array<std::byte, 32>;

struct LiveSlot {
  std::uint64_t epoch = 0;
  RootKeyBytes key{};
};

// A missing file is empty.
std::vector<std::byte> raw_root_key_file(const std::filesystem::path& path);
// Nothing when the file is not of the size of one.
std::vector<LiveSlot> live_slots(std::span<const std::byte> file);
// Anywhere in it, at any offset.
bool holds_key(std::span<const std::byte> file, const RootKeyBytes& key);

}  // namespace efface::test
