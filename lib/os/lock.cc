#include "os/lock.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"

namespace efface::os {
namespace {

constexpr int give_back_attempts_max = 4;

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
  return hold(std::move(file), F_WRLCK, locks.fds);
}

Result<FileLock> FileLock::share(const Directory& parent, std::string_view name) {
  HeldLocks& locks = held_locks();
  const std::lock_guard no_fork_now(locks.mutex);
  EFFACE_ASSIGN(File file, open_or_create(parent, name));
  return hold(std::move(file), F_RDLCK, locks.fds);
}

Result<FileLock> FileLock::share_existing(const Directory& parent, std::string_view name) {
  HeldLocks& locks = held_locks();
  const std::lock_guard no_fork_now(locks.mutex);
  EFFACE_ASSIGN(File file, File::open(parent, name, File::Access::read_write));
  return hold(std::move(file), F_RDLCK, locks.fds);
}

Result<FileLock> FileLock::acquire_existing(const Directory& parent, std::string_view name) {
  HeldLocks& locks = held_locks();
  const std::lock_guard no_fork_now(locks.mutex);
  EFFACE_ASSIGN(File file, File::open(parent, name, File::Access::read_write));
  return hold(std::move(file), F_WRLCK, locks.fds);
}

Result<FileId> FileLock::id() const {
  EFFACE_CHECK(file_.has_value());
  return file_->id();
}

bool FileLock::is_only_holder() const noexcept {
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return file_ && fcntl(file_->fd(), F_OFD_GETLK, &whole) == 0 && whole.l_type == F_UNLCK;
}

Result<FileLock> FileLock::hold(File file, short how, std::vector<int>& held) {
  struct flock whole{};
  whole.l_type = how;
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

// ---- bytes ----

ByteLocks::ByteLocks(File file) noexcept : file_(std::move(file)), generation_(fork_generation()) {}

Result<std::unique_ptr<ByteLocks>> ByteLocks::open(const Directory& parent, std::string_view name) {
  HeldLocks& locks = held_locks();
  const std::lock_guard no_fork_now(locks.mutex);
  EFFACE_ASSIGN(File file, open_or_create(parent, name));
  const int fd = file.fd();
  locks.fds.reserve(locks.fds.size() + 1);  // Now: what is opened takes the mutex when it goes.
  std::unique_ptr<ByteLocks> opened(new ByteLocks(std::move(file)));
  locks.fds.push_back(fd);
  return opened;
}

ByteLocks::~ByteLocks() {
  if (generation_ == fork_generation()) {
    HeldLocks& locks = held_locks();
    const std::lock_guard guard(locks.mutex);
    std::erase(locks.fds, file_->fd());
    file_.reset();
  } else {
    std::move(*file_).release();  // Closed when the child began.
  }
}

Status ByteLocks::set(std::size_t byte, short how) const {
  struct flock one{};
  one.l_type = how;
  one.l_whence = SEEK_SET;
  one.l_start = static_cast<off_t>(byte);
  one.l_len = 1;
  if (fcntl(file_->fd(), F_OFD_SETLK, &one) == 0) return {};
  if (errno == EAGAIN || errno == EACCES)
    return Error(Errc::busy, "another process holds the lock", errno);
  return system_error(errno, "fcntl of a lock");
}

// Errors: busy, at once.
Status ByteLocks::take(std::size_t byte, Mode mode) {
  Byte& here = bytes_[byte];
  const std::lock_guard one(here.mutex);
  if (here.alone || (mode == Mode::alone && here.sharing != 0))
    return Error(Errc::busy, "another thread holds the lock");
  if (here.sharing == 0) EFFACE_TRY(set(byte, mode == Mode::alone ? F_WRLCK : F_RDLCK));
  if (std::exchange(here.left, false)) --left_;
  if (mode == Mode::alone)
    here.alone = true;
  else
    ++here.sharing;
  return {};
}

void ByteLocks::give_back(std::size_t byte, Mode mode) noexcept {
  Byte& here = bytes_[byte];
  const std::lock_guard one(here.mutex);
  if (mode == Mode::alone)
    here.alone = false;
  else
    --here.sharing;
  if (here.sharing != 0) return;
  for (int attempt = 0; attempt < give_back_attempts_max; ++attempt)
    if (set(byte, F_UNLCK)) return;
  here.left = true;
  ++left_;
}

Status ByteLocks::give_back_what_is_left() {
  for (std::size_t byte = 0; byte < bytes_max; ++byte) {
    Byte& here = bytes_[byte];
    const std::lock_guard one(here.mutex);
    if (!here.left) continue;
    EFFACE_TRY(set(byte, F_UNLCK));
    here.left = false;
    --left_;
  }
  return {};
}

// The system would wait without a deadline, so it is asked again and again: at once at first, then
// less and less often.
Result<ByteLocks::Held> ByteLocks::lock(std::size_t byte, Mode mode,
                                        std::chrono::milliseconds deadline) {
  using namespace std::chrono_literals;
  EFFACE_CHECK(byte < bytes_max);
  if (generation_ != fork_generation())
    return Error(Errc::forked, "the locks were opened by the parent process");
  if (left_.load() != 0) EFFACE_TRY(give_back_what_is_left());
  const auto until = std::chrono::steady_clock::now() + deadline;
  for (std::chrono::microseconds pause = 20us;; pause = std::min(2 * pause, 2000us)) {
    const Status taken = take(byte, mode);
    if (taken) return Held(*this, byte, mode);
    if (taken.error().code() != Errc::busy || std::chrono::steady_clock::now() >= until)
      return taken.error();
    std::this_thread::sleep_for(pause);
  }
}

ByteLocks::Held::Held(Held&& other) noexcept
    : locks_(std::exchange(other.locks_, nullptr)), byte_(other.byte_), mode_(other.mode_) {}

ByteLocks::Held& ByteLocks::Held::operator=(Held&& other) noexcept {
  if (this != &other) {
    release();
    locks_ = std::exchange(other.locks_, nullptr);
    byte_ = other.byte_;
    mode_ = other.mode_;
  }
  return *this;
}

void ByteLocks::Held::release() noexcept {
  ByteLocks* const locks = std::exchange(locks_, nullptr);
  if (locks == nullptr || locks->generation_ != fork_generation()) return;
  locks->give_back(byte_, mode_);
}

}  // namespace efface::os
