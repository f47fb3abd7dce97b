// crypto/child.h -- what happens in a forked child, told by how it ends.
#pragma once
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace efface::test {

// The status of waitpid. The child ends with what `run` answers, without any destructor, and by an
// alarm when it hangs. Signals do what they do without a sanitizer.
template <class F>
int in_child(F&& run) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) std::abort();
  if (child == 0) {
    for (const int each : {SIGSEGV, SIGBUS, SIGABRT}) std::signal(each, SIG_DFL);
    alarm(60);
    _exit(run());
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) std::abort();
  return status;
}

inline bool ended_well(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
inline bool died_of(int status, int signal) {
  return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

}  // namespace efface::test
