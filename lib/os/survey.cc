#include "os/survey.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/check.h"

namespace efface::os {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view passed_over = "lock.mdb";

struct DirectoryCloser {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

// The names in a directory that lead on, sorted. Not by fs::directory_iterator: libstdc++ ends the
// process where it has no memory for a name.
std::vector<fs::path> listing_of(const fs::path& directory, FunctionRef<void()> unreadable) {
  std::vector<fs::path> names;
  const std::unique_ptr<DIR, DirectoryCloser> opened(::opendir(directory.c_str()));
  int failed = opened == nullptr ? errno : 0;
  while (failed == 0) {
    errno = 0;
    const dirent* const entry = ::readdir(opened.get());
    failed = errno;
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    if (name == "." || name == ".." || name == passed_over) continue;
    fs::path path = directory / name;
    std::error_code unknown;
    const fs::file_status status = fs::symlink_status(path, unknown);
    const bool leads_on = fs::is_directory(status) || fs::is_regular_file(status);
    if (!unknown && leads_on) names.push_back(std::move(path));
  }
  if (failed != 0) unreadable();
  std::ranges::sort(names);
  return names;
}

}  // namespace

Result<ForeignFile> ForeignFile::open(const fs::path& path) {
  // Not to wait for the other end of a pipe that took the file's place.
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  Descriptor fd(::open(path.c_str(), flags));
  if (!fd) return system_error(errno, "open of a file to search");
  struct stat found{};
  if (::fstat(fd.get(), &found) != 0) return system_error(errno, "fstat of a file to search");
  if (!S_ISREG(found.st_mode) && !S_ISBLK(found.st_mode))
    return Error(Errc::unsafe_path, "neither a file nor a block device");
  const off_t end = ::lseek(fd.get(), 0, SEEK_END);  // Of a device too.
  if (end < 0) return system_error(errno, "the size of a file to search");
  return ForeignFile(std::move(fd), static_cast<std::uint64_t>(end));
}

Result<std::size_t> ForeignFile::read_at(std::uint64_t offset, MutableBytes out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got < 0 && errno != EINTR) return system_error(errno, "read of a file to search");
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  return done;
}

Status each_file_below(const fs::path& place, FunctionRef<Status(const fs::path&)> look,
                       FunctionRef<void()> unreadable) {
  std::error_code failed;
  const fs::path whole = fs::canonical(place, failed);
  if (failed) return system_error(failed.value(), "resolution of a place to search");
  const fs::file_status status = fs::status(whole, failed);
  if (failed) return system_error(failed.value(), "a place to search");
  if (fs::is_regular_file(status) || fs::is_block_file(status)) return look(whole);
  if (!fs::is_directory(status))
    return Error(Errc::unsafe_path, "a place to search is neither a file nor a directory");
  std::vector<fs::path> waiting{whole};  // The next one last.
  while (!waiting.empty()) {
    const fs::path next = std::move(waiting.back());
    waiting.pop_back();
    const fs::file_status kind = fs::symlink_status(next, failed);
    if (failed) {
      unreadable();
    } else if (fs::is_directory(kind)) {
      std::vector<fs::path> below = listing_of(next, unreadable);
      waiting.insert(waiting.end(), std::make_move_iterator(below.rbegin()),
                     std::make_move_iterator(below.rend()));
    } else if (fs::is_regular_file(kind)) {
      EFFACE_TRY(look(next));
    }
  }
  return {};
}

}  // namespace efface::os
