#include "house/tree.h"
#include "support/file_content.h"

#include <algorithm>
#include <array>

namespace house {
namespace {

using efface::test::file_content;

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 9> our_folders = {
    "include", "lib", "tests", "tools", "bench", "fuzz", "docs", "packaging", ".ci"};
constexpr std::array<std::string_view, 10> text_extensions = {
    ".h", ".cc", ".c", ".txt", ".md", ".fbs", ".json", ".cmake", ".in", ".sh"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_text(const fs::path& path, bool without_extension) {
  const std::string extension = path.extension().string();
  if (extension.empty()) return without_extension;
  return std::find(text_extensions.begin(), text_extensions.end(), extension) !=
         text_extensions.end();
}

void add(const fs::path& root, const fs::path& path, Tree& tree) {
  tree.push_back({path.lexically_relative(root).generic_string(), file_content(path)});
}

// One pass over C++ that tells apart code, comments and literals.
class Blanking {
 public:
  Blanking(std::string_view cxx, bool literals) : out_(cxx), literals_(literals) {}

  std::string run() {
    while (at_ < out_.size()) {
      if (starts("//")) {
        blank_to(std::min(out_.find('\n', at_), out_.size()), true);
      } else if (starts("/*")) {
        blank_to(past("*/", at_ + 2), true);
      } else if (starts("R\"") && !follows_word()) {
        raw_string();
      } else if (out_[at_] == '"' || (out_[at_] == '\'' && !follows_word())) {
        quoted(out_[at_]);
      } else {
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  bool starts(std::string_view what) const { return out_.compare(at_, what.size(), what) == 0; }
  bool follows_word() const { return at_ > 0 && is_word(out_[at_ - 1]); }
  std::size_t past(std::string_view what, std::size_t from) const {
    const std::size_t found = out_.find(what, from);
    return found == std::string::npos ? out_.size() : found + what.size();
  }
  void blank_to(std::size_t end, bool blank) {
    for (; at_ < end; ++at_)
      if (blank && out_[at_] != '\n') out_[at_] = ' ';
  }
  void quoted(char quote) {
    const bool include = quote == '"' && on_include_line();
    ++at_;
    while (at_ < out_.size() && out_[at_] != quote && out_[at_] != '\n')
      blank_to(std::min(at_ + (out_[at_] == '\\' ? 2U : 1U), out_.size()), literals_ && !include);
    ++at_;
  }
  void raw_string() {
    const std::size_t open = std::min(out_.find('(', at_), out_.size());
    const std::string close = ")" + out_.substr(at_ + 2, open - at_ - 2) + "\"";
    at_ = open;
    blank_to(past(close, open), literals_);
  }
  bool on_include_line() const {
    const std::size_t newline = out_.rfind('\n', at_);
    const std::size_t start = newline == std::string::npos ? 0 : newline + 1;
    const std::string_view before = std::string_view(out_).substr(start, at_ - start);
    return before.find('#') != std::string_view::npos &&
           before.find("include") != std::string_view::npos;
  }

  std::string out_;
  bool literals_;
  std::size_t at_ = 0;
};

}  // namespace

Tree read_tree(const fs::path& root) {
  Tree tree;
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.is_regular_file() && is_text(entry.path(), true)) add(root, entry.path(), tree);
  for (const std::string_view folder : our_folders) {
    if (!fs::is_directory(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string path = entry.path().lexically_relative(root).generic_string();
      if (path.starts_with("fuzz/corpus/") || path.starts_with("tests/golden/format-")) continue;
      if (entry.is_regular_file() && is_text(entry.path(), folder == ".ci"))
        add(root, entry.path(), tree);
    }
  }
  std::sort(tree.begin(), tree.end(), [](const File& a, const File& b) { return a.path < b.path; });
  return tree;
}

std::string without_comments(std::string_view cxx) { return Blanking(cxx, false).run(); }
std::string code_alone(std::string_view cxx) { return Blanking(cxx, true).run(); }

std::vector<std::size_t> places_of(std::string_view text, std::string_view word) {
  std::vector<std::size_t> places;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if (at > 0 && is_word(text[at - 1]) && is_word(word.front())) continue;
    if (end < text.size() && is_word(text[end]) && is_word(word.back())) continue;
    places.push_back(at);
  }
  return places;
}

std::size_t line_at(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<Include> includes_of(const File& file) {
  std::vector<Include> includes;
  const std::string code = without_comments(file.text);
  std::size_t number = 0;
  for (const std::string_view line : lines_of(code)) {
    ++number;
    const std::size_t hash = line.find_first_not_of(" \t");
    if (hash == std::string_view::npos || line[hash] != '#') continue;
    const std::size_t word = line.find_first_not_of(" \t", hash + 1);
    if (word == std::string_view::npos || line.compare(word, 7, "include") != 0) continue;
    const std::size_t open = line.find_first_of("\"<", word);
    if (open == std::string_view::npos) continue;
    const bool quoted = line[open] == '"';
    const std::size_t close = line.find(quoted ? '"' : '>', open + 1);
    if (close == std::string_view::npos) continue;
    includes.push_back({std::string(line.substr(open + 1, close - open - 1)), quoted, number});
  }
  return includes;
}

bool is_header(const File& file) { return file.path.ends_with(".h"); }
bool is_source(const File& file) { return file.path.ends_with(".cc"); }
bool is_cxx(const File& file) { return is_header(file) || is_source(file); }

bool stands_in(const File& file, std::string_view folder) {
  return file.path.size() > folder.size() && file.path.starts_with(folder) &&
         (folder.ends_with('/') || file.path[folder.size()] == '/');
}

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

std::string layer_of(const File& file) {
  if (!stands_in(file, "lib")) return {};
  const std::size_t slash = file.path.find('/', 4);
  return slash == std::string::npos ? std::string() : file.path.substr(4, slash - 4);
}

}  // namespace house
