#include "tools/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "tools/output.h"

namespace efface::cli {
namespace {

constexpr std::chrono::milliseconds bar_interval{100};
constexpr std::chrono::seconds line_interval{2};
constexpr std::size_t bar_columns = 24;

std::string minutes(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::min(std::ceil(seconds), 359'999.0));
  const std::string rest = std::to_string(whole % 60);
  return std::to_string(whole / 60) + (rest.size() < 2 ? ":0" : ":") + rest;
}

std::uint64_t rate_of(const Progress::State& state, std::chrono::duration<double> passed) {
  return static_cast<std::uint64_t>(static_cast<double>(state.records) /
                                    std::max(passed.count(), 1e-3));
}

}  // namespace

std::string progress_text(const Progress::State& state, std::chrono::duration<double> passed,
                          bool bar) {
  std::string text;
  if (state.bytes_total && *state.bytes_total > 0) {
    const double share =
        std::min(1.0, static_cast<double>(state.bytes) / static_cast<double>(*state.bytes_total));
    if (bar) {
      const auto full = static_cast<std::size_t>(share * bar_columns);
      text += '[' + std::string(full, '#') + std::string(bar_columns - full, ' ') + "] ";
    }
    text += std::to_string(static_cast<unsigned>(share * 100)) + " %, ";
    text += std::to_string(state.records) + " records, " + std::to_string(rate_of(state, passed)) +
            "/s";
    if (share > 0 && share < 1)
      text += ", " + minutes(passed.count() * (1 - share) / share) + " left";
    return text;
  }
  return std::to_string(state.records) + " records, " + std::to_string(rate_of(state, passed)) +
         "/s";
}

Progress::Progress(std::FILE* out, Style style, Clock::time_point start) noexcept
    : out_(out),
      style_(style),
      start_(start),
      next_(start + (style == Style::bar ? Clock::duration(bar_interval)
                                         : Clock::duration(line_interval))) {}

Progress::Style Progress::style(bool json) noexcept {
  if (json) return Style::objects;
  return ::isatty(STDERR_FILENO) == 1 ? Style::bar : Style::lines;
}

void Progress::update(const State& state, Clock::time_point now) {
  if (now < next_) return;
  next_ =
      now + (style_ == Style::bar ? Clock::duration(bar_interval) : Clock::duration(line_interval));
  std::string text;
  if (style_ == Style::objects) {
    Json object = {{"records", state.records},
                   {"records_per_second", rate_of(state, now - start_)},
                   {"bytes", state.bytes}};
    if (state.bytes_total) object["bytes_total"] = *state.bytes_total;
    text = Json{{"progress", object}}.dump() + '\n';
  } else if (style_ == Style::lines) {
    text = "import: " + progress_text(state, now - start_, false) + '\n';
  } else {
    text = '\r' + progress_text(state, now - start_, true) + "\x1b[K";
    drawn_ = true;
  }
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), out_));
  static_cast<void>(std::fflush(out_));
}

void Progress::clear() noexcept {
  if (!drawn_) return;
  drawn_ = false;
  static_cast<void>(std::fputs("\r\x1b[K", out_));
  static_cast<void>(std::fflush(out_));
}

}  // namespace efface::cli
