// tools/file.h -- files that verbs add to, so that what was added is still there after a crash.
//
// Shape   Made 0600, with their name synced as well; never through a symbolic link.
// Errors  io.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace efface::cli {

class AppendFile {
 public:
  // what: how an error calls it, "the journal".
  AppendFile(const std::string& path, std::string what);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  bool lock();  // False: another process has it.
  std::uint64_t bytes() const;
  std::string read(std::uint64_t from) const;  // To its end.
  // Whole lines, synced when it answers. A last line without an end is dropped before: it was torn.
  void append(std::string_view lines);

 private:
  [[noreturn]] void fail() const;
  void drop_torn_line();

  std::string what_;
  int fd_;
};

}  // namespace efface::cli
