#include "peers/server.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "support/data.h"
#include "support/must.h"

namespace efface::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t directory_bytes_max = 80;  // The name of a socket is at most 107.
constexpr int not_started = 127;

// Whom servers run as when the bench is root.
const passwd& nobody() {
  static const passwd* const found = ::getpwnam("nobody");
  if (found == nullptr) give_up("server", "there is no user nobody");
  return *found;
}
bool is_root() { return ::geteuid() == 0; }

// In the child: this only returns by ending it.
[[noreturn]] void become(const std::vector<std::string>& command, const fs::path& output, int end) {
  const int log = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0 || ::dup2(log, STDOUT_FILENO) < 0 || ::dup2(log, STDERR_FILENO) < 0)
    ::_exit(not_started);
  if (is_root() && (::setgroups(0, nullptr) != 0 || ::setgid(nobody().pw_gid) != 0 ||
                    ::setuid(nobody().pw_uid) != 0))
    ::_exit(not_started);
  if (::prctl(PR_SET_PDEATHSIG, end) != 0 || ::chdir("/") != 0) ::_exit(not_started);
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(not_started);
}

pid_t start(const std::vector<std::string>& command, const fs::path& output, int end) {
  if (is_root()) nobody();
  const pid_t process = ::fork();
  if (process < 0) give_up("fork", "no process", errno);
  if (process == 0) become(command, output, end);
  return process;
}

}  // namespace

fs::path make_server_directory(const std::string& name) {
  const fs::path directory = scratch() / name;
  if (directory.native().size() > directory_bytes_max)
    give_up("server", "run the bench in a directory with a shorter path");
  fs::create_directory(directory);
  fs::permissions(directory, fs::perms::owner_all);
  if (is_root()) {
    fs::permissions(scratch(), fs::perms::group_exec | fs::perms::others_exec,
                    fs::perm_options::add);
    if (::chown(directory.c_str(), nobody().pw_uid, nobody().pw_gid) != 0)
      give_up("chown", "the directory cannot be given away", errno);
  }
  return directory;
}

void run_to_end(const std::vector<std::string>& command, const fs::path& output) {
  const pid_t process = start(command, output, SIGKILL);
  int status = 0;
  if (::waitpid(process, &status, 0) != process || status != 0)
    give_up(command[0].c_str(), "failed; can its user reach this directory?", status);
}

Server::Server(const std::vector<std::string>& command, const fs::path& output, int end)
    : process_(start(command, output, end)), end_(end) {}

Server::~Server() {
  ::kill(process_, end_);
  ::waitpid(process_, nullptr, 0);
}

}  // namespace efface::bench
