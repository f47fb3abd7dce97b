#include "crash/steps.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The linker sends calls of the names here, and the names with __real_ to the system.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
ssize_t __real_pwrite(int fd, const void* bytes, size_t size, off_t offset);
ssize_t __real_pwritev(int fd, const struct iovec* parts, int count, off_t offset);
ssize_t __real_writev(int fd, const struct iovec* parts, int count);
ssize_t __real_write(int fd, const void* bytes, size_t size);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags);
int __real_renameat(int from_fd, const char* from, int to_fd, const char* to);
int __real_rename(const char* from, const char* to);
int __real_unlinkat(int fd, const char* name, int flags);
int __real_mkdirat(int fd, const char* name, mode_t mode);
int __real_openat(int fd, const char* name, int flags, ...);
int __real_open(const char* name, int flags, ...);
}

namespace efface::test {
namespace {

constexpr std::size_t sector_bytes = 512;
constexpr off_t metas_end = 8192;  // LMDB's two meta pages.

// A step that a loss of power undoes, unless what it waits for is synced first.
struct Unsynced {
  dev_t device;
  ino_t inode;
  std::function<void()> undo;
};

struct State {
  bool armed = false;
  Plan plan;
  std::size_t steps = 0;
  std::size_t lmdb_writes = 0;
  std::vector<Unsynced> unsynced;  // In order.
};
State& state() {
  static State& the = *new State;
  return the;
}

[[noreturn]] void harness_failed(const char* what) {
  std::perror(what);
  _exit(1);
}

void lose_unsynced() {
  State& now = state();
  if (now.plan.then != Then::power_loss) return;
  for (auto at = now.unsynced.rbegin(); at != now.unsynced.rend(); ++at) at->undo();
}

[[noreturn]] void stop() {
  state().armed = false;
  lose_unsynced();
  _exit(stopped_status);
}

enum class Verdict : std::uint8_t { pass, fail, fail_done, half };

// Counts a step. Does not return where the process is to end.
Verdict step() {
  State& now = state();
  ++now.steps;
  const Plan& plan = now.plan;
  const bool now_or_later = plan.at != 0 && now.steps >= plan.at;
  if (!now_or_later || (now.steps > plan.at && !plan.for_ever)) return Verdict::pass;
  switch (plan.then) {
    case Then::stop:
    case Then::power_loss:
      stop();
    case Then::fail:
      errno = plan.error;
      return Verdict::fail;
    case Then::fail_done:
      return Verdict::fail_done;
    case Then::stop_torn:
    case Then::fall_short:
      return Verdict::half;
  }
  return Verdict::pass;
}

// For a step that is no write: done, and what it answers. half means nothing to it.
template <class F>
int plain_step(F&& body) {
  if (!state().armed) return body();
  switch (step()) {
    case Verdict::fail:
      return -1;
    case Verdict::fail_done: {
      const int rc = body();
      if (rc != 0) return rc;
      errno = state().plan.error;
      return -1;
    }
    case Verdict::half:
      if (state().plan.then == Then::stop_torn) _exit(untorn_status);
      return body();
    case Verdict::pass:
      break;
  }
  return body();
}

std::string_view path_of(int fd, std::span<char> into) {
  std::array<char, 32> link;
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(link.data(), into.data(), into.size());
  return {into.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

bool loses(int fd, off_t offset) {
  const Lost lost = state().plan.lost;
  if (lost == Lost::nothing) return false;
  std::array<char, 4096> buffer;
  const std::string_view path = path_of(fd, buffer);
  if (lost == Lost::keyring_meta) return path.ends_with("/keyring/data.mdb") && offset < metas_end;
  return path.ends_with(".key") && offset > 0;
}

struct stat status_of(int fd) {
  struct stat found{};
  if (::fstat(fd, &found) != 0) harness_failed("fstat");
  return found;
}

int own_copy(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) harness_failed("fcntl");
  return copy;
}

bool notes_undo() { return state().armed && state().plan.then == Then::power_loss; }

// What a write or a truncation is about to replace.
void note_change(int fd, off_t offset, std::size_t size) {
  if (!notes_undo() || (::fcntl(fd, F_GETFL) & O_DSYNC) != 0) return;
  const struct stat found = status_of(fd);
  std::vector<char> old(size);
  const ssize_t got = ::pread(fd, old.data(), size, offset);
  if (got < 0 && errno != EBADF) harness_failed("pread");
  old.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  std::array<char, 32> link;  // A writable description, whatever the caller's is for.
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
  const int own = __real_open(link.data(), O_RDWR | O_CLOEXEC);
  if (own < 0) harness_failed("open");
  state().unsynced.push_back(
      {found.st_dev, found.st_ino, [own, offset, old = std::move(old), end = found.st_size] {
         if (__real_pwrite(own, old.data(), old.size(), offset) < 0) harness_failed("pwrite");
         if (__real_ftruncate(own, end) != 0) harness_failed("ftruncate");
       }});
}

// What a step changed in a directory, named by its descriptor.
void note_entry(int directory, std::function<void(int own)> undo) {
  if (!notes_undo()) return;
  const int own = directory == AT_FDCWD ? AT_FDCWD : own_copy(directory);
  const struct stat found = status_of(own);
  state().unsynced.push_back(
      {found.st_dev, found.st_ino, [own, undo = std::move(undo)] { undo(own); }});
}

void note_created(int directory, const std::string& name) {
  note_entry(directory, [name](int own) {
    std::array<char, 4096> buffer;
    std::error_code
        ignored;  // Also a whole tree, of which nothing was undone because it is synced.
    std::filesystem::remove_all(std::filesystem::path(path_of(own, buffer)) / name, ignored);
  });
}

void note_synced(int fd) {
  if (!notes_undo()) return;
  const struct stat found = status_of(fd);
  std::erase_if(state().unsynced, [&](const Unsynced& one) {
    return one.device == found.st_dev && one.inode == found.st_ino;
  });
}

// All writes: gathered, so that a part of one can be written.
ssize_t write_step(int fd, const std::vector<char>& bytes, off_t offset) {
  State& now = state();
  const auto write = [&](std::size_t size) -> ssize_t {
    note_change(fd, offset, size);
    return __real_pwrite(fd, bytes.data(), size, offset);
  };
  {
    std::array<char, 4096> buffer;
    now.lmdb_writes += path_of(fd, buffer).ends_with("/data.mdb") ? 1 : 0;
  }
  const Verdict verdict = step();
  if (verdict == Verdict::fail) return -1;
  if (loses(fd, offset)) return static_cast<ssize_t>(bytes.size());
  if (verdict == Verdict::half && now.plan.then == Then::stop_torn) {
    const std::size_t half = bytes.size() / 2 / sector_bytes * sector_bytes;
    if (half == 0) _exit(untorn_status);
    write(half);
    stop();
  }
  if (verdict == Verdict::half) return write(bytes.size() / 2);
  const ssize_t put = write(bytes.size());
  if (verdict != Verdict::fail_done || put < 0) return put;
  errno = now.plan.error;
  return -1;
}

std::vector<char> gathered(const struct iovec* parts, int count) {
  std::vector<char> bytes;
  for (int i = 0; i < count; ++i) {
    const auto* const part = static_cast<const char*>(parts[i].iov_base);
    bytes.insert(bytes.end(), part, part + parts[i].iov_len);
  }
  return bytes;
}

ssize_t write_step_at_position(int fd, const std::vector<char>& bytes) {
  const off_t offset = ::lseek(fd, 0, SEEK_CUR);
  if (offset < 0) harness_failed("lseek");
  const ssize_t put = write_step(fd, bytes, offset);
  if (put > 0) ::lseek(fd, put, SEEK_CUR);
  return put;
}

int sync_step(int fd, int (*real)(int)) {
  return plain_step([&] {
    if (state().armed && state().plan.syncs_lost) return 0;
    const int rc = real(fd);
    if (rc == 0 && state().armed) note_synced(fd);
    return rc;
  });
}

int rename_step(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) {
  return plain_step([&] {
    const int rc = __real_renameat2(from_fd, from, to_fd, to, flags);
    if (rc == 0)
      note_entry(to_fd, [source = std::string(from), target = std::string(to)](int own) {
        if (__real_renameat2(own, target.c_str(), own, source.c_str(), 0) != 0)
          harness_failed("renameat2");
      });
    return rc;
  });
}

// Only where it may make a file.
template <class F>
int open_step(int directory, const char* name, int flags, F&& real) {
  if (!state().armed || (flags & O_CREAT) == 0) return real();
  const bool there = ::faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  int fd = -1;
  const int rc = plain_step([&] {
    fd = real();
    return fd < 0 ? -1 : 0;
  });
  if (rc != 0) {
    if (fd >= 0) ::close(fd);
    return -1;
  }
  if (there || !notes_undo()) return fd;
  const std::filesystem::path path(name);
  if (path.has_parent_path()) {
    const int parent = __real_openat(directory, path.parent_path().c_str(), O_RDONLY | O_CLOEXEC);
    if (parent < 0) harness_failed("openat");
    note_created(parent, path.filename().string());
    ::close(parent);
  } else {
    note_created(directory, path.string());
  }
  return fd;
}

}  // namespace

void arm(const Plan& plan) {
  state() = State();
  state().plan = plan;
  state().armed = true;
}

std::size_t disarm() {
  state().armed = false;
  return state().steps;
}

void lose_power_at_the_end() { lose_unsynced(); }

std::size_t writes_to_lmdb() { return state().lmdb_writes; }

bool last_step_was_reached() { return state().plan.at != 0 && state().steps >= state().plan.at; }

}  // namespace efface::test

using efface::test::gathered;
using efface::test::state;

extern "C" {
ssize_t __wrap_pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  if (!state().armed) return __real_pwrite(fd, bytes, size, offset);
  const auto* const first = static_cast<const char*>(bytes);
  return efface::test::write_step(fd, {first, first + size}, offset);
}

ssize_t __wrap_pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  if (!state().armed) return __real_pwritev(fd, parts, count, offset);
  return efface::test::write_step(fd, gathered(parts, count), offset);
}

