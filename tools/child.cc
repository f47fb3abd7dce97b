#include "tools/child.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "tools/failure.h"

namespace efface::cli {

void verify_in_child(const std::string& directory, bool json) {
  std::string verb = "backup";
  std::string what = "verify-here";
  std::string json_option = "--json";
  std::string end = "--";
  std::string path = directory;
  std::string self = "efface";
  std::array<char*, 7> arguments{self.data(), verb.data(), what.data()};
  std::size_t next = 3;
  if (json) arguments.at(next++) = json_option.data();
  arguments.at(next++) = end.data();
  arguments.at(next++) = path.data();
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ);
  if (failed != 0)
    throw Failure("io", "no process to verify it in", Exit::broken).with_system_code(failed);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw system_failure("no answer from the process that verifies it");
  if (!WIFEXITED(status))
    throw refused(Errc::corruption, "the process that verified it died of what is in it");
  // What is wrong it has said itself.
  if (WEXITSTATUS(status) != 0) std::exit(WEXITSTATUS(status));  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace efface::cli
