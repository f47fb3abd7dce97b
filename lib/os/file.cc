#include "os/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"

namespace efface::os {
namespace {

constexpr mode_t file_mode = 0600;
constexpr mode_t directory_mode = 0700;
constexpr mode_t others_mask = 0077;
constexpr int tree_depth_max = 32;  // Also the descriptors that remove_tree may hold.

// A name that is one component, as the C string that the system wants.
class Component {
 public:
  static Result<Component> of(std::string_view name) {
    const bool too_long = name.size() >= std::tuple_size_v<decltype(Component::text_)>;
    if (name.empty() || too_long || name == "." || name == ".." ||
        name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos)
      return Error(Errc::invalid_argument, "a file name is one path component");
    Component out;
    std::memcpy(out.text_.data(), name.data(), name.size());
    return out;
  }
  const char* c_str() const noexcept { return text_.data(); }

 private:
  Component() noexcept = default;
  std::array<char, 256> text_{};
};

// openat that is never interrupted. O_NONBLOCK: a FIFO in the way must not hang us, and regular
// files do not mind.
int open_at(int parent, const char* name, int flags, mode_t mode) noexcept {
  int fd;
  do {
    fd = openat(parent, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

Status check_file(int fd) {
  struct stat found{};
  if (fstat(fd, &found) != 0) return system_error(errno, "fstat of a file");
  if (!S_ISREG(found.st_mode)) return Error(Errc::unsafe_path, "not a regular file");
  if (found.st_uid != geteuid()) return Error(Errc::unsafe_path, "a file of another owner");
  if (found.st_nlink != 1) return Error(Errc::unsafe_path, "a file with a second hard link");
  if ((found.st_mode & others_mask) != 0)
    return Error(Errc::unsafe_path, "a file with permissions for group or others");
  return {};
}

Status check_directory(int fd) {
  struct stat found{};
  if (fstat(fd, &found) != 0) return system_error(errno, "fstat of a directory");
  if (!S_ISDIR(found.st_mode)) return Error(Errc::unsafe_path, "not a directory");
  if (found.st_uid != geteuid()) return Error(Errc::unsafe_path, "a directory of another owner");
  if ((found.st_mode & others_mask) != 0)
    return Error(Errc::unsafe_path, "a directory with permissions for group or others");
  return {};
}

// O_NOFOLLOW says ELOOP for a symlink, and ENOTDIR for one where a directory is asked for.
Error open_error(int code, Note note) noexcept {
  if (code == ELOOP || code == ENOTDIR || code == ENXIO) return {Errc::unsafe_path, note, code};
  return system_error(code, note);
}

Result<FileId> id_of(int fd) {
  struct stat found{};
  if (fstat(fd, &found) != 0) return system_error(errno, "fstat");
  return FileId{found.st_dev, found.st_ino};
}

Result<std::vector<std::string>> names_in(const Descriptor& directory) {
  // A description of its own, so that the position in it is ours.
  Descriptor own(open_at(directory.get(), ".", O_RDONLY | O_DIRECTORY, 0));
  if (!own) return open_error(errno, "open of a directory to list it");
  const auto close_stream = [](DIR* stream) noexcept { closedir(stream); };
  std::unique_ptr<DIR, decltype(close_stream)> stream(fdopendir(own.get()), close_stream);
  if (stream == nullptr) return system_error(errno, "fdopendir");
  own.release();  // Closed with the stream.
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return system_error(errno, "readdir");
  return names;
}

Status remove_below(int parent, const char* name, int depth) {
  if (depth > tree_depth_max) return Error(Errc::io, "a tree too deep to remove", ELOOP);
  const Descriptor directory(open_at(parent, name, O_RDONLY | O_DIRECTORY, 0));
  if (!directory && (errno == ENOTDIR || errno == ELOOP)) {
    if (unlinkat(parent, name, 0) != 0) return system_error(errno, "unlinkat");
    return {};
  }
  if (!directory) return open_error(errno, "open of a directory to remove it");
  EFFACE_ASSIGN(const std::vector<std::string> names, names_in(directory));
  for (const std::string& child : names)
    EFFACE_TRY(remove_below(directory.get(), child.c_str(), depth + 1));
  if (unlinkat(parent, name, AT_REMOVEDIR) != 0) return system_error(errno, "unlinkat");
  return {};
}

// "link/" and "link/." would follow the link in spite of O_NOFOLLOW.
std::string without_trailing_dots(std::string path) {
  for (;;) {
    if (path.size() > 1 && path.ends_with('/'))
      path.pop_back();
    else if (path.size() > 1 && path.ends_with("/."))
      path.pop_back();
    else
      return path;
  }
}

constexpr bool range_fits(std::uint64_t offset, std::size_t length) noexcept {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  return offset <= most && length <= most - offset;
}

}  // namespace

Error system_error(int system_code, Note note) noexcept {
  switch (system_code) {
    case ENOENT:
      return {Errc::store_missing, note, system_code};
    case EEXIST:
    case ENOTEMPTY:
      return {Errc::exists, note, system_code};
    case ELOOP:
      return {Errc::unsafe_path, note, system_code};
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {Errc::no_space, note, system_code};
    case ENOMEM:
      return {Errc::out_of_memory, note, system_code};
    default:
      return {Errc::io, note, system_code};
  }
}

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    Descriptor old(std::exchange(fd_, other.release()));
  }
  return *this;
}

// After EINTR the descriptor is gone on Linux: another close could hit somebody else's.
Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

int Descriptor::release() noexcept { return std::exchange(fd_, -1); }

Result<Directory> Directory::open(const std::filesystem::path& path) {
  if (path.native().find('\0') != std::string::npos)
    return Error(Errc::invalid_argument, "a path with a zero byte");
  const std::string name = without_trailing_dots(path.native());
  Descriptor fd(open_at(AT_FDCWD, name.c_str(), O_RDONLY | O_DIRECTORY, 0));
  if (!fd) return open_error(errno, "open of a directory");
  EFFACE_TRY(check_directory(fd.get()));
  return Directory(std::move(fd));
}

Result<Directory> Directory::open_child(std::string_view name) const {
  EFFACE_ASSIGN(const Component component, Component::of(name));
  Descriptor fd(open_at(fd_.get(), component.c_str(), O_RDONLY | O_DIRECTORY, 0));
  if (!fd) return open_error(errno, "open of a directory");
  EFFACE_TRY(check_directory(fd.get()));
  return Directory(std::move(fd));
}

Result<Directory> Directory::create_child(std::string_view name) const {
  EFFACE_ASSIGN(const Component component, Component::of(name));
  if (mkdirat(fd_.get(), component.c_str(), directory_mode) != 0)
    return system_error(errno, "mkdirat");
  return open_child(name);
}

Result<std::vector<std::string>> Directory::names() const { return names_in(fd_); }

Result<bool> Directory::contains(std::string_view name) const {
  EFFACE_ASSIGN(const Component component, Component::of(name));
  struct stat found{};
  if (fstatat(fd_.get(), component.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return system_error(errno, "fstatat");
}

Status Directory::rename(std::string_view from, std::string_view to) const {
  EFFACE_ASSIGN(const Component source, Component::of(from));
  EFFACE_ASSIGN(const Component target, Component::of(to));
  const int fd = fd_.get();
  if (renameat2(fd, source.c_str(), fd, target.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return system_error(errno, "renameat2");
  // A file system without RENAME_NOREPLACE. Nobody but us writes in our directories, so that
  // looking first is as good.
  EFFACE_ASSIGN(const bool taken, contains(to));
  if (taken) return Error(Errc::exists, "renameat2", EEXIST);
  if (renameat2(fd, source.c_str(), fd, target.c_str(), 0) != 0)
    return system_error(errno, "renameat2");
  return {};
}

Status Directory::remove_file(std::string_view name) const {
  EFFACE_ASSIGN(const Component component, Component::of(name));
  if (unlinkat(fd_.get(), component.c_str(), 0) != 0) return system_error(errno, "unlinkat");
  return {};
}

Status Directory::remove_tree(std::string_view name) const {
  EFFACE_ASSIGN(const Component component, Component::of(name));
  EFFACE_ASSIGN(const bool there, contains(name));
  if (!there) return {};
  return remove_below(fd_.get(), component.c_str(), 0);
}

Status Directory::sync() const {
  if (fsync(fd_.get()) != 0) return system_error(errno, "fsync of a directory");
  return {};
}

Result<FileId> Directory::id() const { return id_of(fd_.get()); }

std::filesystem::path Directory::handle_path() const {
  return "/proc/self/fd/" + std::to_string(fd_.get());
}

Result<File> File::open(const Directory& parent, std::string_view name, Access access) {
  EFFACE_ASSIGN(const Component component, Component::of(name));
  const int flags = access == Access::read ? O_RDONLY : O_RDWR;
  Descriptor fd(open_at(parent.fd(), component.c_str(), flags, 0));
  if (!fd && errno == EISDIR) return Error(Errc::unsafe_path, "not a regular file", EISDIR);
  if (!fd) return open_error(errno, "open of a file");
  EFFACE_TRY(check_file(fd.get()));
  return File(std::move(fd));
}

Result<File> File::create(const Directory& parent, std::string_view name) {
  EFFACE_ASSIGN(const Component component, Component::of(name));
  Descriptor fd(open_at(parent.fd(), component.c_str(), O_RDWR | O_CREAT | O_EXCL, file_mode));
  if (!fd) return open_error(errno, "creation of a file");
  EFFACE_TRY(check_file(fd.get()));
  return File(std::move(fd));
}

Status File::read_at(std::uint64_t offset, MutableBytes out) const {
  if (!range_fits(offset, out.size())) return Error(Errc::io, "read past any file", EOVERFLOW);
  while (!out.empty()) {
    const ssize_t got = pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "pread");
    if (got == 0) return Error(Errc::io, "a file ends before what was to be read");
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

Status File::write_at(std::uint64_t offset, Bytes bytes) const {
  if (!range_fits(offset, bytes.size())) return Error(Errc::no_space, "pwrite", EFBIG);
  while (!bytes.empty()) {
    const ssize_t put = pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error(errno, "pwrite");
    if (put == 0) return Error(Errc::io, "a write that takes nothing");
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

// Neither is retried: after a failure the kernel has forgotten which pages were dirty, and a second
// call would succeed without having written them.
Status File::sync_data() const {
  if (fdatasync(fd_.get()) != 0) return system_error(errno, "fdatasync");
  return {};
}

Status File::sync() const {
  if (fsync(fd_.get()) != 0) return system_error(errno, "fsync");
  return {};
}

Result<std::uint64_t> File::size() const {
  struct stat found{};
  if (fstat(fd_.get(), &found) != 0) return system_error(errno, "fstat");
  return static_cast<std::uint64_t>(found.st_size);
}

Result<FileId> File::id() const { return id_of(fd_.get()); }

}  // namespace efface::os
