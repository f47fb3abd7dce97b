// tools/entries.h -- what an import reads: one record after the other, from whatever format.
//
// Shape     An entry is one line of the input (in CSV, several when a quoted field holds line
//           ends); raw is that line byte for byte, without the LF or CRLF at its end.
// Errors    A line that cannot be used is an entry with a fault; the next one is still to be had.
// Lifetime  An entry's texts are valid until the next is read.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "efface/result.h"
#include "tools/input.h"
#include "tools/wiped.h"

namespace efface::cli {

struct Entry {
  std::uint64_t line = 0;       // The first is 1. Of several lines, the first.
  std::uint64_t line_last = 0;  // Of several lines, the last.
  std::string_view raw;
  std::string_view subject;
  std::string_view name;
  const char* fault = nullptr;  // Of the source text, never of the input.
  const char* fault_code = "bad_line";
};

class EntryReader {
 public:
  virtual ~EntryReader() = default;
  EntryReader(const EntryReader&) = delete;
  EntryReader& operator=(const EntryReader&) = delete;
  virtual bool next(Entry& entry) = 0;  // False at the end.

 protected:
  EntryReader() = default;
};

// A record's name out of columns: text with {column}; {{ and }} stand for braces.
class NameTemplate {
 public:
  explicit NameTemplate(std::string_view text);  // Errors: usage.

  struct Part {
    std::string text;  // A column's name, or itself.
    bool is_column = false;
  };
  const std::vector<Part>& parts() const noexcept { return parts_; }

 private:
  std::vector<Part> parts_;
};

// Marks a subject or a name that the library would refuse: empty, too long, not UTF-8.
void check(Entry& entry);

}  // namespace efface::cli
