// What the pages of docs/ speak of is there: the files they link to, and the calls, codes and verbs
// that docs/rights.md names.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/file_content.h"

namespace {

using efface::test::file_content;

namespace fs = std::filesystem;

const fs::path root = EFFACE_SOURCE_DIR;

std::vector<fs::path> files_of(const fs::path& directory, std::string_view extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.path().extension() == extension) files.push_back(entry.path());
  return files;
}

// What stands between each two marks, on one line.
std::vector<std::string> between(const std::string& text, std::string_view open, char close) {
  std::vector<std::string> found;
  for (std::size_t at = text.find(open); at != std::string::npos;) {
    const std::size_t begin = at + open.size();
    const std::size_t end = text.find_first_of(std::string("\n") + close, begin);
    if (end == std::string::npos) break;
    if (text[end] == close) found.push_back(text.substr(begin, end - begin));
    at = text.find(open, end + 1);
  }
  return found;
}

using Words = std::set<std::string, std::less<>>;

// Letters, digits, _ and -: so "--purpose" and "subject_erased" are words.
Words words_of(const std::string& text) {
  Words words;
  std::string word;
  for (const char c : text + ' ') {
    const bool in_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (in_word) {
      word += c;
    } else if (!word.empty()) {
      words.insert(std::move(word));
      word.clear();
    }
  }
  return words;
}

bool has_all(const Words& there, const std::string& named) {
  const Words words = words_of(named);
  return std::ranges::all_of(words, [&](const std::string& word) { return there.contains(word); });
}

TEST(Pages, LinkToFilesThatAreThere) {
  std::size_t links = 0;
  for (const fs::path& page : files_of(root / "docs", ".md")) {
    for (const std::string& link : between(file_content(page), "](", ')')) {
      const std::string file = link.substr(0, link.find('#'));
      // Of this page, of the world, or a lambda.
      if (file.empty() || file.find_first_of(": ") != std::string::npos) continue;
      ++links;
      EXPECT_TRUE(fs::exists(page.parent_path() / file)) << page.filename() << ": " << link;
    }
  }
  EXPECT_GT(links, 10u);
}

TEST(RightsPage, NamesCallsCodesAndVerbsThatThereAre) {
  std::string headers;
  for (const fs::path& header : files_of(root / "include", ".h")) headers += file_content(header);
  const Words in_headers = words_of(headers);
  const Words in_verbs = words_of(file_content(root / "docs" / "cli.md"));
  const auto names = between(file_content(root / "docs" / "rights.md"), "`", '`');
  EXPECT_GT(names.size(), 100u);
  for (const std::string& name : names)
    EXPECT_TRUE(has_all(in_headers, name) || has_all(in_verbs, name)) << name;
  EXPECT_FALSE(has_all(in_headers, "Tenant::forget_her"));
  EXPECT_FALSE(has_all(in_verbs, "erase --softly"));
}

TEST(RightsPage, ListsEveryRefusalOfTheRulesOfAccess) {
  const Words named = words_of(file_content(root / "docs" / "rights.md"));
  for (const char* const code :
       {"subject_erased", "region_mismatch", "region_not_permitted", "region_not_open",
        "purpose_not_permitted", "expired", "consent_missing", "suppressed", "restricted",
        "objected", "legal_hold", "transfer_not_permitted", "transfer_pending", "basis_differs",
        "agreement_missing", "hold_unknown"})
    EXPECT_TRUE(named.contains(std::string_view(code))) << code;
}

}  // namespace
