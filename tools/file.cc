#include "tools/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "tools/failure.h"

namespace efface::cli {
namespace {

constexpr std::uint64_t line_bytes_max = 64 * 1024;

// So that a name that was made is there after a crash, too.
bool sync_parent(const std::string& path) {
  std::string parent = std::filesystem::path(path).parent_path().string();
  if (parent.empty()) parent = ".";
  const int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced;
}

}  // namespace

AppendFile::AppendFile(const std::string& path, std::string what)
    : what_(std::move(what)),
      fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                 S_IRUSR | S_IWUSR)) {
  if (fd_ < 0) fail();
  if (sync_parent(path)) return;
  Failure failure = system_failure(what_ + " cannot be written");
  ::close(fd_);
  throw failure;
}

AppendFile::~AppendFile() { ::close(fd_); }

void AppendFile::fail() const { throw system_failure(what_ + " cannot be written"); }

bool AppendFile::lock() {
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK) fail();
  return false;
}

std::uint64_t AppendFile::bytes() const {
  struct stat status{};
  if (::fstat(fd_, &status) != 0) fail();
  return static_cast<std::uint64_t>(status.st_size);
}

std::string AppendFile::read(std::uint64_t from) const {
  const std::uint64_t end = bytes();
  std::string text(end > from ? end - from : 0, '\0');
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t got =
        ::pread(fd_, text.data() + done, text.size() - done, static_cast<off_t>(from + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw system_failure(what_ + " cannot be read");
    done += static_cast<std::size_t>(got);
  }
  return text;
}

void AppendFile::drop_torn_line() {
  const std::uint64_t size = bytes();
  const std::uint64_t from = size > line_bytes_max ? size - line_bytes_max : 0;
  const std::string text = read(from);
  const std::size_t last = text.rfind('\n');
  if (last == std::string::npos && from > 0)
    throw refused(Errc::corruption, what_ + " holds something else");
  const std::uint64_t whole = last == std::string::npos ? 0 : from + last + 1;
  if (whole != size && ::ftruncate(fd_, static_cast<off_t>(whole)) != 0) fail();
}

void AppendFile::append(std::string_view lines) {
  drop_torn_line();
  for (std::size_t done = 0; done < lines.size();) {
    const ssize_t written = ::write(fd_, lines.data() + done, lines.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail();
    done += static_cast<std::size_t>(written);
  }
  if (::fsync(fd_) != 0) fail();
}

}  // namespace efface::cli
