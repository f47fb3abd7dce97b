#include "support/server.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace efface::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t directory_bytes_max = 80;  // The name of a socket is at most 107.
constexpr int not_started = 127;

[[noreturn]] void end_program(const char* what, const char* why, int code = 0) {
  std::fprintf(stderr, "server: %s: %s (%d)\n", what, why, code);
  std::exit(1);  // Not abort: what lies on the disk is removed.
}

// Whom servers run as when this is root.
const passwd& nobody() {
  static const passwd* const found = ::getpwnam("nobody");
  if (found == nullptr) end_program("nobody", "there is no such user");
  return *found;
}
bool is_root() { return ::geteuid() == 0; }

// In the child: this only returns by ending it.
[[noreturn]] void become(const std::vector<std::string>& command, const fs::path& output, int end,
                         pid_t parent) {
  const int log = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0 || ::dup2(log, STDOUT_FILENO) < 0 || ::dup2(log, STDERR_FILENO) < 0)
    ::_exit(not_started);
  if (is_root() && (::setgroups(0, nullptr) != 0 || ::setgid(nobody().pw_gid) != 0 ||
                    ::setuid(nobody().pw_uid) != 0))
    ::_exit(not_started);
  if (::prctl(PR_SET_PDEATHSIG, end) != 0 || ::getppid() != parent || ::chdir("/") != 0)
    ::_exit(not_started);
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(not_started);
}

pid_t start(const std::vector<std::string>& command, const fs::path& output, int end) {
  if (is_root()) nobody();
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) end_program("fork", "no process", errno);
  if (process == 0) become(command, output, end, parent);
  return process;
}

}  // namespace

fs::path make_server_directory(const fs::path& parent, const std::string& name) {
  const fs::path directory = parent / name;
  if (directory.native().size() > directory_bytes_max)
    end_program("directory", "run this in one with a shorter path");
  fs::create_directory(directory);
  fs::permissions(directory, fs::perms::owner_all);
  if (is_root()) {
    fs::permissions(parent, fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
    if (::chown(directory.c_str(), nobody().pw_uid, nobody().pw_gid) != 0)
      end_program("chown", "the directory cannot be given away", errno);
  }
  return directory;
}

void run_to_end(const std::vector<std::string>& command, const fs::path& output) {
  const pid_t process = start(command, output, SIGKILL);
  int status = 0;
  if (::waitpid(process, &status, 0) == process && status == 0) return;
  std::ifstream said(output);
  for (std::string line; std::getline(said, line);) std::fprintf(stderr, "%s\n", line.c_str());
  end_program(command[0].c_str(), "failed; can its user reach this directory?", status);
}

Server::Server(const std::vector<std::string>& command, const fs::path& output, int end)
    : process_(start(command, output, end)), end_(end) {}

Server::~Server() {
  if (process_ < 0) return;
  ::kill(process_, end_);
  ::waitpid(process_, nullptr, 0);
}

bool Server::has_ended() {
  if (process_ >= 0 && ::waitpid(process_, nullptr, WNOHANG) == process_) process_ = -1;
  return process_ < 0;
}

}  // namespace efface::test
