// Lines of JSON as an import reads them: an entry has a fault, or what a reading of its whole line
// finds in the same fields.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/check.h"
#include "memory_file.h"
#include "tools/ndjson.h"

namespace efface::fuzz {
namespace {

std::string scalar(const nlohmann::json& object, const char* field) {
  EFFACE_CHECK(object.is_object() && object.contains(field));
  const nlohmann::json& value = object[field];
  EFFACE_CHECK(value.is_string() || value.is_number() || value.is_boolean());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  static fuzz::MemoryFile file;
  static const cli::NameTemplate name("{b}-{a}");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  file.fill(text);
  cli::Source source(file.path(), fuzz::window_for(text));
  cli::NdjsonEntries entries(source, "a", name);
  cli::Entry entry;
  std::uint64_t line = 0;
  while (entries.next(entry)) {
    EFFACE_CHECK(entry.line == ++line && line <= size);
    if (entry.fault != nullptr) continue;
    EFFACE_CHECK(text.find(entry.raw) != std::string_view::npos);
    const auto object = nlohmann::json::parse(entry.raw);
    // Of a number with a fraction the text is as it was written.
    if (!object["a"].is_number_float()) EFFACE_CHECK(entry.subject == fuzz::scalar(object, "a"));
    if (!object["a"].is_number_float() && !object["b"].is_number_float())
      EFFACE_CHECK(entry.name == fuzz::scalar(object, "b") + "-" + fuzz::scalar(object, "a"));
  }
  return 0;
}
