#include "os/host.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <string>

#include "base/check.h"

namespace efface::os {
namespace {

namespace fs = std::filesystem;

// Not by the iterators of the C++ library, which end the process when they have no memory.
Result<bool> is_open_below(const Directory& directory) {
  EFFACE_ASSIGN(const std::vector<std::string> names, directory.names());
  for (const std::string& name : names) {
    struct stat found{};
    if (::fstatat(directory.fd(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // It went meanwhile.
      return system_error(errno, "a file of the store could not be looked at");
    }
    if (found.st_uid != ::geteuid() || S_ISLNK(found.st_mode) || (found.st_mode & 077U) != 0)
      return true;
    if (!S_ISDIR(found.st_mode)) continue;
    EFFACE_ASSIGN(const Directory child, directory.open_child(name));
    EFFACE_ASSIGN(const bool open, is_open_below(child));
    if (open) return true;
  }
  return false;
}

// A program is given the memory whatever the limit says.
bool cores_go_to_a_program() noexcept {
  const int fd = ::open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return true;
  char first = 0;
  const bool read = ::read(fd, &first, 1) == 1;
  ::close(fd);
  return !read || first == '|';
}

}  // namespace

Result<Volume> volume_of(const fs::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat found{};
  struct statvfs room{};
  if (!fd || ::fstat(fd.get(), &found) != 0 || ::fstatvfs(fd.get(), &room) != 0)
    return system_error(errno, "a volume could not be looked at");
  const std::uint64_t unit_bytes = room.f_frsize;
  return Volume{found.st_dev, file_system_of(fd.get()), unit_bytes * room.f_blocks,
                unit_bytes * room.f_bavail};
}

Result<bool> is_open_to_others(const fs::path& directory) {
  const Result<Directory> opened = Directory::open(directory);
  if (opened) return is_open_below(*opened);
  if (opened.error().code() == Errc::unsafe_path) return true;
  return opened.error();
}

Result<std::string> process_namespace() {
  const Descriptor boot(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text{};
  std::size_t size = 0;
  ssize_t more = boot ? 1 : -1;
  while (more > 0 && size < text.size()) {
    more = ::read(boot.get(), text.data() + size, text.size() - size);
    if (more > 0) size += static_cast<std::size_t>(more);
  }
  struct stat found{};
  if (more < 0 || ::stat("/proc/self/ns/pid", &found) != 0)
    return system_error(errno, "the namespace of a process could not be looked at");
  return std::string(text.data(), size) + std::to_string(found.st_ino);
}

bool may_dump_core() noexcept {
  if (::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0) return false;
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0) return true;
  return cores_go_to_a_program();
}

std::optional<bool> has_swap() {
  std::ifstream swaps("/proc/swaps");
  std::string line;
  if (!std::getline(swaps, line)) return std::nullopt;  // The heading.
  return static_cast<bool>(std::getline(swaps, line));
}

}  // namespace efface::os
