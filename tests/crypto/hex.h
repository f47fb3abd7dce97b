// crypto/hex.h -- published test vectors are written in hexadecimal digits.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "efface/bytes.h"

namespace efface::test {

inline std::vector<std::byte> from_hex(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::vector<std::byte> out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out.push_back(static_cast<std::byte>(value(digits[i]) * 16 + value(digits[i + 1])));
  return out;
}

inline std::string to_hex(Bytes bytes) {
  std::string out;
  for (const std::byte b : bytes) {
    out += "0123456789abcdef"[std::to_integer<int>(b) >> 4];
    out += "0123456789abcdef"[std::to_integer<int>(b) & 15];
  }
  return out;
}

}  // namespace efface::test
