// ledger/text.h -- numbers, times and bytes as notes write them: each in one way, and read in no
// other.
//
// Shape   base64: RFC 4648 section 4, padded, the bits behind the last byte zero. hex: lower case.
//         Decimal: no sign, no leading zero. Days: 2026-11-24. Times: 2026-11-24T08:30:00.125Z.
//         Days and times lie within the years 1970 to 9999.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace efface::ledger {

using Milliseconds = std::chrono::sys_time<std::chrono::milliseconds>;

std::string base64(Bytes bytes);
std::optional<std::vector<std::byte>> from_base64(std::string_view text);
std::string hex(Bytes bytes);
bool read_hex(std::string_view text, MutableBytes out);  // Exactly as many bytes.
std::optional<std::uint64_t> from_decimal(std::string_view text);

// Nothing where the year has more than four digits.
std::optional<std::string> text_of(std::chrono::sys_days day);
std::optional<std::string> text_of(Milliseconds time);
std::optional<std::chrono::sys_days> day_of(std::string_view text);
std::optional<Milliseconds> time_of(std::string_view text);

template <std::size_t N>
std::optional<std::array<std::byte, N>> array_from_base64(std::string_view text) {
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() != N) return std::nullopt;
  std::array<std::byte, N> out;
  std::memcpy(out.data(), bytes->data(), N);
  return out;
}

}  // namespace efface::ledger
