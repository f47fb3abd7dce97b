#include "os/lock.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

#include "base/check.h"

namespace efface::os {
namespace {

std::atomic<std::uint64_t> generation{1};

// The descriptors of all locks that this process holds. A child shares their open file
// descriptions, so one that outlived us would keep our locks: it closes its copies as its first
// act.
struct HeldLocks {
  std::mutex mutex;
  std::vector<int> fds;
};
HeldLocks& held_locks() {
  static HeldLocks& locks = *new HeldLocks;  // Never destroyed: a fork may come at any time.
  return locks;
}

void before_fork() { held_locks().mutex.lock(); }
void after_fork_in_parent() { held_locks().mutex.unlock(); }
void after_fork_in_child() {
  generation.fetch_add(1, std::memory_order_relaxed);
  HeldLocks& locks = held_locks();
  for (int fd : locks.fds) close(fd);
  locks.fds.clear();
  locks.mutex.unlock();
}

[[maybe_unused]] const bool watching_forks = [] {
  const int rc = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  EFFACE_CHECK(rc == 0);
  return true;
}();

Result<File> open_or_create(const Directory& parent, std::string_view name) {
  for (int attempts_left = 8;; --attempts_left) {
    Result<File> opened = File::open(parent, name, File::Access::read_write);
    if (opened || opened.error().code() != Errc::store_missing) return opened;
    Result<File> created = File::create(parent, name);
    if (created || created.error().code() != Errc::exists || attempts_left == 0) return created;
  }
}

}  // namespace

std::uint64_t fork_generation() noexcept { return generation.load(std::memory_order_relaxed); }

Result<FileLock> FileLock::acquire(const Directory& parent, std::string_view name) {
  HeldLocks& locks = held_locks();
  const std::lock_guard no_fork_now(locks.mutex);
  EFFACE_ASSIGN(File file, open_or_create(parent, name));
  return hold(std::move(file), locks.fds);
}

Result<FileLock> FileLock::acquire_existing(const Directory& parent, std::string_view name) {
  HeldLocks& locks = held_locks();
  const std::lock_guard no_fork_now(locks.mutex);
  EFFACE_ASSIGN(File file, File::open(parent, name, File::Access::read_write));
  return hold(std::move(file), locks.fds);
}

Result<FileId> FileLock::id() const {
  EFFACE_CHECK(file_.has_value());
  return file_->id();
}

Result<FileLock> FileLock::hold(File file, std::vector<int>& held) {
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (fcntl(file.fd(), F_OFD_SETLK, &whole) != 0) {
    if (errno == EAGAIN || errno == EACCES)
      return Error(Errc::busy, "another holds the lock", errno);
    return system_error(errno, "fcntl of a lock");
  }
  held.push_back(file.fd());
  return FileLock(std::move(file));
}

FileLock::FileLock(File file) noexcept : file_(std::move(file)), generation_(fork_generation()) {}

FileLock::FileLock(FileLock&& other) noexcept
    : file_(std::move(other.file_)), generation_(other.generation_) {
  other.file_.reset();
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    drop();
    file_ = std::move(other.file_);
    generation_ = other.generation_;
    other.file_.reset();
  }
  return *this;
}

FileLock::~FileLock() { drop(); }

void FileLock::drop() noexcept {
  if (!file_) return;
  if (generation_ == fork_generation()) {
    HeldLocks& locks = held_locks();
    const std::lock_guard guard(locks.mutex);
    std::erase(locks.fds, file_->fd());
    file_.reset();
  } else {
    std::move(*file_)
        .release();  // Closed when the child began; the number may be another's by now.
    file_.reset();
  }
}

}  // namespace efface::os
