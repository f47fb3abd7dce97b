// power/recorder.h -- every call by which this process, LMDB's library included, changes or syncs a
// file below a directory.
//
// Shape    The executable defines the calls of libc that change files, so that those of shared
//          libraries go through it too; they are system calls here, and recorded ones while a
//          Recorder lives. lock.mdb is left out: LMDB makes it anew when nobody has it open.
// Threads  One: that which made the recorder. Another that changes a file ends the process.
// Limits   What no caller here does ends the process: a writable shared map of a file that is
//          recorded, a rename from one directory to another, links, copies within the kernel.
#pragma once
#include <filesystem>

#include "power/log.h"

namespace efface::test::power {

// What is below a directory: a log's inode for each thing, in the order of their paths.
struct Found {
  Inode inode;
  Inode parent;
  std::string name;  // Empty for the directory itself, which comes first.
  bool directory;
  std::vector<std::byte> bytes;
};
std::vector<Found> read_tree(const std::filesystem::path& top);

class Recorder {
 public:
  // What is there now has the inodes that read_tree gives it.
  explicit Recorder(const std::filesystem::path& top);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void mark(std::uint32_t begun, std::uint32_t ended);
  Log take() noexcept { return std::move(log_); }

  // For the calls.
  static Recorder* active() noexcept;
  Inode known(int fd) const noexcept;
  void changed(int fd, Operation::Kind kind, std::uint64_t offset, const void* bytes,
               std::size_t size);
  void synced(int fd, Operation::Kind kind);
  void created(int parent, const char* path, bool directory);
  void renamed(int from_parent, const char* from, int to_parent, const char* to);
  void unlinked(int parent, const char* path);

 private:
  struct Known {
    std::uint64_t device;
    std::uint64_t number;
    Inode inode;
  };
  Inode inode_of(std::uint64_t device, std::uint64_t number) const noexcept;
  Inode parent_of(int parent, const char* path, std::string& name) const;
  void check_thread() const;

  int thread_;
  Inode next_ = 0;
  std::vector<Known> known_;  // Few: a search is as fast as anything.
  Log log_;
};

}  // namespace efface::test::power
