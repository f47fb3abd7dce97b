// os/file.h -- the only open, fsync, rename, pwrite of ours (LMDB has its own). The fault seam:
// tests replace the system calls behind it.
//
// Errors  unsafe_path for a symlink, a file that is not regular, a foreign owner, a second hard
//         link, or bits for group or others; store_missing where there is nothing; exists; no_space
//         for ENOSPC, EDQUOT and EFBIG; out_of_memory for ENOMEM; invalid_argument for a name that
//         is not one path component; io for the rest. Those of the system carry errno. EINTR and
//         short transfers are retried; fsync never is.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "efface/result.h"

namespace efface::os {

// From errno. The note says which call it was.
Error system_error(int system_code, Note note) noexcept;

// An owned descriptor, close-on-exec. Move-only.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const noexcept { return fd_; }
  int release() noexcept;  // Gives up ownership without closing.
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Two files are one file when these are equal.
struct FileId {
  std::uint64_t device;
  std::uint64_t inode;
  friend bool operator==(const FileId&, const FileId&) = default;
};

class File;

// An open directory; every name below it is resolved from its descriptor, one component at a time.
class Directory {
 public:
  // Refuses a symlink as the last component, a foreign owner, and any bit for group or others.
  static Result<Directory> open(const std::filesystem::path& path);
  Result<Directory> open_child(std::string_view name) const;
  Result<Directory> create_child(std::string_view name) const;  // 0700. Errors: exists.

  Result<std::vector<std::string>> names() const;      // In no order, not "." or "..".
  Result<bool> contains(std::string_view name) const;  // Anything, a dangling symlink included.
  Status rename(std::string_view from, std::string_view to) const;  // Never over an existing name.
  Status remove_file(std::string_view name) const;
  Status remove_tree(std::string_view name) const;  // Follows no symlink. Nothing there: done.
  Status sync() const;                              // fsync: the names in it are durable.
  Result<FileId> id() const;
  int fd() const noexcept { return fd_.get(); }
  // "/proc/self/fd/N": for libraries that want a path. Valid while this Directory lives.
  std::filesystem::path handle_path() const;

 private:
  friend class File;
  friend Result<Directory> open_parent_of(const std::filesystem::path& path);  // os/parent.h
  explicit Directory(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  Descriptor fd_;
};

class File {
 public:
  enum class Access : std::uint8_t { read, read_write };
  static Result<File> open(const Directory& parent, std::string_view name, Access access);
  static Result<File> create(const Directory& parent, std::string_view name);  // 0600, O_EXCL.

  Status read_at(std::uint64_t offset, MutableBytes out) const;  // All of it, or io.
  Status write_at(std::uint64_t offset, Bytes bytes) const;      // All of it, or an error.
  Status sync_data() const;                                      // fdatasync
  Status sync() const;                                           // fsync
  Result<std::uint64_t> size() const;
  Result<FileId> id() const;
  int fd() const noexcept { return fd_.get(); }
  void release() && noexcept { fd_.release(); }  // Forgets the descriptor without closing it.

 private:
  explicit File(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  Descriptor fd_;
};

// Where one byte range of a file lies on the device. Source: Documentation/filesystems/fiemap.rst.
struct Extent {
  std::uint64_t physical_bytes;
  bool in_place;  // Not shared, delayed, encoded, inline or unknown: rewriting it rewrites it.
  friend bool operator==(const Extent&, const Extent&) = default;
};
// Nothing where the file system cannot say (tmpfs, overlay). Flushes the file first.
std::optional<Extent> extent_of(const File& file, std::uint64_t offset) noexcept;

// What a file system can promise about overwriting and about memory maps.
enum class FileSystem : std::uint8_t {
  in_place,       // ext4, xfs: rewriting a written block rewrites it
  memory,         // tmpfs: the same, in memory; no extents to verify
  copy_on_write,  // btrfs, zfs, overlay, bcachefs, f2fs: the old bytes stay for a while
  network,        // nfs, smb, 9p, fuse: no shared memory maps, no locks to rely on
  unknown,
};
FileSystem file_system_of(int fd) noexcept;

// Whether memory maps, locks and fdatasync may be relied on: ext4, xfs, btrfs, tmpfs, overlay.
bool supports_shared_maps(int fd) noexcept;

// Whether some directory on the way from `inside` to / is `directory` (after resolving symlinks).
// Neither needs to be there yet.
Result<bool> lies_within(const std::filesystem::path& inside,
                         const std::filesystem::path& directory);

}  // namespace efface::os