ssize_t __wrap_writev(int fd, const struct iovec* parts, int count) {
  if (!state().armed) return __real_writev(fd, parts, count);
  return efface::test::write_step_at_position(fd, gathered(parts, count));
}

ssize_t __wrap_write(int fd, const void* bytes, size_t size) {
  if (!state().armed) return __real_write(fd, bytes, size);
  const auto* const first = static_cast<const char*>(bytes);
  return efface::test::write_step_at_position(fd, {first, first + size});
}

int __wrap_fdatasync(int fd) { return efface::test::sync_step(fd, __real_fdatasync); }
int __wrap_fsync(int fd) { return efface::test::sync_step(fd, __real_fsync); }

int __wrap_ftruncate(int fd, off_t size) {
  return efface::test::plain_step([&] {
    efface::test::note_change(fd, 0, 0);
    return __real_ftruncate(fd, size);
  });
}

int __wrap_renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) {
  return efface::test::rename_step(from_fd, from, to_fd, to, flags);
}
int __wrap_renameat(int from_fd, const char* from, int to_fd, const char* to) {
  return efface::test::rename_step(from_fd, from, to_fd, to, 0);
}
int __wrap_rename(const char* from, const char* to) {
  return efface::test::rename_step(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int __wrap_unlinkat(int fd, const char* name, int flags) {
  return efface::test::plain_step([&] { return __real_unlinkat(fd, name, flags); });
}

int __wrap_mkdirat(int fd, const char* name, mode_t mode) {
  return efface::test::plain_step([&] {
    const int rc = __real_mkdirat(fd, name, mode);
    if (rc == 0) efface::test::note_created(fd, name);
    return rc;
  });
}

int __wrap_openat(int fd, const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return efface::test::open_step(fd, name, flags,
                                 [&] { return __real_openat(fd, name, flags, mode); });
}

int __wrap_open(const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return efface::test::open_step(AT_FDCWD, name, flags,
                                 [&] { return __real_open(name, flags, mode); });
}
}
// NOLINTEND(bugprone-reserved-identifier)
