// crypto/own_memory.h -- what the kernel says of this process's memory, and what that memory holds.
#pragma once
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace efface::test {

struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::string access;  // "rw-p"
  std::string flags;   // VmFlags of smaps
};

// Of "self", or of a child by its number.
inline std::vector<Mapping> mappings_of(const std::string& process) {
  std::vector<Mapping> out;
  std::ifstream smaps("/proc/" + process + "/smaps");
  for (std::string line; std::getline(smaps, line);) {
    Mapping mapping;
    char access[5] = {};
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s", &mapping.begin, &mapping.end,
                    access) == 3) {
      mapping.access = access;
      out.push_back(mapping);
    } else if (line.starts_with("VmFlags:") && !out.empty()) {
      out.back().flags = line.substr(8) + " ";
    }
  }
  return out;
}

inline std::vector<Mapping> own_mappings() { return mappings_of("self"); }

inline Mapping mapping_of(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (const Mapping& mapping : own_mappings())
    if (mapping.begin <= at && at < mapping.end) return mapping;
  return {};
}

inline bool has_flag(const Mapping& mapping, const std::string& flag) {
  return mapping.flags.find(" " + flag + " ") != std::string::npos;
}

// VmLck of /proc/self/status.
inline std::size_t locked_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("VmLck:")) continue;
    std::size_t kib = 0;
    std::istringstream(line.substr(6)) >> kib;
    return kib * 1024;
  }
  return 0;
}

// 32 bytes to look for, kept as their complement so as not to be found here.
//
// A function's first call may go through the dynamic linker, which saves vector registers, and with
// them what was just copied, on the stack. So a test does what it does once with other bytes first,
// and a search is made once before the first that counts.
class Needle {
 public:
  explicit Needle(Bytes original) {
    for (std::size_t i = 0; i < masked_.size(); ++i) masked_[i] = ~original[i];
    count_in_own_memory();
  }

  // How often it stands in the private writable memory of this process. A block that the heap took
  // back may lose its first bytes; so the second half is looked for.
  std::size_t count_in_own_memory() const {
    constexpr std::size_t mapping_bytes_max = 256 * 1024 * 1024;  // Not a sanitizer's shadow.
    constexpr std::size_t piece_bytes = 64 * 1024;
    // Shared, so that what is copied here is not found as well.
    void* const piece =
        mmap(nullptr, piece_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (piece == MAP_FAILED || memory < 0) std::abort();
    std::size_t count = 0;
    for (const Mapping& mapping : own_mappings()) {
      if (mapping.access != "rw-p" || mapping.end - mapping.begin > mapping_bytes_max) continue;
      // Pieces overlap, so that nothing is missed between two.
      for (std::uintptr_t at = mapping.begin; at < mapping.end;
           at += piece_bytes - half_bytes + 1) {
        const ssize_t got =
            pread(memory, piece, std::min(piece_bytes, mapping.end - at), static_cast<off_t>(at));
        if (got > 0)
          count += count_in({static_cast<const std::byte*>(piece), static_cast<std::size_t>(got)});
      }
    }
    close(memory);
    munmap(piece, piece_bytes);
    return count;
  }

 private:
  static constexpr std::size_t half_bytes = 16;
  std::size_t count_in(Bytes bytes) const {
    const auto* const wanted = masked_.data() + half_bytes;
    const auto* at = bytes.data();
    const auto* const end = at + bytes.size();
    std::size_t count = 0;
    while (end - at >= static_cast<std::ptrdiff_t>(half_bytes)) {
      at = static_cast<const std::byte*>(
          std::memchr(at, std::to_integer<int>(~wanted[0]), static_cast<std::size_t>(end - at)));
      if (at == nullptr || end - at < static_cast<std::ptrdiff_t>(half_bytes)) break;
      std::size_t same = 1;
      while (same < half_bytes && ~at[same] == wanted[same]) ++same;
      if (same == half_bytes) ++count;
      ++at;
    }
    return count;
  }
  std::array<std::byte, 32> masked_{};
};

}  // namespace efface::test
