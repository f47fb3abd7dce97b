// install_test DEBS BUILD: docs/install.md, run and compared. DEBS has the packages of this build,
// BUILD is where it is: both stand where the page's own commands would have put them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "cli/page.h"

namespace {

namespace fs = std::filesystem;

fs::path debs;
fs::path build;

std::string page() { return efface::test::content_of(EFFACE_SOURCE_DIR "/docs/install.md"); }

TEST(InstallPage, ShowsWhatReallyHappens) {
  const efface::test::TempDirectory directory("install");
  fs::create_directory(directory / "build");
  fs::create_directory_symlink(debs, directory / "build" / "packages");
  fs::create_directory_symlink(build, directory / "build" / "release");
  efface::test::expect_page("install.md", directory, 10);
}

TEST(InstallPage, NamesPresetsThatThereAre) {
  const std::string presets = efface::test::content_of(EFFACE_SOURCE_DIR "/CMakePresets.json");
  const auto is_workflow = [&](const std::string& name) {
    const std::size_t at = presets.find("\"workflowPresets\"");
    return presets.find("\"name\": \"" + name + "\"", at) != std::string::npos;
  };
  const std::string text = page();
  const std::string command = "cmake --workflow --preset ";
  std::size_t named = 0;
  for (std::size_t at = 0; (at = text.find(command, at)) != std::string::npos; ++named) {
    at += command.size();
    EXPECT_TRUE(is_workflow(text.substr(at, text.find('\n', at) - at)));
  }
  EXPECT_EQ(named, 2u);
  EXPECT_FALSE(is_workflow("no-such"));
}

// What it shows of FetchContent is built by tests/consumer.
TEST(InstallPage, FetchesAsTheConsumerDoes) {
  const std::string text = page();
  const std::string open = "```cmake\n";
  const std::size_t begin = text.find(open) + open.size();
  const std::string shown = text.substr(begin, text.find("```", begin) - begin);
  EXPECT_GT(shown.size(), 100u);
  EXPECT_NE(efface::test::content_of(EFFACE_SOURCE_DIR "/tests/consumer/fetched/CMakeLists.txt")
                .find(shown),
            std::string::npos);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 3) return 2;
  debs = argv[1];
  build = argv[2];
  return RUN_ALL_TESTS();
}
