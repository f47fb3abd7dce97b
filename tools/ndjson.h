// tools/ndjson.h -- entries out of lines that are a JSON object each.
//
// Shape   The subject and the name come from fields of the object itself that are texts, numbers
//         (as they are written) or true and false. Lines end in LF or CRLF and are at most 16 MiB;
//         each is UTF-8.
// Errors  A line with a fault: not an object, a field that is missing, given twice, null or not a
//         scalar.
// Source  RFC 8259, one a line.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tools/entries.h"

namespace efface::cli {

class NdjsonEntries final : public EntryReader {
 public:
  NdjsonEntries(Source& source, std::string_view subject_field, const NameTemplate& name);
  bool next(Entry& entry) override;

 private:
  struct Wanted {
    std::string field;
    WipedText text;
    unsigned found = 0;
  };
  struct Part {
    std::string text;
    std::size_t wanted = 0;
    bool is_column = false;
  };
  class Sax;
  std::size_t want(std::string_view field);
  bool take_line(Entry& entry);

  Source& source_;
  std::uint64_t line_ = 0;
  std::size_t pending_bytes_ = 0;
  std::vector<Wanted> wanted_;  // The first is the subject.
  std::vector<Part> name_;
  WipedText expanded_;
};

}  // namespace efface::cli
