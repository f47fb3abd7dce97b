// What a backup holds, and what it does not.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include "support/file_content.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

template <class T>
std::string_view code_of(const Result<T>& result) {
  return result ? "" : name(result.error().code());
}

// Which nothing makes smaller.
std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

class BackupClaim : public StoreTest {
 protected:
  fs::path target() const { return home_ / "backup"; }
  Result<BackupReport> back_up() { return store_->backup({.target = target()}); }

  // Handles keep a store open: none is kept.
  void put(std::string_view id, std::string_view record, std::string_view value) {
    ASSERT_TRUE(activity().put(SubjectId(id), region(), RecordName(record), as_bytes(value)));
  }
  // The records as they are, exchanged for those of the backup.
  void put_back() {
    close();
    const auto restored = Store::restore(options(), {.records = target()});
    ASSERT_TRUE(restored) << name(restored.error().code()) << ": " << restored.error().note();
    reopen();
  }
  std::string value_of(std::string_view id, std::string_view record) {
    return text_of(activity().get(tenant_->subject(SubjectId(id)).value(), RecordName(record)));
  }
  // Nothing in it can be read or passed by anybody but its owner.
  void expect_private() const {
    for (const auto& entry : fs::recursive_directory_iterator(target())) {
      struct stat found{};
      ASSERT_EQ(::lstat(entry.path().c_str(), &found), 0);
      EXPECT_EQ(found.st_mode & 07777U, S_ISDIR(found.st_mode) ? 0700U : 0600U);
    }
  }
};

TEST_F(BackupClaim, HoldsTheRecordsAndNoKey) {
  put("alice", "film", "a value in clear");
  const mode_t before = ::umask(0);
  const auto made = back_up();
  ::umask(before);
  ASSERT_TRUE(made) << name(made.error().code()) << ": " << made.error().note();
  ASSERT_EQ(made->regions.size(), 1u);
  EXPECT_GT(made->regions[0].keyring_sequence, 0u);
  EXPECT_EQ(made->regions[0].bytes, fs::file_size(target() / "eu/records/data.mdb"));
  expect_private();
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(target()))
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), target()).string());
  EXPECT_THAT(files, testing::UnorderedElementsAre("store.info", "manifest", "eu/region.info",
                                                   "eu/records/data.mdb"));
  for (const std::string& file : files) {
    EXPECT_EQ(file_content(target() / file).find("a value in clear"), std::string::npos);
    EXPECT_EQ(file_content(target() / file).find("alice"), std::string::npos);
  }
  EXPECT_TRUE(Store::verify_backup(target()));
  ASSERT_NO_FATAL_FAILURE(put_back());
  EXPECT_EQ(value_of("alice", "film"), "a value in clear");
}

// With the keyring as it is now, a backup of before shows nothing of who was erased since.
TEST_F(BackupClaim, GivesNobodyBackWhoWasErasedSince) {
  put("kept", "film", "hers");
  put("gone", "film", "was there");
  ASSERT_TRUE(back_up());
  ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId("gone")).value()));
  ASSERT_NO_FATAL_FAILURE(put_back());
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("gone"))), "subject_unknown");
  EXPECT_EQ(value_of("kept", "film"), "hers");
}

// Its ciphertext is known from the live file, where it still is.
TEST_F(BackupClaim, HasNoCiphertextOfWhatWasRemoved) {
  const std::string records = home_ / "store/eu/records/data.mdb";
  put("alice", "film", noise(1500));
  const std::string before = file_content(records);
  ASSERT_TRUE(activity().remove(tenant_->subject(SubjectId("alice")).value(), RecordName("film")));
  ASSERT_TRUE(back_up());
  const std::string live = file_content(records);
  const std::string backup = file_content(target() / "eu/records/data.mdb");
  int left_behind = 0;
  constexpr std::size_t piece_bytes = 64;  // The record is some twenty of them.
  for (std::size_t at = 0; at + piece_bytes <= before.size(); at += piece_bytes) {
    const std::string piece = before.substr(at, piece_bytes);
    if (piece.find_first_not_of('\0') == std::string::npos) continue;
    if (live.find(piece) != std::string::npos && backup.find(piece) == std::string::npos)
      ++left_behind;
  }
  EXPECT_GE(left_behind, 20);
}

TEST_F(BackupClaim, HasEverythingThatWasAcknowledgedBeforeItBegan) {
  constexpr int writers = 4;
  constexpr int people = 24;
  std::vector<std::string> ids;
  for (int i = 0; i < people; ++i) ids.push_back("p" + std::to_string(i));
  for (const std::string& id : ids) put(id, "first", "one");
  for (int i = 0; i < people; ++i) put("erased" + std::to_string(i), "first", "one");

  std::atomic<bool> done{false};
  std::array<std::atomic<int>, writers> acknowledged{};
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] {
      const Subject subject = tenant_->subject(SubjectId(ids[static_cast<std::size_t>(w)])).value();
      const Activity writing = activity();
      for (int n = 1; !done; ++n) {
        const std::string record = "n" + std::to_string(n);
        if (!writing.put(subject, RecordName(record), as_bytes("value"))) continue;
        acknowledged[static_cast<std::size_t>(w)] = n;
      }
    });
  threads.emplace_back([&] {
    for (int i = 0; i < people && !done; ++i) {
      auto subject = tenant_->subject(SubjectId("erased" + std::to_string(i)));
      ASSERT_TRUE(subject);
      ASSERT_TRUE(tenant_->erase(*std::move(subject)));
    }
  });
  for (const auto& count : acknowledged)
    while (count < 2) std::this_thread::yield();
  std::array<int, writers> before{};
  for (int w = 0; w < writers; ++w)
    before[static_cast<std::size_t>(w)] = acknowledged[static_cast<std::size_t>(w)];
  const auto made = back_up();
  done = true;
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(made) << name(made.error().code()) << ": " << made.error().note();
  ASSERT_TRUE(Store::verify_backup(target()));
  ASSERT_NO_FATAL_FAILURE(put_back());
  for (int i = 0; i < people; ++i) {
    const std::string& id = ids[static_cast<std::size_t>(i)];
    EXPECT_EQ(value_of(id, "first"), "one");
    if (i >= writers) continue;
    for (int n = 1; n <= before[static_cast<std::size_t>(i)]; ++n)
      EXPECT_EQ(value_of(id, "n" + std::to_string(n)), "value");
  }
}

