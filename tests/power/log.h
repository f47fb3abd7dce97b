// power/log.h -- what a process did to the files below a directory, in order: each change and each
// sync, and between them what it began and acknowledged.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace efface::test::power {

using Inode = std::uint32_t;  // Of a log: 0 is the directory itself, and none is used twice.
inline constexpr Inode no_inode = ~Inode{0};

struct Operation {
  enum class Kind : std::uint8_t {
    write,      // Of inode, at offset.
    truncate,   // Of inode, to offset.
    sync_data,  // Of inode: fdatasync.
    sync,       // Of inode, a file or a directory: fsync.
    create,     // Of inode, as name in parent; a file or a directory.
    rename,     // Of inode, from name to new_name in parent.
    unlink,     // Of inode, as name in parent.
    mark,
  };
  Kind kind;
  Inode inode = no_inode;
  Inode parent = no_inode;
  std::uint64_t offset = 0;
  bool directory = false;
  bool syncs_itself = false;  // A write to a file that was opened with O_DSYNC or O_SYNC.
  std::string name{};
  std::string new_name{};
  std::vector<std::byte> bytes{};
  // Of a mark: how many operations of the workload had begun, and how many had been acknowledged.
  std::uint32_t begun = 0;
  std::uint32_t ended = 0;

  bool is_sync() const noexcept { return kind == Kind::sync || kind == Kind::sync_data; }
};

using Log = std::vector<Operation>;

}  // namespace efface::test::power
