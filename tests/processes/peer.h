// processes/peer.h -- another process: a child that runs a function in step with the test.
//
// It is forked before the test opens anything, and opens for itself. tell and wait go both ways;
// whoever waits for one that has ended, or for longer than ten seconds, is told so.
#pragma once
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>

namespace efface::test {

class Channel {
 public:
  Channel(int in, int out) noexcept : in_(in), out_(out) {}
  void tell(char what = '.') const {
    if (::write(out_, &what, 1) != 1) ::_exit(90);
  }
  char wait() const {
    struct pollfd ready{in_, POLLIN, 0};
    char what = 0;
    if (::poll(&ready, 1, 10'000) != 1 || ::read(in_, &what, 1) != 1) return '!';
    return what;
  }

 private:
  int in_;
  int out_;
};

class Peer {
 public:
  // What it answers is its exit status.
  explicit Peer(const std::function<int(const Channel&)>& work) {
    std::array<int, 2> down{};
    std::array<int, 2> up{};
    if (::pipe(down.data()) != 0 || ::pipe(up.data()) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(down[1]);
      ::close(up[0]);
      ::_exit(work(Channel(down[0], up[1])));
    }
    ::close(down[0]);
    ::close(up[1]);
    in_ = up[0];
    out_ = down[1];
  }
  ~Peer() {
    if (pid_ > 0) {
      kill(SIGKILL);
      static_cast<void>(join());
    }
    ::close(in_);
    ::close(out_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void tell(char what = '.') const { Channel(in_, out_).tell(what); }
  char wait() const { return Channel(in_, out_).wait(); }
  pid_t id() const noexcept { return pid_; }
  void kill(int signal) const { ::kill(pid_, signal); }
  // Until it is stopped, by itself or by a signal.
  bool wait_until_stopped() const {
    int status = 0;
    return ::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status);
  }
  // Its exit status, or 128 and the signal that ended it.
  int join() {
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) return -1;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  int pid_ = 0;
  int in_ = -1;
  int out_ = -1;
};

}  // namespace efface::test
