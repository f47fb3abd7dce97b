// The files below a directory as they were once, to be put back.
//
// Shape  Put back in place: the same inodes, so nobody may have them open. Lock files of LMDB are
//        left alone: whoever opens them first makes them anew.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/check.h"
#include "support/file_content.h"

namespace efface::test {

class SavedFiles {
 public:
  struct Saved {
    std::filesystem::path path;
    std::string bytes;
  };

  explicit SavedFiles(const std::filesystem::path& directory) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (!entry.is_regular_file() || entry.path().filename() == "lock.mdb") continue;
      files_.push_back({entry.path(), file_content(entry.path())});
    }
  }

  const std::vector<Saved>& files() const noexcept { return files_; }

  void put_back() const {
    for (const Saved& file : files_) put(file, file.bytes);
  }

  // That file, with these bytes instead of its own.
  static void put(const Saved& file, std::string_view bytes) {
    const int fd = ::open(file.path.c_str(), O_WRONLY | O_CLOEXEC);
    EFFACE_CHECK(fd >= 0);
    EFFACE_CHECK(::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    EFFACE_CHECK(::ftruncate(fd, static_cast<off_t>(bytes.size())) == 0);
    ::close(fd);
  }

 private:
  std::vector<Saved> files_;
};

}  // namespace efface::test