TEST_F(BackupClaim, ReplacesNothing) {
  fs::create_directory(target());
  EXPECT_EQ(code_of(back_up()), "exists");
  EXPECT_TRUE(fs::is_empty(target()));
}

TEST_F(BackupClaim, IsRefusedInsideTheData) {
  EXPECT_EQ(code_of(store_->backup({.target = home_ / "store/backup"})), "unsafe_path");
  EXPECT_EQ(code_of(store_->backup({.target = home_ / "store/eu/backup"})), "unsafe_path");
  EXPECT_EQ(code_of(store_->backup({.target = ""})), "invalid_argument");
}

TEST_F(BackupClaim, ThatFailsLeavesNothing) {
  const std::string large = noise(1 << 20);
  put("alice", "film", large);
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit little{64 << 10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const auto made = back_up();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(made);
  EXPECT_FALSE(fs::exists(target()));
  EXPECT_FALSE(fs::exists(home_ / "backup.new"));
  EXPECT_EQ(value_of("alice", "film"), large);
  EXPECT_TRUE(back_up());
}

TEST_F(BackupClaim, TellsHowFarItIs) {
  put("alice", "film", "good");
  std::vector<std::string> told;
  std::uint64_t last = 0;
  ASSERT_TRUE(store_->backup({.target = target(), .on_progress = [&](const BackupProgress& now) {
                                told.emplace_back(now.region);
                                EXPECT_GE(now.bytes, last);
                                EXPECT_GT(now.bytes_expected, 0u);
                                last = now.bytes;
                              }}));
  EXPECT_THAT(told, testing::Contains("eu"));
  EXPECT_GT(last, 0u);
}

// What a call said of how far it was: it rises, to all there is.
class Said {
 public:
  OnProgress hear() {
    return [this](const Progress& at) {
      EXPECT_GE(at.done, last_.done);
      EXPECT_GE(at.total, at.done);
      last_ = at;
      ++times_;
    };
  }
  std::size_t times() const { return times_; }
  std::uint64_t in_all() const { return last_.done == last_.total ? last_.total : 0; }

 private:
  Progress last_;
  std::size_t times_ = 0;
};

TEST_F(BackupClaim, IsVerifiedAndPutBackByWhatSaysHowFarItIs) {
  put("alice", "film", noise(3'000'000));
  const auto made = back_up();
  ASSERT_TRUE(made);
  const std::uint64_t bytes = made->regions[0].bytes;
  Said verifying;
  ASSERT_TRUE(Store::verify_backup(target(), verifying.hear()));
  EXPECT_EQ(verifying.in_all(), bytes);
  EXPECT_GT(verifying.times(), 3u);
  close();
  Said restoring;
  ASSERT_TRUE(Store::restore(options(), {.records = target(), .on_progress = restoring.hear()}));
  EXPECT_EQ(restoring.in_all(), bytes);
  EXPECT_GT(restoring.times(), verifying.times());
  Said nothing;  // No backup, no byte of one.
  ASSERT_TRUE(Store::restore(options(), {.on_progress = nothing.hear()}));
  EXPECT_EQ(nothing.times(), 1u);
  EXPECT_EQ(nothing.in_all(), 0u);
}

TEST_F(BackupClaim, SaysNotThatItIsThroughWhereItIsNotWhole) {
  put("alice", "film", noise(3'000'000));
  const auto made = back_up();
  ASSERT_TRUE(made);
  const fs::path data = target() / "eu/records/data.mdb";
  std::string bytes = file_content(data);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  std::ofstream(data, std::ios::binary) << bytes;
  Said verifying;
  EXPECT_EQ(code_of(Store::verify_backup(target(), verifying.hear())), "corruption");
  EXPECT_EQ(verifying.in_all(), 0u);
}

TEST_F(BackupClaim, IsNotWholeWithAnyByteChangedOrAnyPartMissing) {
  put("alice", "film", "good");
  ASSERT_TRUE(back_up());
  ASSERT_TRUE(Store::verify_backup(target()));
  for (const char* part : {"manifest", "store.info", "eu/region.info", "eu/records/data.mdb"}) {
    const std::string whole = file_content(target() / part);
    const auto write = [&](const std::string& bytes) {
      std::ofstream(target() / part, std::ios::binary | std::ios::trunc) << bytes;
    };
    for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 61) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      write(changed);
      EXPECT_EQ(code_of(Store::verify_backup(target())), "corruption");
    }
    write(whole.substr(0, whole.size() / 2));
    EXPECT_EQ(code_of(Store::verify_backup(target())), "corruption");
    write(whole + "x");
    EXPECT_EQ(code_of(Store::verify_backup(target())), "corruption");
    fs::rename(target() / part, home_ / "away");
    EXPECT_EQ(code_of(Store::verify_backup(target())), "corruption");
    fs::rename(home_ / "away", target() / part);
    write(whole);
  }
  EXPECT_TRUE(Store::verify_backup(target()));
  EXPECT_EQ(code_of(Store::verify_backup(home_ / "nothing")), "store_missing");
}

}  // namespace
}  // namespace efface::test
