// tools/id_list.h -- the people of a long list: their ids, each with the line that it stands on.
//
// Shape   A file with one id a line; a column of CSV; a field of a JSON object a line (entries.h).
// Errors  All of the list is read before anything is done with it. invalid_argument, too_large,
//         bad_line, column_unknown, with the line; io; usage.
// Cost    The text of the ids, and 24 bytes each.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "efface/bytes.h"
#include "tools/wiped.h"

namespace CLI {
class App;
}

namespace efface::cli {

struct ListOptions {
  std::string from;
  std::string csv;
  std::string ndjson;
  std::string subject;  // The column, or field.

  bool any() const noexcept { return !from.empty() || !csv.empty() || !ndjson.empty(); }
};
void add_list_options(CLI::App& verb, ListOptions& given);

class IdList {
 public:
  static IdList read(const ListOptions& given);

  void add(std::string_view id, std::uint64_t line);
  // Who is asked for twice is asked for once, where she stands first.
  void drop_doubles();

  std::size_t size() const noexcept { return people_.size(); }
  std::string_view id(std::size_t at) const EFFACE_BORROWED {
    return view(text_).substr(people_.at(at).begin, people_.at(at).bytes);
  }
  std::uint64_t line(std::size_t at) const { return people_.at(at).line; }
  // The first that stands after that line.
  std::size_t after(std::uint64_t line) const;

  // A keyed hash of all ids and their lines.
  std::array<std::byte, 32> digest(Bytes key) const;

 private:
  struct Person {
    std::size_t begin = 0;
    std::size_t bytes = 0;
    std::uint64_t line = 0;
  };
  WipedText text_;
  std::vector<Person> people_;
};

}  // namespace efface::cli
