// The C interface and the library speak of one list of errors.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "efface/capi.h"
#include "efface/result.h"
#include "support/temp_directory.h"

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

// Makes a store that tells its log to that hook.
efface_status create(const std::filesystem::path& home,
                     void (*log)(void*, const efface_log_entry*)) {
  const std::string path = (home / "root.key").string(), where = (home / "store").string();
  efface_root_keys_options keys{};
  keys.size = sizeof keys;
  keys.path = efface_text(path.c_str());
  keys.flags = EFFACE_ACCEPT_L0;
  efface_root_keys* root_keys = nullptr;
  EXPECT_EQ(efface_root_keys_create(&keys, &root_keys), EFFACE_OK);
  efface_region_options eu{};
  eu.size = sizeof eu;
  eu.name = efface_text("eu");
  eu.root_keys = root_keys;
  const efface_region_options* const regions[] = {&eu};
  efface_hooks hooks{};
  hooks.size = sizeof hooks;
  hooks.log = log;
  efface_store_options options{};
  options.size = sizeof options;
  options.directory = efface_text(where.c_str());
  options.regions = regions;
  options.region_count = 1;
  options.flags = EFFACE_ACCEPT_L0 | EFFACE_UNLOCKED_MEMORY;
  options.hooks = &hooks;
  efface_store* store = nullptr;
  const efface_status status = efface_store_create(&options, &store);
  EXPECT_EQ(efface_store_close(store), EFFACE_OK);
  EXPECT_EQ(efface_root_keys_close(root_keys), EFFACE_OK);
  return status;
}

TEST(CApiHooks, OneThatThrowsEndsTheProcess) {
  const test::TempDirectory home("capi-hooks");
  const test::TempDirectory other("capi-hooks");
  EXPECT_DEATH(create(home.path(), [](void*, const efface_log_entry*) { throw 1; }), "");
  EXPECT_EQ(create(other.path(), [](void*, const efface_log_entry*) {}), EFFACE_OK);
}

}  // namespace
}  // namespace efface
