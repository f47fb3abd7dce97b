#include "power/recorder.h"
#include "support/file_content.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

namespace efface::test::power {
namespace {

constexpr std::string_view ignored_name = "lock.mdb";
Recorder* active_recorder = nullptr;

[[noreturn]] void not_modelled(const char* what) {
  std::fprintf(stderr, "the recorder does not model %s\n", what);
  _exit(3);
}

bool find_status(int parent, const char* path, struct stat& into) noexcept {
  return ::fstatat(parent, path, &into, AT_SYMLINK_NOFOLLOW) == 0;
}

std::vector<std::byte> content_of(const std::filesystem::path& path) {
  const std::string content = file_content(path);
  const auto bytes = std::as_bytes(std::span(content));
  return {bytes.begin(), bytes.end()};
}

void read_below(const std::filesystem::path& path, Inode inode, std::vector<Found>& into) {
  std::vector<std::filesystem::path> children;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    if (entry.path().filename() != ignored_name) children.push_back(entry.path());
  std::ranges::sort(children);
  for (const std::filesystem::path& child : children) {
    const bool directory = std::filesystem::is_directory(child);
    const auto number = static_cast<Inode>(into.size());
    into.push_back({number, inode, child.filename().string(), directory,
                    directory ? std::vector<std::byte>() : content_of(child)});
    if (directory) read_below(child, number, into);
  }
}

// Before a creation, so that it is known afterwards whether it made something.
bool is_there(int parent, const char* path) noexcept {
  struct stat found{};
  return find_status(parent, path, found);
}

}  // namespace

std::vector<Found> read_tree(const std::filesystem::path& top) {
  std::vector<Found> all;
  all.push_back({0, no_inode, {}, true, {}});
  read_below(top, 0, all);
  return all;
}

Recorder::Recorder(const std::filesystem::path& top) : thread_(::gettid()) {
  if (active_recorder != nullptr) not_modelled("two recorders");
  std::vector<std::filesystem::path> paths;
  for (const Found& found : read_tree(top)) {
    paths.push_back(found.parent == no_inode ? top : paths.at(found.parent) / found.name);
    struct stat status{};
    if (!find_status(AT_FDCWD, paths.back().c_str(), status)) not_modelled("a tree that changes");
    known_.push_back({status.st_dev, status.st_ino, next_++});
  }
  active_recorder = this;
}

Recorder::~Recorder() { active_recorder = nullptr; }

Recorder* Recorder::active() noexcept { return active_recorder; }

void Recorder::mark(std::uint32_t begun, std::uint32_t ended) {
  log_.push_back({.kind = Operation::Kind::mark, .begun = begun, .ended = ended});
}

void Recorder::check_thread() const {
  if (::gettid() != thread_) not_modelled("a second thread");
}

Inode Recorder::inode_of(std::uint64_t device, std::uint64_t number) const noexcept {
  for (const Known& one : known_)
    if (one.device == device && one.number == number) return one.inode;
  return no_inode;
}

Inode Recorder::known(int fd) const noexcept {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return no_inode;
  return inode_of(status.st_dev, status.st_ino);
}

void Recorder::changed(int fd, Operation::Kind kind, std::uint64_t offset, const void* bytes,
                       std::size_t size) {
  const Inode inode = known(fd);
  if (inode == no_inode) return;
  check_thread();
  const int flags = ::fcntl(fd, F_GETFL);
  Operation operation{.kind = kind, .inode = inode, .offset = offset};
  operation.syncs_itself = kind == Operation::Kind::write && (flags & O_DSYNC) != 0;
  const auto* const first = static_cast<const std::byte*>(bytes);
  operation.bytes.assign(first, first + size);
  log_.push_back(std::move(operation));
}

void Recorder::synced(int fd, Operation::Kind kind) {
  const Inode inode = known(fd);
  if (inode == no_inode) return;
  check_thread();
  log_.push_back({.kind = kind, .inode = inode});
}

// The directory that a path names something in, and that name.
Inode Recorder::parent_of(int parent, const char* path, std::string& name) const {
  const std::filesystem::path whole(path);
  name = whole.filename().string();
  const std::filesystem::path above = whole.parent_path();
  struct stat status{};
  const bool found = above.empty() && parent != AT_FDCWD
                         ? ::fstat(parent, &status) == 0
                         : ::fstatat(parent, above.empty() ? "." : above.c_str(), &status, 0) == 0;
  return found ? inode_of(status.st_dev, status.st_ino) : no_inode;
}

void Recorder::created(int parent, const char* path, bool directory) {
  Operation operation{.kind = Operation::Kind::create};
  operation.parent = parent_of(parent, path, operation.name);
  struct stat status{};
  if (operation.parent == no_inode || operation.name == ignored_name ||
      !find_status(parent, path, status))
    return;
  check_thread();
  operation.inode = next_++;
  operation.directory = directory;
  known_.push_back({status.st_dev, status.st_ino, operation.inode});
  log_.push_back(std::move(operation));
}

void Recorder::renamed(int from_parent, const char* from, int to_parent, const char* to) {
  Operation operation{.kind = Operation::Kind::rename};
  operation.parent = parent_of(from_parent, from, operation.name);
  const Inode target = parent_of(to_parent, to, operation.new_name);
  struct stat status{};
  if (target == no_inode && operation.parent == no_inode) return;
  if (target != operation.parent) not_modelled("a rename from one directory to another");
  if (!find_status(to_parent, to, status)) not_modelled("a rename that leaves nothing");
  check_thread();
  operation.inode = inode_of(status.st_dev, status.st_ino);
  log_.push_back(std::move(operation));
}

// Called before it is done: the number of the inode may be another's at once.
void Recorder::unlinked(int parent, const char* path) {
  Operation operation{.kind = Operation::Kind::unlink};
  operation.parent = parent_of(parent, path, operation.name);
  struct stat status{};
  if (operation.parent == no_inode || operation.name == ignored_name ||
      !find_status(parent, path, status))
    return;
  check_thread();
  operation.inode = inode_of(status.st_dev, status.st_ino);
  std::erase_if(known_, [&](const Known& one) { return one.inode == operation.inode; });
  log_.push_back(std::move(operation));
}

namespace {

ssize_t write_at(int fd, const void* bytes, size_t size, off_t offset) {
  const ssize_t put = ::syscall(SYS_pwrite64, fd, bytes, size, offset);
  if (Recorder* const now = Recorder::active(); now != nullptr && put > 0)
    now->changed(fd, Operation::Kind::write, static_cast<std::uint64_t>(offset), bytes,
                 static_cast<std::size_t>(put));
  return put;
}

ssize_t write_on(int fd, const void* bytes, size_t size) {
  Recorder* const now = Recorder::active();
  const off_t offset = now == nullptr ? 0 : ::lseek(fd, 0, SEEK_CUR);
  const ssize_t put = ::syscall(SYS_write, fd, bytes, size);
  if (now != nullptr && put > 0 && offset >= 0)
    now->changed(fd, Operation::Kind::write, static_cast<std::uint64_t>(offset), bytes,
                 static_cast<std::size_t>(put));
  return put;
}

std::vector<std::byte> gathered(const iovec* parts, int count) {
  std::vector<std::byte> all;
  for (int i = 0; i < count; ++i) {
    const auto* const first = static_cast<const std::byte*>(parts[i].iov_base);
    all.insert(all.end(), first, first + parts[i].iov_len);
  }
  return all;
}

int truncate_to(int fd, off_t size) {
  const int rc = static_cast<int>(::syscall(SYS_ftruncate, fd, size));
  if (Recorder* const now = Recorder::active(); now != nullptr && rc == 0)
    now->changed(fd, Operation::Kind::truncate, static_cast<std::uint64_t>(size), nullptr, 0);
  return rc;
}

int sync_with(long call, int fd, Operation::Kind kind) {
  const int rc = static_cast<int>(::syscall(call, fd));
  if (Recorder* const now = Recorder::active(); now != nullptr && rc == 0) now->synced(fd, kind);
  return rc;
}

int open_with(int parent, const char* path, int flags, mode_t mode) {
  Recorder* const now = Recorder::active();
  const bool makes = now != nullptr && (flags & O_CREAT) != 0 && !is_there(parent, path);
  const int fd = static_cast<int>(::syscall(SYS_openat, parent, path, flags, mode));
  if (now == nullptr || fd < 0) return fd;
  if (makes) now->created(parent, path, false);
  if ((flags & O_TRUNC) != 0) now->changed(fd, Operation::Kind::truncate, 0, nullptr, 0);
  if ((flags & O_DIRECT) != 0 && (flags & O_ACCMODE) != O_RDONLY && now->known(fd) != no_inode)
    not_modelled("writes past the page cache");
  return fd;
}

int rename_with(int from_parent, const char* from, int to_parent, const char* to, unsigned flags) {
  const int rc =
      static_cast<int>(::syscall(SYS_renameat2, from_parent, from, to_parent, to, flags));
  if (Recorder* const now = Recorder::active(); now != nullptr && rc == 0)
    now->renamed(from_parent, from, to_parent, to);
  return rc;
}

int unlink_with(int parent, const char* path, int flags) {
  Recorder* const now = Recorder::active();
  if (now != nullptr && is_there(parent, path)) now->unlinked(parent, path);
  const int rc = static_cast<int>(::syscall(SYS_unlinkat, parent, path, flags));
  if (now != nullptr && rc != 0) not_modelled("an unlink that fails");
  return rc;
}

int make_directory_with(int parent, const char* path, mode_t mode) {
  const int rc = static_cast<int>(::syscall(SYS_mkdirat, parent, path, mode));
  if (Recorder* const now = Recorder::active(); now != nullptr && rc == 0)
    now->created(parent, path, true);
  return rc;
}

int refuse(const char* what, int fd) {
  if (const Recorder* const now = Recorder::active(); now != nullptr && now->known(fd) != no_inode)
    not_modelled(what);
  errno = ENOSYS;
  return -1;
}

mode_t mode_of(int flags, va_list more) noexcept {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
}

}  // namespace
}  // namespace efface::test::power

