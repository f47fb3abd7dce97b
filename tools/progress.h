// tools/progress.h -- how far an import is: a bar that is drawn over on a terminal, a line now and
// then elsewhere, an object a line with --json. All on stderr.
//
// Cost  A look at the clock for each update.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace efface::cli {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Style : std::uint8_t { bar, lines, objects };

  struct State {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> bytes_total;  // Unknown: no share, no time left.
  };

  Progress(std::FILE* out, Style style, Clock::time_point start) noexcept;
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  static Style style(bool json) noexcept;  // What suits stderr.

  void update(const State& state, Clock::time_point now);
  void clear() noexcept;  // Takes the bar away, before something else is said.

 private:
  std::FILE* out_;
  Style style_;
  Clock::time_point start_;
  Clock::time_point next_;
  bool drawn_ = false;
};

// The line itself: share, records, rate, time left.
std::string progress_text(const Progress::State& state, std::chrono::duration<double> passed,
                          bool bar);

}  // namespace efface::cli
