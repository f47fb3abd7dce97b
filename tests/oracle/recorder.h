// oracle/recorder.h -- every byte that this process writes to the files of a store, LMDB's
// included; and writes that fail when a test asks for it.
//
// It stands behind --wrap of pwrite, pwritev, write, writev and fdatasync, in executables that
// link LMDB's static library. What was handed to a write that was refused is recorded too: it may
// have reached the disk.
//
// Threads  One recorder at a time, one thread.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "oracle/disclosure.h"

namespace disclosure {

enum class Fault {
  none,
  meta_write,         // The commit's last write fails, having done nothing.
  meta_write_answer,  // It is done, and fails; so does LMDB's attempt to take it back.
  page_write,         // The commit's first write fails, having done nothing.
  sync,               // All pages are written, and cannot be synced.
  root_key_write,     // The root key store's next write fails, having done nothing.
};

class Recorder {
 public:
  // Watches all files below store, and beside it the root key files, *.key, and mirror/.
  explicit Recorder(std::filesystem::path store);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  Images& images() noexcept { return images_; }
  // Slots of root key files as they were written.
  const std::vector<std::vector<std::byte>>& slots() const noexcept { return slots_; }

  // The next commit of a keyring, or the next write of a root key file, fails.
  void fail(Fault fault) noexcept;
  bool has_failed() const noexcept { return failures_ > 0; }  // Since fail().

  // Counts writes to the store that hold this text in clear.
  void watch_for(std::string text) { watched_ = std::move(text); }
  std::size_t seen_in_clear() const noexcept { return seen_; }
  std::size_t bytes_written() const noexcept { return bytes_written_; }
  std::size_t writes() const noexcept { return writes_; }
  std::size_t mirror_writes() const noexcept { return mirror_writes_; }

  // For the wrapped calls.
  enum class Decision { allow, refuse, write_and_refuse };
  Decision writing(int fd, std::uint64_t offset, Bytes bytes);
  bool refuses_sync(int fd);
  static Recorder* active() noexcept;

 private:
  bool is_keyring(const std::string& path) const;
  Decision decide(const std::string& path, std::uint64_t offset, std::size_t size);

  const std::string store_;
  const std::string beside_;
  Images images_;
  std::vector<std::vector<std::byte>> slots_;
  Fault fault_ = Fault::none;
  std::size_t failures_ = 0;
  std::string watched_;
  std::size_t seen_ = 0;
  std::size_t bytes_written_ = 0;
  std::size_t writes_ = 0;
  std::size_t mirror_writes_ = 0;
};

}  // namespace disclosure
