#include "tools/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <string>

#include "tools/failure.h"

namespace efface::cli {
namespace {

constexpr std::array signals{SIGINT, SIGTERM, SIGHUP};
constexpr std::string_view enters = "\x1b[?1049h\x1b[?25l";  // Another screen, without a cursor.
constexpr std::string_view leaves = "\x1b[?25h\x1b[?1049l";

volatile std::sig_atomic_t signalled = 0;

void write_out(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
  static_cast<void>(std::fflush(stdout));
}

}  // namespace

Screen::Screen() {
  if (::isatty(STDOUT_FILENO) != 1)
    throw usage("stdout is no terminal: --once says one frame, --json an object each time");
  // Held back but while it waits, so that none comes between a look and the wait.
  sigset_t held;
  sigemptyset(&held);
  for (const int signal : signals) sigaddset(&held, signal);
  ::sigprocmask(SIG_BLOCK, &held, &mask_);
  struct sigaction ending{};
  ending.sa_handler = [](int) { signalled = 1; };
  for (const int signal : signals) {
    ::sigaction(signal, &ending, nullptr);
    sigdelset(&mask_, signal);
  }
  termios modes{};
  if (::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &modes) == 0) {
    modes_ = modes;
    modes.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &modes);
  }
  write_out(enters);
}

Screen::~Screen() {
  write_out(leaves);
  if (modes_) ::tcsetattr(STDIN_FILENO, TCSANOW, &*modes_);
}

void Screen::draw(std::string_view frame) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
    size = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  write_out(drawn_frame(frame, size.ws_row, size.ws_col));
}

bool Screen::wait(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return true;
    const timespec timeout{.tv_sec = left.count() / 1'000'000'000,
                           .tv_nsec = left.count() % 1'000'000'000};
    pollfd keys{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const int ready = ::ppoll(&keys, modes_ ? 1 : 0, &timeout, &mask_);
    if (signalled != 0) return false;
    if (ready <= 0) continue;
    char key = 0;
    if (::read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q') return false;
  }
}

std::string drawn_frame(std::string_view frame, std::size_t lines, std::size_t columns) {
  std::string text = "\x1b[H";
  for (std::size_t line = 0; line < lines && !frame.empty(); ++line) {
    const std::size_t end_of_line = std::min(frame.find('\n'), frame.size());
    if (line > 0) text += "\r\n";
    text += frame.substr(0, std::min(end_of_line, columns));
    text += "\x1b[K";
    frame.remove_prefix(std::min(end_of_line + 1, frame.size()));
  }
  return text + "\x1b[J";
}

}  // namespace efface::cli
