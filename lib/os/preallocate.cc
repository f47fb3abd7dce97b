#include "os/preallocate.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <limits>

#include "os/file.h"

namespace efface::os {

Status preallocate(int fd, std::uint64_t end) noexcept {
  if (end > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()))
    return Error(Errc::no_space, "fallocate", EFBIG);
  while (::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(end)) != 0) {
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == ENOSYS) return {};
    return system_error(errno, "fallocate");
  }
  return {};
}

std::uint64_t allocated_bytes(int fd) noexcept {
  constexpr std::uint64_t block_bytes = 512;  // Of st_blocks: stat(3type).
  struct stat about{};
  if (::fstat(fd, &about) != 0) return 0;
  return static_cast<std::uint64_t>(about.st_blocks) * block_bytes;
}

}  // namespace efface::os
