#include "tools/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <vector>

#include "efface/limits.h"

namespace efface::cli {
namespace {

std::string format(const char* pattern, double number) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), pattern, number);
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t lead = at(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t follow = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || follow >= text.size() - i) return false;
    for (std::size_t k = 1; k <= follow; ++k)
      if ((at(i + k) & 0xc0) != 0x80) return false;
    const std::uint8_t second = at(i + 1);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool surrogate = lead == 0xed && second > 0x9f;
    if (overlong || surrogate || (lead == 0xf4 && second > 0x8f)) return false;
    i += follow + 1;
  }
  return true;
}

std::string base64(Bytes bytes) {
  static constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < have ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out.push_back(k <= have ? letters[group >> (18 - 6 * k) & 63U] : '=');
  }
  return out;
}

std::string on_one_line(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out.push_back(digits[byte >> 4U]);
      out.push_back(digits[byte & 15U]);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string count_of(std::uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : many);
}

std::string spell(std::chrono::nanoseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  if (seconds < 1) return format("%.2f ms", seconds * 1e3);
  return format("%.1f s", seconds);
}

std::string spell_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 4> patterns = {"%.1f KiB", "%.1f MiB", "%.1f GiB",
                                                          "%.1f TiB"};
  if (bytes < 1024) return count_of(bytes, "byte", "bytes");
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < patterns.size(); ++unit) size /= 1024;
  return format(patterns[unit], size);
}

std::optional<Days> retention(std::string_view text) noexcept {
  if (text.size() < 2) return std::nullopt;
  std::uint32_t number = 0;
  const char* const unit = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data(), unit, number);
  if (error != std::errc() || end != unit || number == 0) return std::nullopt;
  const std::uint32_t days = *unit == 'd' ? 1 : *unit == 'w' ? 7 : *unit == 'y' ? 365 : 0;
  if (days == 0 || number > limits::retention_days_max / days) return std::nullopt;
  return Days(number * days);
}

bool is_label(std::string_view text) noexcept {
  if (text.empty() || text.size() > limits::label_bytes_max) return false;
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return plain(text.front()) && std::all_of(text.begin(), text.end(), [&](char c) {
           return plain(c) || c == '_' || c == '.' || c == '-';
         });
}

std::size_t distance(std::string_view a, std::string_view b) {
  // Three rows of the optimal string alignment table: two back, one back, this one.
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1,
                         last[j - 1] + static_cast<std::size_t>(a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string hex_of(Bytes bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text.push_back(digits[std::to_integer<unsigned>(byte) >> 4U]);
    text.push_back(digits[std::to_integer<unsigned>(byte) & 15U]);
  }
  return text;
}

}  // namespace efface::cli
