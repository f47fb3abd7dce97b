// The C interface and the library speak of one list of errors.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "efface/capi.h"
#include "efface/result.h"

namespace efface {
namespace {

// Every enumerator with its number, as it stands in a header.
std::map<std::string, int> numbers_in(const char* header, const std::regex& line) {
  std::map<std::string, int> found;
  std::ifstream in(std::filesystem::path(EFFACE_SOURCE_DIR "/include/efface") / header);
  for (std::string text; std::getline(in, text);) {
    std::smatch match;
    if (!std::regex_search(text, match, line)) continue;
    std::string name = match[1];
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    found[name] = std::stoi(match[2]);
  }
  return found;
}

TEST(CApiCodes, AreTheNumbersOfErrcAndAllOfThem) {
  auto cpp = numbers_in("result.h", std::regex("^  ([a-z_0-9]+) = ([0-9]+),"));
  ASSERT_GT(cpp.size(), 50u);
  std::size_t same = 0;
  for (const auto& [name, number] :
       numbers_in("capi.h", std::regex("^  EFFACE_([A-Z_0-9]+) = ([0-9]+),?$"))) {
    const auto found = cpp.find(name);
    if (found == cpp.end()) continue;  // A flag, or a legal basis.
    EXPECT_EQ(found->second, number) << name;
    EXPECT_STREQ(efface_status_name(number), name.c_str());
    ++same;
  }
  EXPECT_EQ(same, cpp.size());
}

}  // namespace
}  // namespace efface
