// A file that is nowhere, for an import to read.
#pragma once
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/check.h"

namespace efface::fuzz {

class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) { EFFACE_CHECK(fd_ >= 0); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  void fill(std::string_view text) {
    EFFACE_CHECK(::ftruncate(fd_, 0) == 0);
    EFFACE_CHECK(::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }

 private:
  int fd_;
};

// So small that rows reach beyond it.
inline std::size_t window_for(std::string_view text) { return 1 + text.size() % 13; }

}  // namespace efface::fuzz
