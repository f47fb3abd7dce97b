// efface top: what it shows, and that the terminal is afterwards as it was.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/desk.h"
#include "tools/screen.h"
#include "tools/top.h"

namespace {

using efface::cli::drawn_frame;
using efface::cli::Sample;
using efface::cli::top_frame;
using efface::cli::top_object;
using efface::test::code_of;
using efface::test::Desk;
using efface::test::Ran;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view leaves = "\x1b[?25h\x1b[?1049l";

Sample sample(std::uint64_t add, int second) {
  efface::RegionStats region;
  region.name = "eu-west";
  region.open = true;
  region.epoch = 7 + add / 10;
  region.keyring_sequence = 100 + add;
  region.records = 1000 - add;
  region.residue_records = 3;
  region.residue_bytes = 2048;
  region.residue_oldest = std::chrono::system_clock::time_point() - std::chrono::hours(3);
  region.reclaim_entries = add;
  region.keyring_used_bytes = 1024;
  region.keyring_file_bytes = 4096;
  region.mirrors = {{efface::MirrorState::in_step, 1}, {efface::MirrorState::behind, 0}};
  efface::RegionStats shut;
  shut.name = "us";
  Sample sample;
  sample.stats.regions = {region, shut};
  sample.stats.tenants = 2;
  sample.stats.locked_bytes = 65'536;
  sample.at = std::chrono::system_clock::time_point() + std::chrono::seconds(second);
  return sample;
}

TEST(Top, ShowsNumbersAndHowFastTheyChange) {
  const Sample before = sample(0, 0);
  const Sample now = sample(20, 2);
  const std::string text = top_frame(now, &before);
  EXPECT_THAT(text, HasSubstr("efface top, 1970-01-01T00:00:02.000Z: 2 tenants\n"
                              "memory for keys, here: 64.0 KiB locked, 0 bytes not\n"
                              "\nregion eu-west: assurance L0\n"));
  EXPECT_THAT(text, HasSubstr("  keyring commits             120      +10.0/s\n"));
  EXPECT_THAT(text, HasSubstr("  epoch                         9       +1.0/s\n"));
  EXPECT_THAT(text, HasSubstr("  ciphertexts                 980      -10.0/s\n"));
  EXPECT_THAT(text, HasSubstr("  residue                       3       +0.0/s\n"));
  EXPECT_THAT(text, HasSubstr("2.0 KiB, the oldest 3 hours old\n"));
  EXPECT_THAT(text, HasSubstr("  keyring                 1.0 KiB of 4.0 KiB\n"));
  EXPECT_THAT(text, HasSubstr("  mirrors in step               1 of 2\n"));
  EXPECT_THAT(text, HasSubstr("\nregion us: not open, for want of its root key\n"));
  EXPECT_THAT(text, Not(HasSubstr("waits for the root key store")));
  EXPECT_THAT(top_frame(now, nullptr), Not(HasSubstr("/s")));

  const json object = json::parse(top_object(now, &before).dump());
  EXPECT_EQ(object["regions"][0]["per_second"]["keyring_commits"], 10.0);
  EXPECT_EQ(object["regions"][0]["per_second"]["records"], -10.0);
  EXPECT_EQ(object["regions"][0]["keyring_sequence"], 120);
  EXPECT_FALSE(object["regions"][1].contains("per_second"));
}

TEST(Top, DrawsNoMoreThanThereIsRoomFor) {
  EXPECT_EQ(drawn_frame("one\ntwo\nthree\n", 24, 80),
            "\x1b[Hone\x1b[K\r\ntwo\x1b[K\r\nthree\x1b[K\x1b[J");
  EXPECT_EQ(drawn_frame("one\ntwo\nthree\n", 2, 2), "\x1b[Hon\x1b[K\r\ntw\x1b[K\x1b[J");
}

TEST(Top, SaysItOnceWithoutATerminalAndNamesNobody) {
  const Desk desk;
  desk.put("ratings");
  const Ran once = desk.run({"top", "--once"});
  EXPECT_EQ(once.status, 0) << once.err;
  EXPECT_THAT(once.out, HasSubstr("\nregion eu: assurance L"));
  EXPECT_EQ(once.out.find('\x1b'), std::string::npos);
  for (const char* name : {"acme", "alice", "ratings"}) EXPECT_THAT(once.out, Not(HasSubstr(name)));
  const json object = json::parse(desk.json_of({"top", "--once"}).out);
  EXPECT_EQ(object["tenants"], 1);
  EXPECT_EQ(object["regions"][0]["region"], "eu");
  EXPECT_EQ(desk.code({"top", "--once", "--interval", "0"}), "usage");
  const Ran live = desk.run({"top"});
  EXPECT_EQ(live.status, 2);
  EXPECT_THAT(live.err, HasSubstr("no terminal"));
  EXPECT_EQ(live.out, "");
}

// A terminal with efface top in it.
class Terminal {
 public:
  explicit Terminal(const Desk& desk) : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) return;
    const std::string path = ::ptsname(master_);
    slave_ = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    const winsize size{.ws_row = 30, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(slave_, TIOCSWINSZ, &size);
    ::tcgetattr(slave_, &modes_);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int fd : {0, 1, 2}) posix_spawn_file_actions_adddup2(&actions, slave_, fd);
    std::array<std::string, 6> words = {EFFACE_CLI,   "top",
                                        "--store",    desk.path() / "people",
                                        "--root-key", desk.path() / "eu.root"};
    std::array<char*, 7> arguments{};
    for (std::size_t i = 0; i < words.size(); ++i) arguments.at(i) = words.at(i).data();
    std::string level = "EFFACE_ACCEPT_LEVEL=L0";
    std::array<char*, 2> environment = {level.data(), nullptr};
    if (::posix_spawn(&child_, EFFACE_CLI, &actions, nullptr, arguments.data(),
                      environment.data()) != 0)
      child_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    ::close(slave_);
    ::close(master_);
  }

  // Reads until it shows the text.
  bool shows(std::string_view text) {
    while (seen_.find(text) == std::string::npos) {
      std::array<char, 4096> some{};
      const ssize_t got = ::read(master_, some.data(), some.size());
      if (got <= 0) return false;
      seen_.append(some.data(), static_cast<std::size_t>(got));
    }
    return true;
  }
  void press(char key) const { EXPECT_EQ(::write(master_, &key, 1), 1); }
  void signal(int number) const { ::kill(child_, number); }
  int status() const {
    int state = 0;
    if (::waitpid(child_, &state, 0) != child_) return -1;
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  }
  tcflag_t modes_before() const { return modes_.c_lflag; }
  tcflag_t modes() const {
    termios now{};
    ::tcgetattr(slave_, &now);
    return now.c_lflag;
  }

 private:
  int master_;
  int slave_ = -1;
  pid_t child_ = -1;
  termios modes_{};
  std::string seen_;
};

TEST(Top, GivesTheTerminalBackAsItWasHoweverItEnds) {
  const Desk desk;
  for (const int how : {0, SIGINT, SIGTERM}) {
    Terminal terminal(desk);
    ASSERT_TRUE(terminal.shows("region eu: assurance L"));
    // While it runs keys are neither echoed nor kept until a line ends.
    EXPECT_EQ(terminal.modes() & (ICANON | ECHO), 0u);
    if (how == 0) {
      terminal.press('x');
      terminal.press('q');
    } else {
      terminal.signal(how);
    }
    EXPECT_EQ(terminal.status(), 0) << how;
    EXPECT_TRUE(terminal.shows(leaves));
    EXPECT_EQ(terminal.modes(), terminal.modes_before());
    EXPECT_NE(terminal.modes() & ICANON, 0u);
  }
}

}  // namespace
