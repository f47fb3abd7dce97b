#include "os/parent.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace efface::os {
namespace {

// Whoever may rename in a directory on the way chooses what we find at its end. The sticky bit
// leaves that to the owners of the names.
Status check_on_the_way(int fd, bool last) {
  struct stat found{};
  if (fstat(fd, &found) != 0) return system_error(errno, "fstat of a directory");
  const bool others_write = (found.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if (others_write && (found.st_mode & S_ISVTX) == 0)
    return Error(Errc::unsafe_path, "a directory that group or others may write");
  if (last && found.st_uid != geteuid() && found.st_uid != 0)
    return Error(Errc::unsafe_path, "a directory of another owner");
  return {};
}

Result<Descriptor> open_directory(int parent, const char* name) {
  Descriptor fd(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (fd) return fd;
  // A directory of another's that may be passed but not listed.
  if (errno == EACCES)
    fd = Descriptor(openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd) return fd;
  if (errno == ENOTDIR || errno == ELOOP)
    return Error(Errc::unsafe_path, "open of a directory", errno);
  return system_error(errno, "open of a directory");
}

}  // namespace

Result<Directory> open_parent_of(const std::filesystem::path& path) {
  if (path.native().find('\0') != std::string::npos)
    return Error(Errc::invalid_argument, "a path with a zero byte");
  std::error_code failed;
  std::filesystem::path full = std::filesystem::absolute(path, failed);
  if (!failed) full = std::filesystem::canonical(full.parent_path(), failed);
  if (failed) return system_error(failed.value(), "resolution of a path");

  EFFACE_ASSIGN(Descriptor step, open_directory(AT_FDCWD, "/"));
  const std::filesystem::path names = full.relative_path();
  EFFACE_TRY(check_on_the_way(step.get(), names.empty()));
  for (auto name = names.begin(); name != names.end();) {
    const char* component = name->c_str();
    EFFACE_ASSIGN(Descriptor next, open_directory(step.get(), component));
    EFFACE_TRY(check_on_the_way(next.get(), ++name == names.end()));
    step = std::move(next);
  }
  return Directory(std::move(step));
}

}  // namespace efface::os
