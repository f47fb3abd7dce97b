// cli/run.h -- runs the efface that this build made, as a user would: arguments, stdin, a
// directory.
//
// Shape  Environment: only what Shop sets, so that nothing of the caller's gets in.
#pragma once
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/temp_directory.h"

namespace efface::test {

struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

inline void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

// A directory with a store in it, and the command line in front of it.
class Shop {
 public:
  using Words = std::vector<std::string>;

  explicit Shop(std::string_view label = "cli") : directory_(label) {
    set("EFFACE_ACCEPT_LEVEL", "L0");  // Whatever file system the tests run on.
  }

  // A store with one region, one tenant and one purpose.
  void open_for_business() {
    set("EFFACE_STORE", (path() / "people").string());
    set("EFFACE_ROOT_KEY", (path() / "eu.root").string());
    run({"init", (path() / "people").string(), "--region", "eu", "--root-key",
         (path() / "eu.root").string()});
    run({"tenant", "add", "acme"});
    run({"purpose", "add", "acme", "ratings", "--basis", "contract"});
  }

  const std::filesystem::path& path() const noexcept { return directory_.path(); }
  void set(const std::string& name, const std::string& value) {
    unset(name);
    environment_.push_back(name + '=' + value);
  }
  void unset(const std::string& name) {
    std::erase_if(environment_,
                  [&](const std::string& one) { return one.starts_with(name + '='); });
  }

  Ran run(Words words, std::string_view input = {}) const {
    const std::filesystem::path in = path() / "stdin", out = path() / "stdout",
                                err = path() / "stderr";
    write_file(in, input);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
    const int anew = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), anew, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), anew, 0600);
    words.insert(words.begin(), EFFACE_CLI);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<std::string> held = environment_;
    std::vector<char*> environment;
    for (std::string& one : held) environment.push_back(one.data());
    environment.push_back(nullptr);

    pid_t child = 0;
    Ran ran;
    const int failed =
        posix_spawn(&child, EFFACE_CLI, &actions, nullptr, arguments.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    int state = 0;
    if (failed != 0 || ::waitpid(child, &state, 0) != child) return ran;
    ran.status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    ran.out = content_of(out);
    ran.err = content_of(err);
    return ran;
  }

 private:
  TempDirectory directory_;
  std::vector<std::string> environment_;
};

}  // namespace efface::test
