#include "ledger/text.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace efface::ledger {
namespace {

constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t day_chars = 10;
constexpr std::size_t time_chars = 24;
constexpr std::chrono::sys_days first_day{std::chrono::year{1970} / 1 / 1};
constexpr std::chrono::sys_days last_day{std::chrono::year{9999} / 12 / 31};

// Digits only, as many as the text has.
std::optional<unsigned> fixed(std::string_view text) {
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + static_cast<unsigned>(c - '0');
  }
  return value;
}

}  // namespace

std::string base64(Bytes bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t many = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < many ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0);
    for (std::size_t i = 0; i < 4; ++i)
      out.push_back(i <= many ? base64_digits[group >> (18 - 6 * i) & 63] : '=');
  }
  return out;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::vector<std::byte> out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::size_t digit = base64_digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<std::byte>(group >> bits & 0xff));
    group &= (std::uint32_t{1} << bits) - 1;
  }
  if (group != 0) return std::nullopt;
  return out;
}

std::string hex(Bytes bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    out.push_back(hex_digits[std::to_integer<unsigned>(byte) >> 4]);
    out.push_back(hex_digits[std::to_integer<unsigned>(byte) & 15]);
  }
  return out;
}

bool read_hex(std::string_view text, MutableBytes out) {
  if (text.size() != 2 * out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t high = hex_digits.find(text[2 * i]);
    const std::size_t low = hex_digits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    out[i] = static_cast<std::byte>(high << 4 | low);
  }
  return true;
}

std::optional<std::uint64_t> from_decimal(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> text_of(std::chrono::sys_days day) {
  if (day < first_day || day > last_day) return std::nullopt;
  const std::chrono::year_month_day date(day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return std::string(text);
}

std::optional<std::string> text_of(Milliseconds time) {
  // Compared in days: the number of milliseconds of a day so far away may not exist.
  const auto day = std::chrono::floor<std::chrono::days>(time);
  auto text = text_of(day);
  if (!text) return std::nullopt;
  const std::chrono::hh_mm_ss clock(time - day);
  char rest[48];
  std::snprintf(rest, sizeof rest, "T%02d:%02d:%02d.%03dZ", static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return *text + rest;
}

std::optional<std::chrono::sys_days> day_of(std::string_view text) {
  if (text.size() != day_chars) return std::nullopt;
  const auto year = fixed(text.substr(0, 4));
  const auto month = fixed(text.substr(5, 2));
  const auto day = fixed(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok() || text_of(std::chrono::sys_days(date)) != text) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<Milliseconds> time_of(std::string_view text) {
  if (text.size() != time_chars) return std::nullopt;
  const auto day = day_of(text.substr(0, day_chars));
  const auto hours = fixed(text.substr(11, 2));
  const auto minutes = fixed(text.substr(14, 2));
  const auto seconds = fixed(text.substr(17, 2));
  const auto fraction = fixed(text.substr(20, 3));
  if (!day || !hours || !minutes || !seconds || !fraction) return std::nullopt;
  const Milliseconds time = *day + std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
                            std::chrono::seconds(*seconds) + std::chrono::milliseconds(*fraction);
  if (text_of(time) != text) return std::nullopt;
  return time;
}

}  // namespace efface::ledger
