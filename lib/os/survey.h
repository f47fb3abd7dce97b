// os/survey.h -- reading files that are not ours: whatever lies below a directory, of any owner, in
// any mode. They are only read.
//
// Shape   Symlinks are not followed, but for the place itself. Regular files only; the place may
//         also be one file, or a block device. Every file called lock.mdb is passed over: closing
//         it would end LMDB's lock on an environment that this process has open, and there is
//         nothing in it.
// Errors  store_missing: the place is not there; unsafe_path: it is no file and no directory; io.
#pragma once
#include <cstdint>
#include <filesystem>

#include "os/file.h"

namespace efface::os {

class ForeignFile {
 public:
  static Result<ForeignFile> open(const std::filesystem::path& path);

  std::uint64_t size() const noexcept { return size_; }  // As it was when it was opened.
  // As many as there are from that offset on: fewer than asked for at the end only.
  Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) const;

 private:
  ForeignFile(Descriptor fd, std::uint64_t size) noexcept : fd_(std::move(fd)), size_(size) {}
  Descriptor fd_;
  std::uint64_t size_;
};

// Every file below a place, each directory's in the order of their names, until look fails. What
// cannot be listed is told to unreadable, and passed over.
Status each_file_below(const std::filesystem::path& place,
                       FunctionRef<Status(const std::filesystem::path&)> look,
                       FunctionRef<void()> unreadable);

}  // namespace efface::os
