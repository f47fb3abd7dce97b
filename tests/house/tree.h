// house/tree.h -- the sources as text, and what rules look for in them.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace house {

struct File {
  std::string path;  // From the root of the sources, with '/'.
  std::string text;
};
using Tree = std::vector<File>;

struct Finding {
  std::string path;
  std::size_t line;  // From 1; 0 for the whole file.
  std::string says;
};
using Findings = std::vector<Finding>;

// Every text file of ours. Not the corpora and golden stores, which are data.
Tree read_tree(const std::filesystem::path& root);

// The same length and lines, with comments blanked; and with what literals hold blanked as well.
std::string without_comments(std::string_view cxx);
std::string code_alone(std::string_view cxx);

// Where an identifier stands as a whole word.
std::vector<std::size_t> places_of(std::string_view text, std::string_view word);
std::size_t line_at(std::string_view text, std::size_t offset);
std::vector<std::string_view> lines_of(std::string_view text);

struct Include {
  std::string name;
  bool quoted;
  std::size_t line;
};
std::vector<Include> includes_of(const File& file);

bool is_cxx(const File& file);
bool is_header(const File& file);
bool is_source(const File& file);
bool stands_in(const File& file, std::string_view folder);
std::string folder_of(std::string_view path);
std::string layer_of(const File& file);  // "storage" for lib/storage/x.cc, else empty.

}  // namespace house
