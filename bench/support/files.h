// support/files.h -- what lies below a directory. Files that go away meanwhile are passed over.
#pragma once
#include <cstdint>
#include <filesystem>

#include "efface/bytes.h"

namespace efface::bench {

std::uint64_t bytes_below(const std::filesystem::path& directory);

// Whether one of the files has these bytes, somewhere.
bool is_in_a_file(const std::filesystem::path& directory, Bytes bytes);

// Reads the last so many lines of a file. Answers how many there were.
std::size_t read_last_lines(const std::filesystem::path& file, std::size_t lines);

}  // namespace efface::bench
