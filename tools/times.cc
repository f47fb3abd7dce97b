#include "tools/times.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "tools/text.h"

namespace efface::cli {
namespace {

using std::chrono::duration_cast;

template <class... Numbers>
std::string format(const char* pattern, Numbers... numbers) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), pattern, numbers...);
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

// Digits alone: no sign, no space.
std::optional<unsigned> number(std::string_view digits) noexcept {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// At most two digits, below the limit.
std::optional<unsigned> part(std::string_view text, std::size_t at, unsigned limit) noexcept {
  const auto value = number(text.substr(at, 2));
  return value && *value < limit ? value : std::nullopt;
}

}  // namespace

std::string spell_date(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return format("%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string spell_time(TimePoint when) {
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::milliseconds>(when - day));
  return spell_date(day) + format("T%02d:%02d:%02d.%03dZ", static_cast<int>(time.hours().count()),
                                  static_cast<int>(time.minutes().count()),
                                  static_cast<int>(time.seconds().count()),
                                  static_cast<int>(time.subseconds().count()));
}

std::string spell_age(std::chrono::nanoseconds age) {
  const auto count = [](std::int64_t number) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0));
  };
  const std::int64_t minutes = duration_cast<std::chrono::minutes>(age).count();
  if (minutes < 60) return count_of(count(minutes), "minute", "minutes");
  if (minutes < std::int64_t{48} * 60) return count_of(count(minutes / 60), "hour", "hours");
  return count_of(count(minutes / (std::int64_t{24} * 60)), "day", "days");
}

std::optional<std::chrono::sys_days> date(std::string_view text) noexcept {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = number(text.substr(0, 4));
  const auto month = part(text, 5, 13);
  const auto day = part(text, 8, 32);
  if (!year || *year < 1970 || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<TimePoint> time_point(std::string_view text) noexcept {
  const auto day = date(text.substr(0, 10));
  // Further than the clock's own range, which ends in 2262.
  if (!day || *day >= std::chrono::floor<std::chrono::days>(TimePoint::max())) return std::nullopt;
  if (text.size() == 10) return TimePoint(*day);
  if (text.size() != 20 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z')
    return std::nullopt;
  const auto hours = part(text, 11, 24);
  const auto minutes = part(text, 14, 60);
  const auto seconds = part(text, 17, 60);
  if (!hours || !minutes || !seconds) return std::nullopt;
  return TimePoint(*day) + std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
         std::chrono::seconds(*seconds);
}

std::optional<std::chrono::hours> window(std::string_view text) noexcept {
  constexpr unsigned hours_max = 24 * 36'525;
  if (text.size() < 2) return std::nullopt;
  const auto many = number(text.substr(0, text.size() - 1));
  const char unit = text.back();
  const unsigned hours = unit == 'h' ? 1 : unit == 'd' ? 24 : unit == 'w' ? 7 * 24 : 0;
  if (!many || hours == 0 || *many > hours_max / hours) return std::nullopt;
  return std::chrono::hours(*many * hours);
}

}  // namespace efface::cli
