#include "storage/copy.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "storage/environment_fixture.h"
#include "storage/verify.h"
#include "storage/write_set.h"
#include "support/file_content.h"

namespace efface::storage {
namespace {

class Copy : public EnvironmentTest {
 protected:
  Copy() {
    std::filesystem::create_directory(target_.path() / "copy");
    std::filesystem::permissions(target_.path() / "copy", std::filesystem::perms::owner_all);
  }
  os::Directory into() const { return os::Directory::open(target_ / "copy").value(); }
  Status make(const Environment& source) const { return copy(source, into(), options_); }

  static bool holds(const std::filesystem::path& file, std::string_view text) {
    return test::file_content(file).find(text) != std::string::npos;
  }
  static mode_t mode_of(const std::filesystem::path& file) {
    struct stat found{};
    return ::stat(file.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
  }

  test::TempDirectory target_{"copy"};
};

TEST_F(Copy, HoldsEveryEntryAndPassesTheWalkOverItsPages) {
  const Environment source = create_and_open();
  for (std::uint64_t i = 0; i < 3000; ++i)
    ASSERT_TRUE(put_growing(source, numbered_key(i), std::string(i % 700, 'v')));
  ASSERT_TRUE(put_growing(source, "large", std::string(100'000, 'l')));
  ASSERT_TRUE(make(source));
  const auto copied = Environment::open(into(), options_);  // Which verifies the structure.
  ASSERT_TRUE(copied);
  EXPECT_EQ(copied->stats()->entries, 3001u);
  for (std::uint64_t i = 0; i < 3000; i += 97)
    EXPECT_EQ(get(*copied, numbered_key(i)), std::string(i % 700, 'v'));
  EXPECT_EQ(get(*copied, "large"), std::string(100'000, 'l'));
  EXPECT_LE(copied->stats()->used_bytes, source.stats()->used_bytes);
}

TEST_F(Copy, OfAnEmptyEnvironmentOpens) {
  const Environment source = create_and_open();
  ASSERT_TRUE(make(source));
  const auto copied = Environment::open(into(), options_);
  ASSERT_TRUE(copied);
  EXPECT_EQ(copied->stats()->entries, 0u);
}

// Small values lie in the slack of pages, larger ones in the tails of their own.
TEST_F(Copy, HasNoByteOfWhatWasRemovedOrOverwritten) {
  const Environment source = create_and_open();
  const auto value = [](std::string_view word, std::uint64_t i) {
    std::string out;
    while (out.size() < 40 + 613 * (i % 9)) out += word;
    return out;
  };
  for (std::uint64_t i = 0; i < 400; ++i)
    ASSERT_TRUE(put_growing(source, numbered_key(i), value("forgotten", i)));
  for (std::uint64_t i = 0; i < 400; ++i) {
    if (i % 2 == 0)
      ASSERT_TRUE(remove(source, numbered_key(i)));
    else
      ASSERT_TRUE(put_growing(source, numbered_key(i), value("kept", i + 4)));
  }
  ASSERT_TRUE(holds(room_ / "data.mdb", "forgotten"));
  ASSERT_TRUE(make(source));
  EXPECT_FALSE(holds(target_ / "copy/data.mdb", "forgotten"));
  EXPECT_TRUE(holds(target_ / "copy/data.mdb", "keptkept"));
}

TEST_F(Copy, IsReadableForItsOwnerAlone) {
  const Environment source = create_and_open();
  const mode_t before = ::umask(0);
  const Status made = make(source);
  ::umask(before);
  ASSERT_TRUE(made);
  EXPECT_EQ(mode_of(target_ / "copy/data.mdb"), 0600u);
  EXPECT_EQ(mode_of(target_ / "copy/lock.mdb"), 0600u);
}

TEST_F(Copy, IsRefusedWhereAnEnvironmentStands) {
  const Environment source = create_and_open();
  ASSERT_TRUE(make(source));
  EXPECT_EQ(code_of(make(source)), "exists");
}

TEST_F(Copy, StopsWhenWhoIsToldHowFarItIsAnswersAnError) {
  const Environment source = create_and_open();
  ASSERT_TRUE(put(source, "key", "value"));
  std::uint64_t told = 0;
  const Status stopped = copy(source, into(), options_, [&](std::uint64_t bytes) -> Status {
    told = bytes;
    return Error(Errc::closed, "told to stop");
  });
  EXPECT_EQ(code_of(stopped), "closed");
  EXPECT_EQ(told, 8u);
}

TEST_F(Copy, OfMuchIsCommittedAndToldInParts) {
  const Environment source = create_and_open();
  for (std::uint64_t i = 0; i < 20; ++i)
    ASSERT_TRUE(put_growing(source, numbered_key(i), std::string(std::size_t{1} << 20, 'v')));
  std::vector<std::uint64_t> told;
  ASSERT_TRUE(copy(source, into(), options_, [&](std::uint64_t bytes) -> Status {
    told.push_back(bytes);
    return {};
  }));
  ASSERT_EQ(told.size(), 2u);
  EXPECT_GE(told[0], std::uint64_t{16} << 20);
  EXPECT_LT(told[0], told[1]);
  EXPECT_EQ(Environment::open(into(), options_)->stats()->entries, 20u);
}

TEST_F(Copy, ThatDoesNotFitFailsAlone) {
  const Environment source = create_and_open();
  for (std::uint64_t i = 0; i < 64; ++i)
    ASSERT_TRUE(put_growing(source, numbered_key(i), std::string(60'000, 'v')));
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit little{1 << 20, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const Status refused = make(source);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  // LMDB sees a short write first, and cannot tell why.
  EXPECT_TRUE(code_of(refused) == "no_space" || code_of(refused) == "io");
  EXPECT_FALSE(source.latched());
  EXPECT_EQ(get(source, numbered_key(63)), std::string(60'000, 'v'));
}

// Each transaction puts two entries that agree: no snapshot ever has one of them alone.
TEST_F(Copy, IsOneSnapshotOfWhatIsWrittenMeanwhile) {
  const Environment source = create_and_open();
  for (std::uint64_t i = 0; i < 500; ++i)
    ASSERT_TRUE(put_growing(source, numbered_key(i), std::string(2000, 'v')));
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> written{0};
  std::thread writer([&] {
    for (std::uint64_t n = 1; !done; ++n) {
      auto txn = source.write(Space::ordinary);
      if (!txn) continue;
      const std::string value = std::to_string(n);
      if (!txn->put(as_bytes("a"), as_bytes(value))) continue;
      if (!txn->put(as_bytes("z"), as_bytes(value))) continue;
      if (std::move(*txn).commit()) written = n;
    }
  });
  while (written < 3) std::this_thread::yield();
  const std::uint64_t before = written;
  const Status made = make(source);
  done = true;
  writer.join();
  ASSERT_TRUE(made);
  const auto copied = Environment::open(into(), options_);
  ASSERT_TRUE(copied);
  ASSERT_TRUE(get(*copied, "a"));
  EXPECT_EQ(get(*copied, "a"), get(*copied, "z"));
  EXPECT_GE(std::stoull(*get(*copied, "a")), before);
  EXPECT_EQ(copied->stats()->entries, 502u);
}

TEST_F(Copy, LeavesRoomForWritersBeforeItBegins) {
  options_.map_bytes = std::size_t{1} << 20;
  const Environment source = create_and_open();
  for (std::uint64_t i = 0; i < 300; ++i)
    ASSERT_TRUE(put_growing(source, numbered_key(i), std::string(2000, 'v')));
  ASSERT_TRUE(make(source));
  const auto stats = source.stats();
  EXPECT_GE(stats->map_bytes, 2 * stats->used_bytes);
}

TEST_F(Copy, AppendsInOrderAlone) {
  const Environment environment = create_and_open();
  auto txn = environment.write(Space::removal);
  ASSERT_TRUE(txn);
  ASSERT_TRUE(txn->append(as_bytes("b"), as_bytes("1")));
  EXPECT_EQ(code_of(txn->append(as_bytes("a"), as_bytes("2"))), "corruption");
}

class WriteSetClaim : public Copy {};

TEST_F(WriteSetClaim, DoneAgainMakesTwoEnvironmentsAlike) {
  const Environment first = create_and_open();
  ASSERT_TRUE(put(first, "gone", "1"));
  ASSERT_TRUE(make(first));
  const auto second = Environment::open(into(), options_);
  ASSERT_TRUE(second);

  WriteSet changes;
  {
    auto txn = first.write(Space::ordinary);
    ASSERT_TRUE(txn);
    txn->record(changes);
    ASSERT_TRUE(txn->put(as_bytes("a"), as_bytes("1")));
    ASSERT_TRUE(txn->put(as_bytes("a"), as_bytes("2")));
    ASSERT_TRUE(txn->put(as_bytes("empty"), {}));
    ASSERT_TRUE(txn->put(as_bytes("b"), as_bytes(std::string(9000, 'b'))));
    ASSERT_TRUE(txn->put(as_bytes("c"), as_bytes("3")));
    ASSERT_TRUE(txn->remove(as_bytes("c")));
    ASSERT_TRUE(txn->remove(as_bytes("gone")));
    ASSERT_TRUE(txn->remove(as_bytes("never there")));
    ASSERT_TRUE(std::move(*txn).commit());
  }
  auto again = second->write(Space::ordinary);
  ASSERT_TRUE(again);
  ASSERT_TRUE(changes.apply(*again));
  ASSERT_TRUE(std::move(*again).commit());
  for (const char* key : {"a", "b", "c", "empty", "gone"})
    EXPECT_EQ(get(first, key), get(*second, key));
  EXPECT_EQ(get(*second, "a"), "2");
  EXPECT_EQ(second->stats()->entries, 3u);
}

TEST_F(WriteSetClaim, IsEmptyWhereNothingWasChanged) {
  const Environment environment = create_and_open();
  WriteSet changes;
  auto txn = environment.write(Space::ordinary);
  ASSERT_TRUE(txn);
  txn->record(changes);
  ASSERT_TRUE(txn->get(as_bytes("a")));
  EXPECT_TRUE(changes.empty());
  ASSERT_TRUE(txn->put(as_bytes("a"), as_bytes("1")));
  EXPECT_FALSE(changes.empty());
}

}  // namespace
}  // namespace efface::storage
