// demo/stage.h -- what the demo says, and the checks that it lives by.
//
// On a terminal: colours, and a line that moves while something takes time. In a pipe: plain lines.
#pragma once
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace efface::demo {

class Stage {
 public:
  Stage();

  void title(std::string_view text);
  void say(std::string_view text);
  // One claim. A false one is told, and remembered.
  bool check(bool holds, std::string_view claim);
  // done of total so far; on a terminal in place, in a pipe every quarter.
  void progress(std::string_view what, std::size_t done, std::size_t total);

  std::size_t checks() const noexcept { return checks_; }
  std::size_t failed() const noexcept { return failed_; }

 private:
  using Clock = std::chrono::steady_clock;
  const bool terminal_;
  std::size_t checks_ = 0;
  std::size_t failed_ = 0;
  Clock::time_point began_{};
  std::size_t last_shown_ = 0;
};

// "1,234,567"
std::string grouped(std::size_t number);
// "0.42 ms" or "3.1 s"
std::string shown(std::chrono::nanoseconds time);

}  // namespace efface::demo
