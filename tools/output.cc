#include "tools/output.h"

#include <cstdio>
#include <string>
#include <system_error>

#include "tools/text.h"

namespace efface::cli {
namespace {

void put(std::FILE* out, std::string_view text) {
  // What did not go out shows in ferror, at the end.
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), out));
}

}  // namespace

void Output::object(const Json& object) { put(stdout, object.dump() + '\n'); }
void Output::line(std::string_view text) { put(stdout, std::string(text) + '\n'); }
void Output::raw(Bytes bytes) { put(stdout, as_text(bytes)); }

void Output::finish() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw system_failure("stdout did not take all of the answer");
}

void Output::error(const Failure& failure) const {
  static_cast<void>(std::fflush(stdout));
  if (json_) {
    Json error = {{"code", failure.code()}, {"note", failure.note()}};
    if (failure.line()) error["line"] = *failure.line();
    if (failure.system_code() != 0) error["system_code"] = failure.system_code();
    put(stderr, Json{{"error", error}}.dump() + '\n');
    return;
  }
  std::string text = std::string("efface: ") + failure.code() + ": ";
  if (failure.line()) text += "line " + std::to_string(*failure.line()) + ": ";
  text += failure.note();
  // Negative codes are the database's own.
  if (failure.system_code() > 0)
    text += " (" + std::generic_category().message(failure.system_code()) + ')';
  put(stderr, text + '\n');
}

void Output::notice(std::string_view text, const Json& object) const {
  put(stderr, json_ ? object.dump() + '\n' : "efface: " + std::string(text) + '\n');
}

void set_value(Json& object, Bytes value) {
  if (is_utf8(as_text(value)))
    object["value"] = as_text(value);
  else
    object["value_base64"] = base64(value);
}

}  // namespace efface::cli
