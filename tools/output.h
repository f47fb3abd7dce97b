// tools/output.h -- what a verb says: text, or with --json one object a line. Answers go to stdout,
// errors to stderr.
//
// Errors  finish: io when stdout took less than all.
#pragma once
#include <nlohmann/json.hpp>
#include <string_view>

#include "efface/bytes.h"
#include "tools/failure.h"

namespace efface::cli {

using Json = nlohmann::ordered_json;

// How doctor and forensics end, where the answer itself is bad news.
inline constexpr int on_warning = 1;
inline constexpr int on_danger = 2;

class Output {
 public:
  explicit Output(bool json) noexcept : json_(json) {}
  bool json() const noexcept { return json_; }

  void object(const Json& object);   // One line.
  void line(std::string_view text);  // One line.
  void raw(Bytes bytes);             // As it is, and nothing else.
  void finish();

  // How the command ends though nothing failed, where the answer itself is bad news.
  void end_with(int status) noexcept { status_ = status; }
  int status() const noexcept { return status_; }

  void error(const Failure& failure) const;
  // Said on stderr, and no reason to stop.
  void notice(std::string_view text, const Json& object) const;

 private:
  bool json_;
  int status_ = 0;
};

// {"value": text}, or {"value_base64": ...} when the bytes are not UTF-8.
void set_value(Json& object, Bytes value);

}  // namespace efface::cli
