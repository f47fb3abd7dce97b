// What a failing disk leaves: LMDB's own system calls are replaced by those of this program.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "crypto/child.h"
#include "storage/environment_fixture.h"

namespace {

constexpr std::size_t meta_bytes_max = 512;  // LMDB writes a page, or a part of a meta page.

struct Faults {
  std::atomic<int> sync_error{0};
  std::atomic<int> page_error{0};
  std::atomic<int> meta_error{0};
};
Faults faults;

int answer(int code) {
  errno = code;
  return -1;
}

}  // namespace

extern "C" {
int fdatasync(int fd) {
  if (faults.sync_error != 0) return answer(faults.sync_error);
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  const int code = count <= meta_bytes_max ? faults.meta_error : faults.page_error;
  if (code != 0) return answer(code);
  return syscall(SYS_pwrite64, fd, bytes, count, offset);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  if (faults.page_error != 0) return answer(faults.page_error);
  return syscall(SYS_writev, fd, parts, count);
}
}

namespace efface::storage {
namespace {

class FailedCommit : public EnvironmentTest {
 protected:
  void TearDown() override { heal(); }
  static void heal() { faults.sync_error = faults.page_error = faults.meta_error = 0; }

  // Fills the environment until a put fails, with what that answered; nothing when none did.
  static std::optional<Errc> fill(const Environment& environment, Space space,
                                  std::uint64_t first) {
    const std::string value(20'000, 'v');
    for (std::uint64_t i = first; i < first + 100; ++i) {
      Status done;
      do {
        done = put(environment, numbered_key(i), value, space);
      } while (!done && done.error().code() == Errc::full && environment.can_grow());
      if (!done) return done.error().code();
    }
    return std::nullopt;
  }

  // The environment after a commit that failed: latched for good, and whole once it is open again.
  void expect_latched_and_whole(std::optional<Environment> environment) {
    heal();
    EXPECT_TRUE(environment->latched());
    EXPECT_EQ(code_of(environment->read()), "closed");
    EXPECT_EQ(code_of(environment->write(Space::removal)), "closed");
    EXPECT_EQ(code_of(environment->stats()), "closed");
    environment.reset();
    const auto again = reopen();
    ASSERT_TRUE(again);
    EXPECT_EQ(get(*again, "kept"), "value");
    EXPECT_TRUE(put(*again, "new", "value"));
  }
};

TEST_F(FailedCommit, AtTheSyncLatches) {
  std::optional<Environment> environment = create_and_open();
  ASSERT_TRUE(put(*environment, "kept", "value"));
  faults.sync_error = EIO;
  EXPECT_EQ(code_of(put(*environment, "lost", "value")), "outcome_unknown");
  expect_latched_and_whole(std::move(environment));
}

TEST_F(FailedCommit, AtTheMetaPageLatches) {
  std::optional<Environment> environment = create_and_open();
  ASSERT_TRUE(put(*environment, "kept", "value"));
  faults.meta_error = EIO;
  EXPECT_EQ(code_of(put(*environment, "lost", "value")), "outcome_unknown");
  expect_latched_and_whole(std::move(environment));
}

TEST_F(FailedCommit, AtAPageLatches) {
  std::optional<Environment> environment = create_and_open();
  ASSERT_TRUE(put(*environment, "kept", "value"));
  faults.page_error = EIO;
  EXPECT_EQ(code_of(put(*environment, "lost", "value")), "outcome_unknown");
  expect_latched_and_whole(std::move(environment));
}

TEST_F(FailedCommit, ForLackOfSpaceSaysSoAndLatches) {
  std::optional<Environment> environment = create_and_open();
  ASSERT_TRUE(put(*environment, "kept", "value"));
  faults.page_error = ENOSPC;
  EXPECT_EQ(code_of(put(*environment, "lost", "value")), "no_space");
  expect_latched_and_whole(std::move(environment));
}

TEST_F(FailedCommit, IsSeenByTheWriterThatWaited) {
  const Environment environment = create_and_open();
  auto first = environment.write(Space::ordinary);
  ASSERT_TRUE(first->put(as_bytes("one"), as_bytes("value")));
  std::string_view second_code;
  std::thread second([&] { second_code = code_of(put(environment, "two", "value")); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // Most likely it waits by now.
  faults.sync_error = EIO;
  EXPECT_EQ(code_of(std::move(*first).commit()), "outcome_unknown");
  second.join();
  EXPECT_EQ(second_code, "closed");
}

TEST_F(FailedCommit, LeavesASnapshotThatWasOpenReadable) {
  const Environment environment = create_and_open();
  ASSERT_TRUE(put(environment, "kept", "value"));
  const auto reader = environment.read();
  faults.sync_error = EIO;
  EXPECT_EQ(code_of(put(environment, "lost", "value")), "outcome_unknown");
  EXPECT_EQ(as_text(**reader->get(as_bytes("kept"))), "value");
}

TEST_F(FailedCommit, OverTheLimitOfTheProcessKeepsWhatWasCommitted) {
  create();
  const int status = test::in_child([&] {
    const auto environment = reopen();
    if (!environment || !put(*environment, "kept", "value")) return 1;
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{800'000, 800'000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    // Who adds is told before anything is written. What removes may use what is left.
    if (fill(*environment, Space::ordinary, 0) != Errc::no_space) return 3;
    if (environment->latched() || !remove(*environment, numbered_key(1))) return 4;
    const auto end = fill(*environment, Space::removal, 100);
    if (end != Errc::no_space && end != Errc::outcome_unknown) return 5;
    return environment->latched() ? 0 : 6;
  });
  EXPECT_TRUE(test::ended_well(status)) << WEXITSTATUS(status);
  const auto again = reopen();
  ASSERT_TRUE(again);
  EXPECT_EQ(get(*again, "kept"), "value");
  for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{100}})
    EXPECT_EQ(get(*again, numbered_key(i)), std::string(20'000, 'v'));
  EXPECT_TRUE(remove(*again, numbered_key(0)));
}

TEST_F(FailedCommit, OfAKilledWriterLeavesTheEnvironmentToOthers) {
  const Environment environment = create_and_open();
  ASSERT_TRUE(put(environment, "kept", "value"));
  const int status = test::in_child([&] {
    const auto own = reopen();
    const auto reader = own->read();
    auto txn = own->write(Space::ordinary);
    if (!reader || !txn || !txn->put(as_bytes("lost"), as_bytes("value"))) return 1;
    raise(SIGKILL);
    return 2;
  });
  EXPECT_TRUE(test::died_of(status, SIGKILL));
  EXPECT_TRUE(put(environment, "new", "value"));
  EXPECT_EQ(get(environment, "lost"), std::nullopt);
  EXPECT_EQ(get(environment, "kept"), "value");
}

using FailedCreation = FailedCommit;

TEST_F(FailedCreation, SaysSo) {
  faults.sync_error = EIO;
  const Status created = Environment::create(directory(), options_);
  faults.sync_error = 0;
  EXPECT_EQ(code_of(created), "io");
}

}  // namespace
}  // namespace efface::storage
