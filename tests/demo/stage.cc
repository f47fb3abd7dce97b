#include "demo/stage.h"

#include <unistd.h>

#include <array>
#include <cstdio>

namespace efface::demo {

Stage::Stage() : terminal_(::isatty(STDOUT_FILENO) == 1) {}

void Stage::title(std::string_view text) {
  const char* format = terminal_ ? "\n\033[1m%.*s\033[0m\n" : "\n%.*s\n";
  std::printf(format, static_cast<int>(text.size()), text.data());
  std::fflush(stdout);
}

void Stage::say(std::string_view text) {
  std::printf("       %.*s\n", static_cast<int>(text.size()), text.data());
  std::fflush(stdout);
}

bool Stage::check(bool holds, std::string_view claim) {
  ++checks_;
  if (!holds) ++failed_;
  const char* mark = holds ? "  ok  " : " FAIL ";
  if (terminal_)
    std::printf("\033[%sm%s\033[0m %.*s\n", holds ? "32" : "1;31", mark,
                static_cast<int>(claim.size()), claim.data());
  else
    std::printf("%s %.*s\n", mark, static_cast<int>(claim.size()), claim.data());
  std::fflush(stdout);
  return holds;
}

void Stage::progress(std::string_view what, std::size_t done, std::size_t total) {
  const auto now = Clock::now();
  if (done == 0) {
    began_ = now;
    last_shown_ = 0;
    return;
  }
  const bool due = terminal_ || done == total || (done - last_shown_) * 4 >= total;
  if (!due) return;
  last_shown_ = done;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const double left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
  std::printf(terminal_ ? "\r       %.*s %s of %s, %s a second, %.0f s left \033[K"
                        : "       %.*s %s of %s, %s a second, %.0f s left\n",
              static_cast<int>(what.size()), what.data(), grouped(done).c_str(),
              grouped(total).c_str(), grouped(static_cast<std::size_t>(rate)).c_str(), left);
  if (terminal_ && done == total) std::printf("\n");
  std::fflush(stdout);
}

std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string shown(std::chrono::nanoseconds time) {
  std::array<char, 32> text{};
  const double ms = std::chrono::duration<double, std::milli>(time).count();
  if (ms < 1000)
    std::snprintf(text.data(), text.size(), "%.2f ms", ms);
  else
    std::snprintf(text.data(), text.size(), "%.1f s", ms / 1000);
  return text.data();
}

}  // namespace efface::demo
