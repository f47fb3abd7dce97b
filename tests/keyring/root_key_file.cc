#include "keyring/root_key_file.h"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace efface::test {

SystemCalls& system_calls() {
  static SystemCalls calls;
  return calls;
}

namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::abort();
}

}  // namespace

RawFile read_raw(const std::filesystem::path& path) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) fail("fopen");
  RawFile bytes(keyring::root_file_bytes + 1);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  std::fclose(file);
  return bytes;
}

void write_raw(const std::filesystem::path& path, const RawFile& bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) fail("open");
  if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) fail("write");
  if (::ftruncate(fd, static_cast<off_t>(bytes.size())) != 0) fail("ftruncate");
  ::close(fd);
}

bool holds(const RawFile& file, Bytes needle) { return !std::ranges::search(file, needle).empty(); }

std::span<std::byte, 512> slot_in(RawFile& file, std::size_t index) {
  return std::span<std::byte, 512>(file.data() + keyring::root_slot_offset(index), 512);
}

std::vector<std::byte> key_in(const RawFile& file, std::size_t index) {
  const auto start =
      file.begin() + static_cast<std::ptrdiff_t>(keyring::root_slot_offset(index) + key_at);
  return {start, start + 32};
}

}  // namespace efface::test

using efface::test::system_calls;

// The linker sends the library's calls here, and __real_ ones to the system.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
ssize_t __real_pwrite(int fd, const void* bytes, size_t size, off_t offset);
ssize_t __real_pread(int fd, void* bytes, size_t size, off_t offset);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_fstat(int fd, struct stat* out);
int __real_fstatfs(int fd, struct statfs* out);
int __real_ioctl(int fd, unsigned long request, void* argument);
FILE* __real_fopen(const char* path, const char* mode);

ssize_t __wrap_pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  auto& calls = system_calls();
  ++calls.pwrites;
  calls.pwritten_bytes += size;
  if (calls.pwrite_errno != 0) {
    errno = calls.pwrite_errno;
    return -1;
  }
  if (calls.pwrites_lost) return static_cast<ssize_t>(size);
  return __real_pwrite(fd, bytes, size, offset);
}

ssize_t __wrap_pread(int fd, void* bytes, size_t size, off_t offset) {
  auto& calls = system_calls();
  if (calls.pread_errno != 0) {
    errno = calls.pread_errno;
    return -1;
  }
  if (calls.stale_medium && (::fcntl(fd, F_GETFL) & O_DIRECT) != 0) {
    std::copy_n(calls.stale_medium->begin() + offset, size, static_cast<std::byte*>(bytes));
    return static_cast<ssize_t>(size);
  }
  return __real_pread(fd, bytes, size, offset);
}

int __wrap_fsync(int fd) {
  if (system_calls().fsync_errno == 0) return __real_fsync(fd);
  errno = system_calls().fsync_errno;
  return -1;
}

int __wrap_fdatasync(int fd) {
  auto& calls = system_calls();
  ++calls.fdatasyncs;
  if (calls.fdatasync_errno != 0 && calls.fdatasync_failures_left > 0) {
    --calls.fdatasync_failures_left;
    errno = calls.fdatasync_errno;
    return -1;
  }
  return __real_fdatasync(fd);
}

int __wrap_fstat(int fd, struct stat* out) {
  const int rc = __real_fstat(fd, out);
  const auto& foreign = system_calls().foreign_type;
  if (rc == 0 && foreign && (out->st_mode & S_IFMT) == *foreign) out->st_uid += 4242;
  return rc;
}

int __wrap_fstatfs(int fd, struct statfs* out) {
  const int rc = __real_fstatfs(fd, out);
  if (rc == 0 && system_calls().file_system_magic) out->f_type = *system_calls().file_system_magic;
  return rc;
}

int __wrap_ioctl(int fd, unsigned long request, void* argument) {
  const int rc = __real_ioctl(fd, request, argument);
  auto& calls = system_calls();
  if (request == FS_IOC_GETFLAGS && calls.attribute_journals_data) {
    *static_cast<int*>(argument) |= FS_JOURNAL_DATA_FL;
    return 0;
  }
  if (rc != 0 || request != FS_IOC_FIEMAP) return rc;
  auto* map = static_cast<struct fiemap*>(argument);
  if (map->fm_mapped_extents != 1) return rc;
  if (calls.pwrites > 0) map->fm_extents[0].fe_physical += calls.moves_bytes;
  if (calls.extents_shared) map->fm_extents[0].fe_flags |= FIEMAP_EXTENT_SHARED;
  return rc;
}

FILE* __wrap_fopen(const char* path, const char* mode) {
  auto& mountinfo = system_calls().mountinfo;
  if (!mountinfo || std::strcmp(path, "/proc/self/mountinfo") != 0) return __real_fopen(path, mode);
  if (mountinfo->empty()) return nullptr;
  return fmemopen(mountinfo->data(), mountinfo->size(), "r");
}
}
// NOLINTEND(bugprone-reserved-identifier)
