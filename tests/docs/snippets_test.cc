// Every piece of C++ in docs/walkthrough.md stands in docs/examples/walkthrough.cc, which is
// compiled and run: the blocks of the page are the pieces between "// begin: NAME" and
// "// end: NAME", in order, byte for byte but for the indentation of those two lines. What
// docs/tutorial.md shows are whole files; docs/examples.md shows the pieces of several programs.
// The example of each public header stands in a program of docs/examples.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& file) {
  std::ifstream in(EFFACE_SOURCE_DIR "/docs/" + file);
  Lines lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct Piece {
  std::string name;
  Lines lines;
};

// Faults come as a piece of that name, which no page shows.
std::vector<Piece> pieces_of(const Lines& source) {
  std::vector<Piece> pieces;
  std::string indentation;
  bool inside = false;
  for (const std::string& line : source) {
    const std::size_t text = line.find_first_not_of(' ');
    const std::string_view said =
        text == std::string::npos ? "" : std::string_view(line).substr(text);
    if (said.starts_with("// begin: ")) {
      if (inside) return {{"a piece begins inside of another", {}}};
      inside = true;
      indentation.assign(text, ' ');
      pieces.push_back({std::string(said.substr(10)), {}});
    } else if (said.starts_with("// end: ")) {
      if (!inside || said.substr(8) != pieces.back().name) return {{"an end has no beginning", {}}};
      inside = false;
    } else if (inside) {
      const bool indented = line.starts_with(indentation);
      if (!indented && !line.empty()) return {{"a line stands left of its piece", {}}};
      pieces.back().lines.push_back(line.substr(indented ? indentation.size() : 0));
    }
  }
  if (inside) return {{"a piece has no end", {}}};
  return pieces;
}

std::string without_indentation(const std::string& line) {
  const std::size_t text = line.find_first_not_of(' ');
  return text == std::string::npos ? "" : line.substr(text);
}

std::vector<Lines> blocks_of(const Lines& page, std::string_view language = "cpp") {
  std::vector<Lines> blocks;
  bool inside = false;
  for (const std::string& line : page) {
    if (line == "```" + std::string(language)) {
      inside = true;
      blocks.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back().push_back(line);
    }
  }
  return blocks;
}

// What a header shows after "// Example", without its indentation.
Lines example_of(const Lines& header) {
  auto at = std::ranges::find(header, "// Example");
  Lines lines;
  while (at != header.end() && ++at != header.end() && at->starts_with("//"))
    lines.push_back(without_indentation(at->substr(2)));
  return lines;
}

TEST(WalkthroughPage, ShowsWhatIsCompiledByteForByte) {
  const std::vector<Piece> pieces = pieces_of(lines_of("examples/walkthrough.cc"));
  const std::vector<Lines> blocks = blocks_of(lines_of("walkthrough.md"));
  ASSERT_GT(pieces.size(), 10u);
  ASSERT_EQ(blocks.size(), pieces.size());
  for (std::size_t i = 0; i < pieces.size(); ++i)
    EXPECT_EQ(blocks[i], pieces[i].lines) << "the piece " << pieces[i].name;
}

TEST(TutorialPage, ShowsTheFilesThatAreBuiltByteForByte) {
  const Lines page = lines_of("tutorial.md");
  EXPECT_EQ(blocks_of(page), std::vector<Lines>({lines_of("examples/tutorial/first.cc")}));
  EXPECT_EQ(blocks_of(page, "cmake"),
            std::vector<Lines>({lines_of("examples/tutorial/CMakeLists.txt")}));
  EXPECT_GT(blocks_of(page).at(0).size(), 10u);
}

TEST(ExamplesPage, ShowsWhatIsCompiledByteForByte) {
  std::vector<Lines> pieces;
  for (const char* const program :
       {"ingester", "support_desk", "offboarding", "reader", "sealed_postgres"}) {
    const std::vector<Piece> here = pieces_of(lines_of("examples/" + std::string(program) + ".cc"));
    ASSERT_FALSE(here.empty()) << program;
    for (const Piece& piece : here) pieces.push_back(piece.lines);
  }
  EXPECT_EQ(blocks_of(lines_of("examples.md")), pieces);
}

TEST(OperationsPage, ShowsTheTraceThatIsCompiledByteForByte) {
  const std::vector<Piece> pieces = pieces_of(lines_of("examples/observed.cc"));
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(blocks_of(lines_of("operations.md")),
            std::vector<Lines>({pieces[1].lines, pieces[0].lines}));
}

TEST(WalkthroughPage, IsComparedWithWhatStandsBetweenTheMarks) {
  const Lines source = {
      "void f() {", "  // begin: a", "  int x = 1;", "", "    g(x);", "  // end: a", "}"};
  ASSERT_EQ(pieces_of(source).size(), 1u);
  EXPECT_EQ(pieces_of(source)[0].name, "a");
  EXPECT_EQ(pieces_of(source)[0].lines, Lines({"int x = 1;", "", "  g(x);"}));
  EXPECT_EQ(pieces_of({"// begin: a", "x"})[0].name, "a piece has no end");
  EXPECT_EQ(pieces_of({"// begin: a", "// end: b"})[0].name, "an end has no beginning");
  EXPECT_EQ(blocks_of({"text", "```cpp", "x", "```", "```console", "$ y", "```"}),
            std::vector<Lines>({{"x"}}));
}

TEST(Headers, ShowAnExampleThatIsCompiled) {
  namespace fs = std::filesystem;
  std::vector<Lines> programs;
  for (const auto& entry : fs::recursive_directory_iterator(EFFACE_SOURCE_DIR "/docs/examples"))
    if (entry.path().extension() == ".cc" || entry.path().extension() == ".c") {
      Lines& lines = programs.emplace_back();
      std::ranges::transform(lines_of(fs::relative(entry.path(), EFFACE_SOURCE_DIR "/docs")),
                             std::back_inserter(lines), without_indentation);
    }
  const auto is_compiled = [&](const Lines& shown) {
    return std::ranges::any_of(programs, [&](const Lines& program) {
      return !std::ranges::search(program, shown).empty();
    });
  };
  std::size_t headers = 0;
  for (const auto& entry : fs::directory_iterator(EFFACE_SOURCE_DIR "/include/efface")) {
    const std::string file = entry.path().filename();
    if (file == "export.h") continue;  // Macros of the headers themselves.
    const Lines shown = example_of(lines_of("../include/efface/" + file));
    EXPECT_GE(shown.size(), 1u) << file << " has no example";
    EXPECT_TRUE(is_compiled(shown)) << file << " shows what no program of docs/examples has";
    ++headers;
  }
  EXPECT_GE(headers, 28u);
  EXPECT_FALSE(is_compiled({"Subject alice = shop.invent(SubjectId(\"alice\"));"}));
}

}  // namespace
