// tools/screen.h -- a terminal that is drawn on until somebody has seen enough, and is then as it
// was before: in what it shows, in its modes, with its cursor.
//
// Threads   One at a time in a process: it takes SIGINT, SIGTERM and SIGHUP.
// Errors    usage: stdout is no terminal.
#pragma once
#include <signal.h>
#include <termios.h>

#include <chrono>
#include <optional>
#include <string_view>

namespace efface::cli {

class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void draw(std::string_view frame);  // As much as there is room for.
  // False: q was pressed, or a signal asks for the end.
  bool wait(std::chrono::milliseconds time);

 private:
  std::optional<termios> modes_;  // Of stdin, where that is a terminal.
  sigset_t mask_{};
};

// A frame as it is drawn: from the top, each line to its end, cut to that many of each.
std::string drawn_frame(std::string_view frame, std::size_t lines, std::size_t columns);

}  // namespace efface::cli
