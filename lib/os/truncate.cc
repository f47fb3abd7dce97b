#include "os/truncate.h"

#include <unistd.h>

#include <cerrno>

namespace efface::os {

Status truncate(const File& file, std::uint64_t size) {
  while (::ftruncate(file.fd(), static_cast<off_t>(size)) != 0)
    if (errno != EINTR) return system_error(errno, "a file could not be cut off");
  return {};
}

}  // namespace efface::os
