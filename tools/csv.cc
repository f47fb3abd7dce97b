#include "tools/csv.h"

#include <algorithm>

#include "efface/limits.h"
#include "tools/failure.h"

namespace efface::cli {

struct CsvReader::Scan {
  std::size_t place = 0;
  std::size_t raw_end = 0;
  std::size_t row_end = 0;  // After the line end.
  std::uint64_t line_ends = 0;
};

bool CsvReader::at(Scan& scan) {
  while (scan.place >= source_.window().size())
    if (!source_.more()) return false;
  return true;
}

// From the byte after the opening quote to the one after the closing quote.
const char* CsvReader::quoted(Scan& scan) {
  Field field{.begin = scan.place, .end = 0, .doubled = false};
  for (;; ++scan.place) {
    if (scan.place > limits::value_bytes_max)
      return "the line is too long, or its quote never ends";
    if (!at(scan)) return "a quote is not closed";
    const char c = source_.window()[scan.place];
    if (c == '\n') ++scan.line_ends;
    if (c != '"') continue;
    ++scan.place;
    if (!at(scan) || source_.window()[scan.place] != '"') {
      field.end = scan.place - 1;
      found_.push_back(field);
      return nullptr;
    }
    field.doubled = true;
  }
}

const char* CsvReader::scan(Scan& scan) {
  found_.clear();
  for (;;) {  // One field a turn.
    if (at(scan) && source_.window()[scan.place] == '"') {
      ++scan.place;
      if (const char* fault = quoted(scan); fault != nullptr) return fault;
    } else {
      const std::size_t begin = scan.place;
      for (; at(scan); ++scan.place) {
        const char c = source_.window()[scan.place];
        if (c == ',' || c == '\n' || c == '\r') break;
        if (c == '"') return "a quote inside a field that has none around it";
        if (scan.place > limits::value_bytes_max) return "the line is too long";
      }
      found_.push_back({.begin = begin, .end = scan.place, .doubled = false});
    }
    scan.raw_end = scan.row_end = scan.place;
    if (!at(scan)) return nullptr;  // The last line, without a line end.
    char c = source_.window()[scan.place++];
    if (c == ',') continue;
    if (c == '\r' && at(scan) && source_.window()[scan.place] == '\n') {
      c = '\n';
      ++scan.place;
    }
    if (c == '\r') return "a carriage return that ends no line";
    if (c != '\n') return "text after a closing quote";
    scan.row_end = scan.place;
    ++scan.line_ends;
    return nullptr;
  }
}

void CsvReader::skip_line() {
  for (;;) {
    const std::string_view window = source_.window();
    const std::size_t end = window.find('\n');
    source_.pass(end == std::string_view::npos ? window.size() : end + 1);
    if (end != std::string_view::npos || !source_.more()) return;
  }
}

void CsvReader::fill_fields() {
  const std::string_view window = source_.window();
  fields_.clear();
  unquoted_.clear();
  unquoted_.reserve(window.size());  // Views into it stay good.
  for (const Field& field : found_) {
    std::string_view text = window.substr(field.begin, field.end - field.begin);
    if (field.doubled) {
      const std::size_t begin = unquoted_.size();
      for (std::size_t i = 0; i < text.size(); ++i) {
        unquoted_.push_back(text[i]);
        if (text[i] == '"') ++i;
      }
      text = view(unquoted_).substr(begin);
    }
    fields_.push_back(text);
  }
}

bool CsvReader::next(CsvRow& row) {
  source_.pass(pending_bytes_);
  line_ += pending_lines_;
  if (skip_pending_) skip_line();
  pending_bytes_ = pending_lines_ = 0;
  skip_pending_ = false;

  Scan found;
  if (!at(found)) return false;
  if (line_ == 1 && source_.bytes_passed() == 0) {
    static constexpr std::string_view mark = "\xef\xbb\xbf";
    while (source_.window().size() < mark.size() && source_.more()) {
    }
    if (source_.window().starts_with(mark)) source_.pass(mark.size());
  }
  row = {.line = line_, .line_last = line_, .raw = {}, .fields = {}, .fault = scan(found)};
  if (row.fault != nullptr) {
    skip_pending_ = true;
    pending_lines_ = 1;
    return true;
  }
  pending_bytes_ = found.row_end;
  pending_lines_ = found.line_ends;
  row.line_last = line_ + found.line_ends - (found.row_end > found.raw_end ? 1 : 0);
  row.raw = source_.window().substr(0, found.raw_end);
  fill_fields();
  row.fields = fields_;
  return true;
}

CsvEntries::CsvEntries(Source& source, std::string_view subject_column, const NameTemplate& name)
    : reader_(source) {
  CsvRow header;
  if (!reader_.next(header))
    throw Failure("bad_line", "there is no line that names the columns", Exit::refused).at_line(1);
  if (header.fault != nullptr) throw Failure("bad_line", header.fault, Exit::refused).at_line(1);
  const auto column = [&](std::string_view wanted) {
    const auto found = std::find(header.fields.begin(), header.fields.end(), wanted);
    if (found == header.fields.end())
      throw Failure("column_unknown", "no column has the name given by --subject or --name",
                    Exit::refused)
          .at_line(1);
    if (std::find(found + 1, header.fields.end(), wanted) != header.fields.end())
      throw Failure("column_unknown", "two columns have the name given by --subject or --name",
                    Exit::refused)
          .at_line(1);
    return static_cast<std::size_t>(found - header.fields.begin());
  };
  columns_ = header.fields.size();
  subject_ = column(subject_column);
  for (const NameTemplate::Part& part : name.parts())
    name_.push_back({part.text, part.is_column ? column(part.text) : 0, part.is_column});
}

bool CsvEntries::next(Entry& entry) {
  CsvRow row;
  if (!reader_.next(row)) return false;
  entry = {};
  entry.line = row.line;
  entry.line_last = row.line_last;
  entry.raw = row.raw;
  entry.fault = row.fault;
  if (entry.fault == nullptr && row.raw.empty()) entry.fault = "the line is empty";
  if (entry.fault == nullptr && row.fields.size() != columns_)
    entry.fault = row.fields.size() < columns_ ? "fewer columns than the first line names"
                                               : "more columns than the first line names";
  if (entry.fault != nullptr) return true;
  entry.subject = row.fields[subject_];
  expanded_.clear();
  for (const Part& part : name_)
    append(expanded_, part.is_column ? row.fields[part.column] : std::string_view(part.text));
  entry.name = view(expanded_);
  check(entry);
  return true;
}

}  // namespace efface::cli
