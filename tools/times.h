// tools/times.h -- times in and out: UTC, as RFC 3339 writes them.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "efface/rights.h"

namespace efface::cli {

std::string spell_date(std::chrono::sys_days day);    // "2026-11-24"
std::string spell_time(TimePoint when);               // "2026-11-24T09:31:43.120Z"
std::string spell_age(std::chrono::nanoseconds age);  // "3 days", "5 hours", "2 minutes"

// "2026-11-24", from 1970 to 9999. Nothing: no such day.
std::optional<std::chrono::sys_days> date(std::string_view text) noexcept;
// A date, which stands for its beginning, or "2026-11-24T09:31:43Z".
std::optional<TimePoint> time_point(std::string_view text) noexcept;
// "12h", "7d", "2w"; none is "0h".
std::optional<std::chrono::hours> window(std::string_view text) noexcept;

}  // namespace efface::cli
