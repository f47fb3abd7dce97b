// os/lock.h -- one process holds a region; another gets busy. And: is this still that process?
//
// An open-file-description lock (fcntl F_OFD_SETLK) on a file of our own: it is released by the
// system when the holder ends, however it ends, and closing another descriptor of the file keeps
// it. A child of fork() does not hold it: its copies of the descriptors are closed as it starts.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
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
  // One of several that hold it at the same time, and alone with none of them. Errors: busy: one
  // holds it alone.
  static Result<FileLock> share(const Directory& parent, std::string_view name);
  static Result<FileLock> share_existing(const Directory& parent, std::string_view name);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

  Result<FileId> id() const;  // Of the file that is locked. Not after a move.
  // Whether nobody else holds it now, of several who may. What cannot be told is no.
  bool is_only_holder() const noexcept;

 private:
  explicit FileLock(File file) noexcept;
  static Result<FileLock> hold(File file, short how, std::vector<int>& held);
  void drop() noexcept;
  std::optional<File> file_;  // Empty once moved from.
  std::uint64_t generation_;
};

// Locks that threads and processes hold against one another for a moment: each is a byte of one
// file, held by several at the same time or by one alone, and released by the thread that took it.
class ByteLocks {
 public:
  static constexpr std::size_t bytes_max = 8;
  enum class Mode : bool { shared, alone };

  // Creates the file (0600) where it is missing.
  static Result<std::unique_ptr<ByteLocks>> open(const Directory& parent, std::string_view name);
  ~ByteLocks();
  ByteLocks(const ByteLocks&) = delete;
  ByteLocks& operator=(const ByteLocks&) = delete;

  class Held {
   public:
    Held() noexcept = default;
    Held(Held&& other) noexcept;
    Held& operator=(Held&& other) noexcept;
    ~Held() { release(); }
    void release() noexcept;

   private:
    friend class ByteLocks;
    Held(ByteLocks& locks, std::size_t byte, Mode mode) noexcept
        : locks_(&locks), byte_(byte), mode_(mode) {}
    ByteLocks* locks_ = nullptr;
    std::size_t byte_ = 0;
    Mode mode_ = Mode::shared;
  };
  // Waits until the deadline; not at all where that is zero. Errors: busy; forked: in a child; what
  // the system says, also when it has not taken a lock back that was given back: who kept it
  // and waited for another would stand in the way of all.
  Result<Held> lock(std::size_t byte, Mode mode, std::chrono::milliseconds deadline);

 private:
  // What this process holds of a byte: the system sees it as one holder.
  struct Byte {
    std::mutex mutex;
    std::size_t sharing = 0;
    bool alone = false;
    bool left = false;  // Nobody's here, and the system has not taken it back.
  };
  explicit ByteLocks(File file) noexcept;
  Status set(std::size_t byte, short how) const;
  Status take(std::size_t byte, Mode mode);
  void give_back(std::size_t byte, Mode mode) noexcept;
  Status give_back_what_is_left();

  std::optional<File> file_;
  const std::uint64_t generation_;
  std::array<Byte, bytes_max> bytes_;
  std::atomic<std::size_t> left_{0};
};

// Changes in the child of a fork(). Cost: one load.
std::uint64_t fork_generation() noexcept;

}  // namespace efface::os
