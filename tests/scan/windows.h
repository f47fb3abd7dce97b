// scan/windows.h -- every 8-byte window of some bytes, looked for in this process and in files.
//
// Kept as complements, so as not to be found where they are kept.
#pragma once
#include <cstring>
#include <filesystem>
#include <vector>

#include "crypto/own_memory.h"
#include "support/file_content.h"

namespace efface::test {

class Windows {
 public:
  void add(Bytes bytes) {
    for (std::size_t at = 0; at + size <= bytes.size(); ++at) {
      std::uint64_t window = 0;
      std::memcpy(&window, bytes.data() + at, size);
      masked_.push_back(~window);
      first_[std::to_integer<std::size_t>(bytes[at])] = true;
      window = 0;
    }
  }

  // For another process, to which none of it must come in clear.
  const std::vector<std::uint64_t>& masked() const noexcept { return masked_; }
  void add_masked(std::span<const std::uint64_t> masked) {
    for (const std::uint64_t window : masked) {
      masked_.push_back(window);
      first_[~window & 0xff] = true;
    }
  }

  // In the private writable memory of this process, its stacks included.
  std::size_t count_in_own_memory() const { return count_in_memory("self", Which::all); }

  enum class Which : bool { all, dumped };  // What a core dump would have.
  std::size_t count_in_memory(const std::string& process, Which which) const {
    constexpr std::size_t piece_bytes = 64 * 1024;
    constexpr std::size_t mapping_bytes_max = 256 * 1024 * 1024;
    // Shared, so that what is copied here is not found as well.
    void* const piece =
        mmap(nullptr, piece_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const int memory = open(("/proc/" + process + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
    if (piece == MAP_FAILED || memory < 0) std::abort();
    std::size_t count = 0;
    for (const Mapping& mapping : mappings_of(process)) {
      if (which == Which::dumped && has_flag(mapping, "dd")) continue;
      if (mapping.access != "rw-p" || mapping.end - mapping.begin > mapping_bytes_max) continue;
      for (std::uintptr_t at = mapping.begin; at < mapping.end; at += piece_bytes - size + 1) {
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

  std::size_t count_in_files(const std::filesystem::path& below) const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(below)) {
      // Opening LMDB's lock file would drop the locks of this process.
      if (!entry.is_regular_file() || entry.path().filename() == "lock.mdb") continue;
      const std::string all = file_content(entry.path());
      count += count_in(as_bytes(all));
    }
    return count;
  }

 private:
  static constexpr std::size_t size = 8;

  std::size_t count_in(Bytes bytes) const {
    std::size_t count = 0;
    for (std::size_t at = 0; at + size <= bytes.size(); ++at) {
      if (!first_[std::to_integer<std::size_t>(bytes[at])]) continue;
      for (const std::uint64_t masked : masked_) {
        const std::uint64_t wanted = masked;
        std::size_t same = 0;
        while (same < size &&
               bytes[at + same] == static_cast<std::byte>(~(wanted >> (8 * same)) & 0xff))
          ++same;
        count += same == size ? 1 : 0;
      }
    }
    return count;
  }

  std::vector<std::uint64_t> masked_;
  std::array<bool, 256> first_{};
};

}  // namespace efface::test
