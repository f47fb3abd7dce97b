// tools/progress.h -- how far a long verb is: a bar that is drawn over on a terminal, a line now
// and then elsewhere, an object a line with --json. All on stderr.
//
// Cost  A look at the clock for each update.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>

#include "efface/progress.h"

namespace efface::cli {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Style : std::uint8_t { bar, lines, objects };

  // What is worked on: "import", "records". Its share of the whole may be measured in something
  // else ("bytes"); null: it is not.
  struct Work {
    const char* verb;
    const char* counted;
    const char* measured = nullptr;
  };
  struct State {
    std::uint64_t count = 0;
    std::uint64_t measure = 0;             // Where it is measured in something else.
    std::optional<std::uint64_t> total{};  // Unknown: no share, no time left.
  };

  Progress(std::FILE* out, Style style, const Work& work, Clock::time_point start) noexcept;
  // On stderr, from now on.
  Progress(bool json, const Work& work) noexcept;
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  static Style style(bool json) noexcept;  // What suits stderr.
  // Whether a verb that fills stdout meanwhile may draw: not on a terminal that shows both.
  static bool suits(bool json) noexcept;

  void update(const State& state, Clock::time_point now = Clock::now());
  void clear() noexcept;  // Takes the bar away, before something else is said.

 private:
  std::FILE* out_;
  Style style_;
  Work work_;
  Clock::time_point start_;
  Clock::time_point next_;
  bool drawn_ = false;
};

// For a call of the library that says itself how far it is.
OnProgress shown_by(Progress& progress);

// The line itself: share, count, rate, time left.
std::string progress_text(const Progress::Work& work, const Progress::State& state,
                          std::chrono::duration<double> passed, bool bar);

}  // namespace efface::cli
