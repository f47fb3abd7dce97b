// os/lock.h -- one process holds a region; another gets busy. And: is this still that process?
//
// An open-file-description lock (fcntl F_OFD_SETLK) on a file of our own: it is released by the
// system when the holder ends, however it ends, and closing another descriptor of the file keeps
// it. A child of fork() does not hold it: its copies of the descriptors are closed as it starts.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "efface/result.h"
#include "os/file.h"

namespace efface::os {

class FileLock {
 public:
  // Creates the file (0600) where it is missing. Never waits. Errors: busy; those of os/file.h.
  static Result<FileLock> acquire(const Directory& parent, std::string_view name);
  // The same on a file that is there: store_missing where it is not.
  static Result<FileLock> acquire_existing(const Directory& parent, std::string_view name);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

  Result<FileId> id() const;  // Of the file that is locked. Not after a move.

 private:
  explicit FileLock(File file) noexcept;
  static Result<FileLock> hold(File file, std::vector<int>& held);
  void drop() noexcept;
  std::optional<File> file_;  // Empty once moved from.
  std::uint64_t generation_;
};

// Changes in the child of a fork(). Cost: one load.
std::uint64_t fork_generation() noexcept;

}  // namespace efface::os