using efface::test::power::Recorder;

// What libc declares, of which these are the definitions in this executable. Those that no caller
// needs answer ENOSYS, and end the process where a recorded file is meant.
#define EFFACE_TEST_CALL extern "C" __attribute__((visibility("default")))

EFFACE_TEST_CALL ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return efface::test::power::write_at(fd, bytes, size, offset);
}
EFFACE_TEST_CALL ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  return efface::test::power::write_at(fd, bytes, size, offset);
}
EFFACE_TEST_CALL ssize_t write(int fd, const void* bytes, size_t size) {
  return efface::test::power::write_on(fd, bytes, size);
}
EFFACE_TEST_CALL ssize_t writev(int fd, const iovec* parts, int count) {
  const auto all = efface::test::power::gathered(parts, count);
  return efface::test::power::write_on(fd, all.data(), all.size());
}
EFFACE_TEST_CALL ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  const auto all = efface::test::power::gathered(parts, count);
  return efface::test::power::write_at(fd, all.data(), all.size(), offset);
}
EFFACE_TEST_CALL int ftruncate(int fd, off_t size) noexcept {
  return efface::test::power::truncate_to(fd, size);
}
EFFACE_TEST_CALL int ftruncate64(int fd, off64_t size) noexcept {
  return efface::test::power::truncate_to(fd, size);
}
EFFACE_TEST_CALL int fdatasync(int fd) {
  return efface::test::power::sync_with(SYS_fdatasync, fd,
                                        efface::test::power::Operation::Kind::sync_data);
}
EFFACE_TEST_CALL int fsync(int fd) {
  return efface::test::power::sync_with(SYS_fsync, fd, efface::test::power::Operation::Kind::sync);
}
EFFACE_TEST_CALL int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = efface::test::power::mode_of(flags, more);
  va_end(more);
  return efface::test::power::open_with(AT_FDCWD, path, flags, mode);
}
EFFACE_TEST_CALL int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = efface::test::power::mode_of(flags, more);
  va_end(more);
  return efface::test::power::open_with(AT_FDCWD, path, flags, mode);
}
EFFACE_TEST_CALL int openat(int parent, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = efface::test::power::mode_of(flags, more);
  va_end(more);
  return efface::test::power::open_with(parent, path, flags, mode);
}
EFFACE_TEST_CALL int openat64(int parent, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = efface::test::power::mode_of(flags, more);
  va_end(more);
  return efface::test::power::open_with(parent, path, flags, mode);
}
EFFACE_TEST_CALL int rename(const char* from, const char* to) noexcept {
  return efface::test::power::rename_with(AT_FDCWD, from, AT_FDCWD, to, 0);
}
EFFACE_TEST_CALL int renameat(int from_parent, const char* from, int to_parent,
                              const char* to) noexcept {
  return efface::test::power::rename_with(from_parent, from, to_parent, to, 0);
}
EFFACE_TEST_CALL int renameat2(int from_parent, const char* from, int to_parent, const char* to,
                               unsigned flags) noexcept {
  return efface::test::power::rename_with(from_parent, from, to_parent, to, flags);
}
EFFACE_TEST_CALL int unlink(const char* path) noexcept {
  return efface::test::power::unlink_with(AT_FDCWD, path, 0);
}
EFFACE_TEST_CALL int rmdir(const char* path) noexcept {
  return efface::test::power::unlink_with(AT_FDCWD, path, AT_REMOVEDIR);
}
EFFACE_TEST_CALL int unlinkat(int parent, const char* path, int flags) noexcept {
  return efface::test::power::unlink_with(parent, path, flags);
}
EFFACE_TEST_CALL int mkdir(const char* path, mode_t mode) noexcept {
  return efface::test::power::make_directory_with(AT_FDCWD, path, mode);
}
EFFACE_TEST_CALL int mkdirat(int parent, const char* path, mode_t mode) noexcept {
  return efface::test::power::make_directory_with(parent, path, mode);
}
EFFACE_TEST_CALL void* mmap(void* at, size_t size, int protection, int flags, int fd,
                            off_t offset) noexcept {
  const Recorder* const now = Recorder::active();
  if (now != nullptr && fd >= 0 && (flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0 &&
      now->known(fd) != efface::test::power::no_inode)
    efface::test::power::not_modelled("a writable shared map of a data file");
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, protection, flags, fd, offset));
}
// Blocks set aside beyond the end hold nothing that can be read, now or after a loss of power.
EFFACE_TEST_CALL int fallocate(int fd, int mode, off_t offset, off_t size) {
  if (mode != FALLOC_FL_KEEP_SIZE) return efface::test::power::refuse("fallocate", fd);
  return static_cast<int>(::syscall(SYS_fallocate, fd, mode, offset, size));
}
EFFACE_TEST_CALL int posix_fallocate(int fd, off_t, off_t) {
  efface::test::power::refuse("posix_fallocate", fd);
  return ENOSYS;
}
EFFACE_TEST_CALL int sync_file_range(int fd, off64_t, off64_t, unsigned) {
  return efface::test::power::refuse("sync_file_range", fd);
}
EFFACE_TEST_CALL ssize_t copy_file_range(int, off64_t*, int fd, off64_t*, size_t, unsigned) {
  return efface::test::power::refuse("copy_file_range", fd);
}
EFFACE_TEST_CALL int linkat(int, const char*, int, const char*, int) noexcept {
  return efface::test::power::refuse("a hard link", -1);
}
