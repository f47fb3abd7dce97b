// tools/input.h -- what comes in beside the arguments: ids and values from stdin or a file,
// passphrases.
//
// Shape   A SUBJECT is an id, `-` (the next line of stdin) or `@FILE` (the file's first line): an
//         id in an argument is seen by everybody who lists processes. Lines end in LF or CRLF.
// Errors  io: cannot be opened or read. invalid_argument: no line. unsafe_path: a passphrase file
//         that others may read.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tools/wiped.h"

namespace efface::cli {

// The bytes of a file or of stdin ("-"), through a window that grows as one looks further.
class Source {
 public:
  explicit Source(const std::string& path, std::size_t window_bytes_min = 256 * 1024);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // What is read and not yet passed. Moves with more() and pass().
  std::string_view window() const noexcept EFFACE_BORROWED;
  bool more();  // Reads on; false at the end.
  void pass(std::size_t bytes) noexcept;
  std::uint64_t bytes_passed() const noexcept { return bytes_passed_; }
  std::optional<std::uint64_t> bytes_total() const noexcept { return bytes_total_; }
  // A file whose mode lets group or others do anything.
  bool open_to_others() const noexcept { return open_to_others_; }

 private:
  int fd_;
  std::size_t window_bytes_min_;
  WipedText buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t bytes_passed_ = 0;
  std::optional<std::uint64_t> bytes_total_;
  bool open_to_others_ = false;
};

// The next line without its end, not longer than that (too_large); nothing at the end.
std::optional<WipedText> next_line(Source& source, std::size_t bytes_max);

// Stdin, opened once: a line taken for an id is not there for the next.
Source& standard_input();

WipedText subject_id(const std::string& argument);

// One id a line; every line is one. Errors: invalid_argument, too_large, with the line.
void each_subject_id(const std::string& path,
                     const std::function<void(std::string_view id, std::uint64_t line)>& each);

// All of stdin. Errors: too_large, when it is longer than that.
WipedText value_from_stdin(std::size_t bytes_max);

WipedText passphrase(const std::string& path);

}  // namespace efface::cli
