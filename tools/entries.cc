#include "tools/entries.h"

#include "efface/limits.h"
#include "tools/failure.h"
#include "tools/text.h"

namespace efface::cli {
namespace {

void fault(Entry& entry, Errc code, const char* text) {
  entry.fault = text;
  entry.fault_code = name(code);
}

}  // namespace

NameTemplate::NameTemplate(std::string_view text) {
  Part literal;
  const auto end_literal = [&] {
    if (!literal.text.empty()) parts_.push_back(std::move(literal));
    literal = {};
  };
  while (!text.empty()) {
    const char c = text.front();
    if ((c == '{' || c == '}') && text.size() > 1 && text[1] == c) {
      literal.text.push_back(c);
      text.remove_prefix(2);
    } else if (c == '{') {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos || end == 1)
        throw usage("--name: a { begins {column}; {{ is a brace");
      end_literal();
      parts_.push_back({std::string(text.substr(1, end - 1)), true});
      text.remove_prefix(end + 1);
    } else if (c == '}') {
      throw usage("--name: a } ends {column}; }} is a brace");
    } else {
      literal.text.push_back(c);
      text.remove_prefix(1);
    }
  }
  end_literal();
  if (parts_.empty()) throw usage("--name is empty");
}

void check(Entry& entry) {
  if (entry.fault != nullptr) return;
  if (entry.subject.empty()) return fault(entry, Errc::invalid_argument, "the subject is empty");
  if (entry.subject.size() > limits::subject_id_bytes_max)
    return fault(entry, Errc::too_large, "the subject is too long");
  if (!is_utf8(entry.subject))
    return fault(entry, Errc::invalid_argument, "the subject is not UTF-8");
  if (entry.name.empty()) return fault(entry, Errc::invalid_argument, "the record's name is empty");
  if (entry.name.size() > limits::record_name_bytes_max)
    return fault(entry, Errc::too_large, "the record's name is too long");
  if (!is_utf8(entry.name))
    return fault(entry, Errc::invalid_argument, "the record's name is not UTF-8");
}

}  // namespace efface::cli
