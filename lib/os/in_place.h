// os/in_place.h -- what shows that an overwrite reached the medium: reads that pass the page cache
// by, and whether a journal keeps copies of what is written.
#pragma once
#include <cstdint>
#include <optional>
#include <utility>

#include "os/file.h"

namespace efface::os {

// Reads of an open file with O_DIRECT, through a descriptor of its own.
//
// Shape   Offsets, sizes and the buffer's address are multiples of alignment_bytes.
// Errors  As File; nothing, or false, where the file system or /proc does not serve such reads.
class DirectReader {
 public:
  static constexpr std::size_t alignment_bytes = 4096;

  static std::optional<DirectReader> open(const File& file) noexcept;
  Result<bool> read_at(std::uint64_t offset, MutableBytes out) const;

 private:
  explicit DirectReader(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  Descriptor fd_;
};

// Whether the file's data goes through a journal first (ext4 with data=journal, or chattr +j),
// where old contents stay for a while. True as well where the system does not tell.
bool may_journal_data(const File& file) noexcept;

}  // namespace efface::os
