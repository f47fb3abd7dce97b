// CSV as an import reads it: a row has a fault, or exactly the fields that a second, slower reading
// of its line finds.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "memory_file.h"
#include "tools/csv.h"
#include "tools/failure.h"

namespace efface::fuzz {
namespace {

using Fields = std::vector<std::string>;

// One line without its end, by the grammar alone. Nothing: it is not one.
std::optional<Fields> fields_of(std::string_view line) {
  Fields fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool at_start = i == 0 || line[i - 1] == ',';
    if (quoted && line[i] == '"') {
      const char next = i + 1 < line.size() ? line[i + 1] : ',';
      if (next == '"') fields.back().push_back(line[i++]);
      if (next != '"' && next != ',') return std::nullopt;
      if (next == ',') quoted = false;
    } else if (quoted) {
      fields.back().push_back(line[i]);
    } else if (line[i] == ',') {
      fields.emplace_back();
    } else if (line[i] == '"') {
      if (!at_start || !fields.back().empty()) return std::nullopt;
      quoted = true;
    } else {
      fields.back().push_back(line[i]);
    }
  }
  if (quoted) return std::nullopt;
  return fields;
}

void read_rows(const std::string& path, std::string_view text) {
  cli::Source source(path, window_for(text));
  cli::CsvReader reader(source);
  cli::CsvRow row;
  std::uint64_t line = 0;
  std::size_t rows = 0;
  while (reader.next(row)) {
    EFFACE_CHECK(++rows <= text.size() && row.line > line && row.line_last >= row.line);
    line = row.line;
    if (row.fault != nullptr) continue;
    line = row.line_last;
    EFFACE_CHECK(text.find(row.raw) != std::string_view::npos);
    const auto expected = fields_of(row.raw);
    EFFACE_CHECK(expected && std::equal(expected->begin(), expected->end(), row.fields.begin(),
                                        row.fields.end()));
  }
}

void read_entries(const std::string& path, std::string_view text) {
  cli::Source source(path, window_for(text));
  try {
    cli::CsvEntries entries(source, "a", cli::NameTemplate("{b}-{a}"));
    cli::Entry entry;
    std::size_t count = 0;
    while (entries.next(entry)) {
      EFFACE_CHECK(++count <= text.size());
      if (entry.fault != nullptr) continue;
      EFFACE_CHECK(!entry.subject.empty() && entry.name.size() > entry.subject.size());
      EFFACE_CHECK(text.find(entry.raw) != std::string_view::npos);
    }
  } catch (const cli::Failure&) {
    // The first line does not name the columns.
  }
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  static fuzz::MemoryFile memory;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  memory.fill(text);
  fuzz::read_rows(memory.path(), text);
  fuzz::read_entries(memory.path(), text);
  return 0;
}
