// keyring/root_key_file.h -- what the tests of the root key file share: its raw bytes, and the
// system calls under it, counted and made to fail.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/secret.h"
#include "efface/file_root_key_store.h"
#include "keyring/root_slot.h"

namespace efface::test {

// Behind --wrap of pwrite, pread, fsync, fdatasync, fstat, fstatfs, ioctl and fopen. What it says
// holds until reset().
struct SystemCalls {
  std::size_t pwrites = 0;
  std::size_t pwritten_bytes = 0;
  std::size_t fdatasyncs = 0;

  int pwrite_errno = 0;       // Each fails, having done nothing.
  bool pwrites_lost = false;  // Each answers that all is written, having done nothing.
  int fsync_errno = 0;
  int fdatasync_errno = 0;
  int fdatasync_failures_left = 1000000;
  int pread_errno = 0;
  // Reads past the page cache answer these bytes: what a medium holds that lost a write.
  std::optional<std::vector<std::byte>> stale_medium;
  std::optional<long> file_system_magic;
  // Added to the physical place that is answered after a write.
  std::uint64_t moves_bytes = 0;
  bool extents_shared = false;
  bool attribute_journals_data = false;  // chattr +j
  std::optional<std::string> mountinfo;  // In the place of /proc/self/mountinfo.
  std::optional<mode_t> foreign_type;    // S_IFREG or S_IFDIR: all of them belong to another.

  void reset() { *this = SystemCalls(); }
};
SystemCalls& system_calls();

using RawFile = std::vector<std::byte>;
RawFile read_raw(const std::filesystem::path& path);
void write_raw(const std::filesystem::path& path, const RawFile& bytes);  // 0600, in place.
bool holds(const RawFile& file, Bytes needle);

std::span<std::byte, 512> slot_in(RawFile& file, std::size_t index);
// The key that stands in clear in a slot.
std::vector<std::byte> key_in(const RawFile& file, std::size_t index);

inline constexpr std::size_t key_at = 104;

}  // namespace efface::test
