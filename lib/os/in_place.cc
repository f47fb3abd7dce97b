#include "os/in_place.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/check.h"

namespace efface::os {
namespace {

// A line of mountinfo: "36 35 98:0 /root /point options [tags] - type source super,options".
// Source: Documentation/filesystems/proc.rst, section 3.5.
bool line_is_of(std::string_view line, std::string_view device) noexcept {
  for (int skipped = 0; skipped < 2; ++skipped) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return false;
    line.remove_prefix(space + 1);
  }
  return line.starts_with(device) && line.substr(device.size()).starts_with(' ');
}

bool line_journals_data(std::string_view line) noexcept {
  std::string_view options = line.substr(line.rfind(' ') + 1);
  while (!options.empty()) {
    const std::size_t comma = options.find(',');
    if (options.substr(0, comma) == "data=journal") return true;
    if (comma == std::string_view::npos) return false;
    options.remove_prefix(comma + 1);
  }
  return false;
}

std::string_view without_newline(std::string_view line) noexcept {
  if (line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

bool mount_may_journal_data(dev_t device) noexcept {
  std::array<char, 32> wanted;
  std::snprintf(wanted.data(), wanted.size(), "%u:%u", major(device), minor(device));
  const auto close_stream = [](std::FILE* stream) noexcept { std::fclose(stream); };
  const std::unique_ptr<std::FILE, decltype(close_stream)> mounts(
      std::fopen("/proc/self/mountinfo", "re"), close_stream);
  if (mounts == nullptr) return true;
  bool listed = false;
  char* text = nullptr;
  std::size_t capacity = 0;
  bool journals = false;
  ssize_t length;
  while (!journals && (length = getline(&text, &capacity, mounts.get())) >= 0) {
    const std::string_view line = without_newline({text, static_cast<std::size_t>(length)});
    if (!line_is_of(line, wanted.data())) continue;
    listed = true;
    journals = line_journals_data(line);
  }
  std::free(text);
  return journals || !listed;
}

}  // namespace

std::optional<DirectReader> DirectReader::open(const File& file) noexcept {
  // A second description of the very same file: a name could have been moved.
  std::array<char, 32> path;
  std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", file.fd());
  Descriptor fd(::open(path.data(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!fd) return std::nullopt;
  return DirectReader(std::move(fd));
}

Result<bool> DirectReader::read_at(std::uint64_t offset, MutableBytes out) const {
  EFFACE_CHECK(offset % alignment_bytes == 0 && out.size() % alignment_bytes == 0);
  EFFACE_CHECK(reinterpret_cast<std::uintptr_t>(out.data()) % alignment_bytes == 0);
  ssize_t got;
  do {
    got = pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EINVAL || errno == EOPNOTSUPP)) return false;
  if (got < 0) return system_error(errno, "direct pread");
  if (static_cast<std::size_t>(got) != out.size())
    return Error(Errc::io, "a file ends before what was to be read");
  return true;
}

bool may_journal_data(const File& file) noexcept {
  int flags = 0;  // The kernel stores an int, whatever the macro's type says.
  if (ioctl(file.fd(), FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_JOURNAL_DATA_FL) != 0)
    return true;
  struct stat found{};
  if (fstat(file.fd(), &found) != 0) return true;
  return mount_may_journal_data(found.st_dev);
}

}  // namespace efface::os
