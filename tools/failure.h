// tools/failure.h -- how a verb ends when it does not succeed: a code, a text, an exit status.
//
// Shape   The text is one of the source or of the library, so it never holds an id, a name, a value
//         or a path. Bad input adds the number of its line.
// Errors  docs/cli.md lists which code ends with which status.
#pragma once
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "efface/result.h"

namespace efface::cli {

enum class Exit : std::uint8_t {
  done = 0,
  refused = 1,  // Refused or not found: the code says why.
  usage = 2,
  broken = 3,  // The system, the disk or the bytes on it.
};

Exit exit_of(Errc code) noexcept;

class Failure : public std::exception {
 public:
  Failure(const char* code, std::string note, Exit status)
      : code_(code), note_(std::move(note)), status_(status) {}
  explicit Failure(const Error& error)
      : code_(name(error.code())),
        note_(error.note()),
        status_(exit_of(error.code())),
        system_code_(error.system_code()) {}
  Failure& at_line(std::uint64_t line) noexcept {
    line_ = line;
    return *this;
  }
  Failure& with_system_code(int system_code) noexcept {
    system_code_ = system_code;
    return *this;
  }

  const char* code() const noexcept { return code_; }
  const std::string& note() const noexcept { return note_; }
  Exit status() const noexcept { return status_; }
  int system_code() const noexcept { return system_code_; }
  std::optional<std::uint64_t> line() const noexcept { return line_; }
  const char* what() const noexcept override { return note_.c_str(); }

 private:
  const char* code_;
  std::string note_;
  Exit status_;
  int system_code_ = 0;
  std::optional<std::uint64_t> line_;
};

inline Failure usage(std::string note) { return {"usage", std::move(note), Exit::usage}; }
inline Failure refused(Errc code, std::string note) {
  return {name(code), std::move(note), exit_of(code)};
}
// errno as it stands.
Failure system_failure(std::string note);

// The value, or its error as a Failure.
template <class T>
T take(Result<T> result) {
  if (!result.has_value()) throw Failure(result.error());
  return std::move(result).value();
}
inline void take(const Status& status) {
  if (!status.has_value()) throw Failure(status.error());
}

}  // namespace efface::cli
