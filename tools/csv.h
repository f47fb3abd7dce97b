// tools/csv.h -- CSV, strictly: fields, and beside them the line's own bytes.
//
// Shape   Fields are separated by commas; lines end in LF or CRLF, the last one perhaps in neither.
//         A field in quotes may hold commas, line ends and, doubled, quotes; nothing may follow its
//         closing quote. A quote in a field without quotes, and a CR that ends no line, are faults.
//         A byte order mark at the start is passed over. A row is at most 16 MiB.
// Errors  A row with a fault has no fields. Reading goes on at the line after the one that it began
//         on.
// Source  RFC 4180.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "tools/entries.h"

namespace efface::cli {

struct CsvRow {
  std::uint64_t line = 0;       // Where it begins; the first is 1.
  std::uint64_t line_last = 0;  // Where it ends.
  std::string_view raw;         // Without the line end.
  std::span<const std::string_view> fields;
  const char* fault = nullptr;
};

class CsvReader {
 public:
  explicit CsvReader(Source& source) noexcept : source_(source) {}
  bool next(CsvRow& row);  // False at the end. The row is valid until the next.

 private:
  struct Field {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool doubled = false;  // It holds doubled quotes.
  };
  struct Scan;
  // Scans one row from the start of the window; answers a fault or null.
  const char* scan(Scan& scan);
  const char* quoted(Scan& scan);
  bool at(Scan& scan);  // Whether there is a byte at the scan's place: reads on for it.
  void skip_line();
  void fill_fields();

  Source& source_;
  std::uint64_t line_ = 1;
  std::size_t pending_bytes_ = 0;  // Of the row before: passed when the next is read.
  std::uint64_t pending_lines_ = 0;
  bool skip_pending_ = false;
  std::vector<Field> found_;
  std::vector<std::string_view> fields_;
  WipedText unquoted_;
};

// Entries out of a CSV file whose first line names the columns.
class CsvEntries final : public EntryReader {
 public:
  // Reads the first line. Errors: column_unknown, bad_line, with the line.
  CsvEntries(Source& source, std::string_view subject_column, const NameTemplate& name);
  bool next(Entry& entry) override;

 private:
  struct Part {
    std::string text;
    std::size_t column = 0;
    bool is_column = false;
  };
  CsvReader reader_;
  std::size_t columns_ = 0;
  std::size_t subject_ = 0;
  std::vector<Part> name_;
  WipedText expanded_;
};

}  // namespace efface::cli
