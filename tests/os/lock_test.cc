#include "os/lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "crypto/child.h"
#include "support/temp_directory.h"

namespace efface::os {
namespace {

class FileLocks : public testing::Test {
 protected:
  Result<FileLock> acquire() const { return FileLock::acquire(directory_, "lock"); }
  bool is_busy() const {
    const auto tried = acquire();
    return !tried && tried.error().code() == Errc::busy;
  }

  test::TempDirectory room_;
  Directory directory_ = Directory::open(room_.path()).value();
};

// A process that runs `first`, says so, and then waits to be killed.
class Holder {
 public:
  template <class F>
  explicit Holder(F&& first) {
    std::array<int, 2> ready{};
    if (pipe(ready.data()) != 0) std::abort();
    child_ = fork();
    if (child_ == 0) {
      const auto kept = first();
      const char byte = kept ? 'y' : 'n';
      if (::write(ready[1], &byte, 1) != 1) _exit(1);
      for (;;) pause();
    }
    char byte = 'n';
    is_holding_ = ::read(ready[0], &byte, 1) == 1 && byte == 'y';
    ::close(ready[0]);
    ::close(ready[1]);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { kill(); }
  bool is_holding() const { return is_holding_; }
  void kill() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = 0;
  }

 private:
  pid_t child_ = 0;
  bool is_holding_ = false;
};

TEST_F(FileLocks, AreHeldByOne) {
  std::optional<FileLock> held = acquire().value();
  EXPECT_TRUE(is_busy());
  FileLock moved = std::move(*held);
  held.reset();
  EXPECT_TRUE(is_busy());
  {
    const FileLock ended = std::move(moved);
  }
  EXPECT_FALSE(is_busy());
}

TEST_F(FileLocks, OutliveAnotherDescriptorOfTheFile) {
  const FileLock held = acquire().value();
  {
    const auto other = File::open(directory_, "lock", File::Access::read_write).value();
  }
  EXPECT_TRUE(is_busy());
}

TEST_F(FileLocks, PassToAnotherProcessWhenTheHolderIsKilled) {
  Holder holder([&] { return acquire(); });
  ASSERT_TRUE(holder.is_holding());
  EXPECT_TRUE(is_busy());
  holder.kill();
  EXPECT_FALSE(is_busy());
}

TEST_F(FileLocks, AreNotKeptByAChildOfTheHolder) {
  std::optional<FileLock> held = acquire().value();
  const Holder child([] { return true; });
  ASSERT_TRUE(child.is_holding());
  EXPECT_TRUE(is_busy());
  held.reset();
  EXPECT_FALSE(is_busy());
}

TEST_F(FileLocks, InAChildCloseNothingOfItsOwn) {
  auto held = std::make_unique<FileLock>(acquire().value());
  const int status = test::in_child([&] {
    const Descriptor mine(::open("/dev/null", O_RDONLY | O_CLOEXEC));  // The lowest number free.
    held.reset();
    return fcntl(mine.get(), F_GETFD) >= 0 ? 0 : 1;
  });
  EXPECT_TRUE(test::ended_well(status));
  EXPECT_TRUE(is_busy());
}

TEST_F(FileLocks, CreateTheirFileForTheOwnerAlone) {
  const FileLock held = acquire().value();
  struct stat found{};
  ASSERT_EQ(lstat((room_ / "lock").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600U);
}

TEST_F(FileLocks, RefuseAFileThatIsNotSafelyOurs) {
  std::ofstream(room_ / "victim") << "x";
  std::filesystem::create_symlink("victim", room_ / "lock");
  EXPECT_EQ(acquire().error().code(), Errc::unsafe_path);
  std::filesystem::remove(room_ / "lock");
  std::ofstream(room_ / "lock") << "x";
  ASSERT_EQ(chmod((room_ / "lock").c_str(), 0666), 0);
  EXPECT_EQ(acquire().error().code(), Errc::unsafe_path);
}

TEST(ForkGeneration, ChangesInTheChildAlone) {
  const std::uint64_t before = fork_generation();
  const int status = test::in_child([&] { return fork_generation() != before ? 0 : 1; });
  EXPECT_TRUE(test::ended_well(status));
  EXPECT_EQ(fork_generation(), before);
}

}  // namespace
}  // namespace efface::os
