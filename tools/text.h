// tools/text.h -- text in and out: UTF-8, base64, one-line escapes, numbers with their nouns.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "efface/bytes.h"
#include "efface/types.h"

namespace efface::cli {

bool is_utf8(std::string_view text) noexcept;  // RFC 3629.
std::string base64(Bytes bytes);               // RFC 4648, padded.
std::string hex_of(Bytes bytes);

// Control characters and backslashes as \n, \t, \r, \\, \x1b: what comes out is one line, and does
// nothing to a terminal.
std::string on_one_line(std::string_view text);

std::string count_of(std::uint64_t count, std::string_view one, std::string_view many);
std::string spell(std::chrono::nanoseconds time);  // "0.94 ms", "12.3 s"
std::string spell_bytes(std::uint64_t bytes);      // "512 bytes", "1.2 MiB"

// "30d", "6w", "2y" (a year has 365 days). Nothing: not a retention, or over a hundred years.
std::optional<Days> retention(std::string_view text) noexcept;

// A label as the library takes it: 1 to 64 of [a-z0-9_.-], first a letter or digit.
bool is_label(std::string_view text) noexcept;

// Edits between two words, a swap of neighbours being one.
std::size_t distance(std::string_view a, std::string_view b);

}  // namespace efface::cli
