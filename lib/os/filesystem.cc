#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "base/check.h"
#include "os/file.h"

namespace efface::os {
namespace {

namespace fs = std::filesystem;

struct Kind {
  std::uint32_t magic;
  FileSystem family;
  bool tried;  // LMDB's maps, locks and fdatasync were tried on it.
};

// Source: linux/magic.h and the file systems' own headers; zfs and bcachefs are not in the
// kernel's.
constexpr std::array kinds{
    Kind{0x0000EF53, FileSystem::in_place, true},        // ext4 (and ext2, ext3)
    Kind{0x58465342, FileSystem::in_place, true},        // xfs
    Kind{0x01021994, FileSystem::memory, true},          // tmpfs
    Kind{0x9123683E, FileSystem::copy_on_write, true},   // btrfs
    Kind{0x794C7630, FileSystem::copy_on_write, true},   // overlay
    Kind{0x2FC12FC1, FileSystem::copy_on_write, false},  // zfs
    Kind{0xCA451A4E, FileSystem::copy_on_write, false},  // bcachefs
    Kind{0xF2F52010, FileSystem::copy_on_write, false},  // f2fs
    Kind{0x00003434, FileSystem::copy_on_write, false},  // nilfs
    Kind{0x00006969, FileSystem::network, false},        // nfs
    Kind{0x0000517B, FileSystem::network, false},        // smb
    Kind{0xFE534D42, FileSystem::network, false},        // smb2
    Kind{0xFF534D42, FileSystem::network, false},        // cifs
    Kind{0x01021997, FileSystem::network, false},        // 9p
    Kind{0x65735546, FileSystem::network, false},        // fuse
    Kind{0x00C36400, FileSystem::network, false},        // ceph
    Kind{0x5346414F, FileSystem::network, false},        // afs
    Kind{0x73757245, FileSystem::network, false},        // coda
    Kind{0x0BD00BD0, FileSystem::network, false},        // lustre
    Kind{0x01161970, FileSystem::network, false},        // gfs2
    Kind{0x7461636F, FileSystem::network, false},        // ocfs2
};

Kind kind_of(int fd) noexcept {
  constexpr Kind nothing_known{0, FileSystem::unknown, false};
  struct statfs found{};
  int rc;
  do {
    rc = fstatfs(fd, &found);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0) return nothing_known;
  for (const Kind& kind : kinds)
    if (kind.magic == static_cast<std::uint32_t>(found.f_type)) return kind;
  return nothing_known;
}

// The parts of struct fiemap with room for one extent behind it.
struct OneExtentMap {
  alignas(
      struct fiemap) std::array<std::byte, sizeof(struct fiemap) + sizeof(fiemap_extent)> bytes{};
};

std::optional<FileId> id_of(const fs::path& path) noexcept {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return FileId{found.st_dev, found.st_ino};
}

}  // namespace

FileSystem file_system_of(int fd) noexcept { return kind_of(fd).family; }

bool supports_shared_maps(int fd) noexcept { return kind_of(fd).tried; }

std::optional<Extent> extent_of(const File& file, std::uint64_t offset) noexcept {
  constexpr std::uint32_t elsewhere =
      FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_ENCODED |
      FIEMAP_EXTENT_DATA_ENCRYPTED | FIEMAP_EXTENT_NOT_ALIGNED | FIEMAP_EXTENT_DATA_INLINE |
      FIEMAP_EXTENT_DATA_TAIL | FIEMAP_EXTENT_SHARED | FIEMAP_EXTENT_UNWRITTEN;
  OneExtentMap map;
  auto* request = reinterpret_cast<struct fiemap*>(map.bytes.data());  // Zero, and made of bytes.
  request->fm_start = offset;
  request->fm_length = 1;
  request->fm_flags = FIEMAP_FLAG_SYNC;
  request->fm_extent_count = 1;
  int rc;
  do {
    rc = ioctl(file.fd(), FS_IOC_FIEMAP, request);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0 || request->fm_mapped_extents != 1) return std::nullopt;
  fiemap_extent found;
  std::memcpy(&found, map.bytes.data() + sizeof(struct fiemap), sizeof found);
  if (offset < found.fe_logical || offset - found.fe_logical >= found.fe_length)
    return std::nullopt;  // A hole: nothing stands there yet.
  return Extent{.physical_bytes = found.fe_physical + (offset - found.fe_logical),
                .in_place = (found.fe_flags & elsewhere) == 0};
}

Result<bool> lies_within(const fs::path& inside, const fs::path& directory) {
  std::error_code failed;
  const fs::path start = fs::weakly_canonical(fs::absolute(inside, failed), failed);
  if (failed) return system_error(failed.value(), "resolution of a path");
  const fs::path wanted = fs::weakly_canonical(fs::absolute(directory, failed), failed);
  if (failed) return system_error(failed.value(), "resolution of a path");
  // By name, because what is not there yet has no inode; by inode, because of bind mounts.
  const std::optional<FileId> wanted_id = id_of(wanted);
  for (fs::path step = start;; step = step.parent_path()) {
    if (step == wanted || (wanted_id && id_of(step) == wanted_id)) return true;
    if (step == step.parent_path()) return false;
  }
}

}  // namespace efface::os
