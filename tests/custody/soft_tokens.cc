#include "custody/soft_tokens.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/check.h"

namespace efface::test {
namespace {

// It ends with this process, however that ends.
pid_t spawn(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int quiet = ::open("/dev/null", O_WRONLY);
  if (::getppid() != parent || ::dup2(quiet, STDOUT_FILENO) < 0 || ::dup2(quiet, STDERR_FILENO) < 0)
    ::_exit(127);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

TokenFault& fault_of(const char* library) {
  void* const loaded = ::dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  EFFACE_CHECK(loaded != nullptr);
  const auto get = reinterpret_cast<TokenFaultOf*>(::dlsym(loaded, "efface_test_fault"));
  EFFACE_CHECK(get != nullptr);
  return *get();
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool can(int port, int (*what)(int, const sockaddr*, socklen_t)) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool done = what(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(made);
  return done;
}

}  // namespace

int run(const std::vector<std::string>& command) {
  const pid_t child = spawn(command);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

const char* SoftHsm::missing() {
  if (std::string_view(EFFACE_SOFTHSM).ends_with("NOTFOUND") ||
      std::string_view(EFFACE_SOFTHSM_UTIL).ends_with("NOTFOUND"))
    return "softhsm2";
  return nullptr;
}

SoftHsm::SoftHsm() {
  std::filesystem::create_directory(object_directory());
  const std::filesystem::path settings = directory_ / "softhsm2.conf";
  std::ofstream(settings) << "directories.tokendir = " << object_directory().string()
                          << "\nobjectstore.backend = file\nlog.level = ERROR\n";
  ::setenv("SOFTHSM2_CONF", settings.c_str(), 1);
  EFFACE_CHECK(
      run({EFFACE_SOFTHSM_UTIL, "--module", EFFACE_SOFTHSM, "--init-token", "--free", "--label",
           std::string(label), "--so-pin", "so-pin-of-tests", "--pin", std::string(pin)}) == 0);
  fault() = {};
}

std::filesystem::path SoftHsm::module() const { return EFFACE_PKCS11_STAND_IN; }

TokenFault& SoftHsm::fault() { return fault_of(EFFACE_PKCS11_STAND_IN); }

const char* SoftTpm::missing() {
  return std::string_view(EFFACE_SWTPM).ends_with("NOTFOUND") ? "swtpm" : nullptr;
}

SoftTpm::SoftTpm() {
  ::setenv("TSS2_LOG", "all+none", 1);
  std::filesystem::create_directory(state_directory());
  start();
  fault() = {};
}

SoftTpm::~SoftTpm() { stop(); }

bool SoftTpm::starts_on(int port) {
  const auto at = [](int number) { return "type=tcp,port=" + std::to_string(number); };
  process_ = spawn({EFFACE_SWTPM, "socket", "--tpm2", "--tpmstate",
                    "dir=" + state_directory().string(), "--server", at(port), "--ctrl",
                    at(port + 1), "--flags", "not-need-init,startup-clear"});
  EFFACE_CHECK(process_ > 0);
  while (!can(port, ::connect)) {
    if (::waitpid(process_, nullptr, WNOHANG) == process_) return false;  // Somebody has the port.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

void SoftTpm::start() {
  port_ = 0;
  constexpr int first = 20'000;
  constexpr int ports = 10'000;
  const int begin = 2 * (::getpid() % (ports / 2));
  for (int tried = 0; tried < ports; tried += 2) {
    const int port = first + (begin + tried) % ports;
    if (!can(port, ::bind) || !can(port + 1, ::bind) || !starts_on(port)) continue;
    port_ = port;
    return;
  }
  EFFACE_CHECK(port_ != 0);
}

void SoftTpm::stop() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

std::string SoftTpm::tcti() const {
  return std::string(EFFACE_TPM_STAND_IN) + ":swtpm:host=127.0.0.1,port=" + std::to_string(port_);
}

TokenFault& SoftTpm::fault() { return fault_of(EFFACE_TPM_STAND_IN); }

}  // namespace efface::test
