#include "tools/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "tools/output.h"
#include "tools/text.h"

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
  return static_cast<std::uint64_t>(static_cast<double>(state.count) /
                                    std::max(passed.count(), 1e-3));
}

std::uint64_t measure_of(const Progress::Work& work, const Progress::State& state) {
  return work.measured == nullptr ? state.count : state.measure;
}

std::string rate_text(const Progress::Work& work, const Progress::State& state,
                      std::chrono::duration<double> passed) {
  const std::uint64_t rate = rate_of(state, passed);
  if (std::string_view(work.counted) == "bytes")
    return spell_bytes(state.count) + ", " + spell_bytes(rate) + "/s";
  return std::to_string(state.count) + ' ' + work.counted + ", " + std::to_string(rate) + "/s";
}

Json object_of(const Progress::Work& work, const Progress::State& state,
               std::chrono::duration<double> passed) {
  const std::string counted = work.counted;
  const std::string measured = work.measured == nullptr ? counted : work.measured;
  Json object = {{counted, state.count}, {counted + "_per_second", rate_of(state, passed)}};
  if (work.measured != nullptr) object[measured] = state.measure;
  if (state.total) object[measured + "_total"] = *state.total;
  return {{"progress", object}};
}

}  // namespace

std::string progress_text(const Progress::Work& work, const Progress::State& state,
                          std::chrono::duration<double> passed, bool bar) {
  if (!state.total || *state.total == 0) return rate_text(work, state, passed);
  const double share = std::min(
      1.0, static_cast<double>(measure_of(work, state)) / static_cast<double>(*state.total));
  std::string text;
  if (bar) {
    const auto full = static_cast<std::size_t>(share * bar_columns);
    text += '[' + std::string(full, '#') + std::string(bar_columns - full, ' ') + "] ";
  }
  text +=
      std::to_string(static_cast<unsigned>(share * 100)) + " %, " + rate_text(work, state, passed);
  if (share > 0 && share < 1)
    text += ", " + minutes(passed.count() * (1 - share) / share) + " left";
  return text;
}

Progress::Progress(std::FILE* out, Style style, const Work& work, Clock::time_point start) noexcept
    : out_(out),
      style_(style),
      work_(work),
      start_(start),
      next_(start + (style == Style::bar ? Clock::duration(bar_interval)
                                         : Clock::duration(line_interval))) {}

Progress::Progress(bool json, const Work& work) noexcept
    : Progress(stderr, style(json), work, Clock::now()) {}

Progress::Style Progress::style(bool json) noexcept {
  if (json) return Style::objects;
  return ::isatty(STDERR_FILENO) == 1 ? Style::bar : Style::lines;
}

bool Progress::suits(bool json) noexcept {
  return style(json) != Style::bar || ::isatty(STDOUT_FILENO) == 0;
}

void Progress::update(const State& state, Clock::time_point now) {
  if (now < next_) return;
  next_ =
      now + (style_ == Style::bar ? Clock::duration(bar_interval) : Clock::duration(line_interval));
  std::string text;
  if (style_ == Style::objects) {
    text = object_of(work_, state, now - start_).dump() + '\n';
  } else if (style_ == Style::lines) {
    text = std::string(work_.verb) + ": " + progress_text(work_, state, now - start_, false) + '\n';
  } else {
    text = '\r' + progress_text(work_, state, now - start_, true) + "\x1b[K";
    drawn_ = true;
  }
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), out_));
  static_cast<void>(std::fflush(out_));
}

OnProgress shown_by(Progress& progress) {
  return [&progress](const efface::Progress& at) {
    progress.update({.count = at.done, .measure = 0, .total = at.total});
  };
}

void Progress::clear() noexcept {
  if (!drawn_) return;
  drawn_ = false;
  static_cast<void>(std::fputs("\r\x1b[K", out_));
  static_cast<void>(std::fflush(out_));
}

}  // namespace efface::cli
