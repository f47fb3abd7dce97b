#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>

#include "efface/file_root_key_store.h"
#include "keyring/root_key_file.h"
#include "os/file.h"
#include "os/in_place.h"
#include "support/temp_directory.h"

namespace efface {
namespace {

using test::system_calls;
using testing::ElementsAre;

using Root = std::array<std::byte, 32>;

template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc{} : result.error().code();
}

Root some_root() {
  Root root;
  root.fill(std::byte{0x5a});
  return root;
}

class StoreOnMedium : public testing::Test {
 protected:
  explicit StoreOnMedium(test::Medium medium) : directory_("root", medium) {
    system_calls().reset();
  }
  ~StoreOnMedium() override { system_calls().reset(); }

  FileRootKeyStoreOptions options() const { return {.path = path()}; }
  std::filesystem::path path() const { return directory_ / "root.key"; }

  // With the epochs 1, in the first slot, and 2.
  void make() {
    Result<std::unique_ptr<FileRootKeyStore>> made = FileRootKeyStore::create(options());
    ASSERT_EQ(code_of(made), Errc{});
    store_ = std::move(*made);
    ASSERT_TRUE(store_->create(1, Anchor{.epoch = 1}));
    ASSERT_TRUE(store_->create(2, Anchor{.epoch = 2}));
    under_1_ = *store_->wrap(1, as_bytes("region"), some_root());
    under_2_ = *store_->wrap(2, as_bytes("region"), some_root());
    system_calls().reset();
  }
  void reopen() {
    store_.reset();
    Result<std::unique_ptr<FileRootKeyStore>> opened = FileRootKeyStore::open(options());
    ASSERT_EQ(code_of(opened), Errc{});
    store_ = std::move(*opened);
  }
  Status rotate() { return store_->rotate(1, 3, Anchor{.epoch = 3}); }
  bool unwraps(Epoch epoch, Bytes wrapped) const {
    Root out{};
    return store_->unwrap(epoch, as_bytes("region"), wrapped, out) && out == some_root();
  }

  // Every call that has an answer of its own.
  std::vector<Errc> all_codes() const {
    Root out{};
    return {code_of(store_->list()),
            code_of(store_->anchor()),
            code_of(store_->create(9, {})),
            code_of(store_->wrap(2, as_bytes("region"), some_root())),
            code_of(store_->unwrap(2, as_bytes("region"), under_2_, out)),
            code_of(store_->rotate(2, 10, {})),
            code_of(store_->destroy(2))};
  }

  test::TempDirectory directory_;
  std::unique_ptr<FileRootKeyStore> store_;
  std::vector<std::byte> under_1_;
  std::vector<std::byte> under_2_;
};

class FileRootKeyStoreFaults : public StoreOnMedium {
 protected:
  FileRootKeyStoreFaults() : StoreOnMedium(test::Medium::any) { make(); }
};

class FileRootKeyStoreCreation : public StoreOnMedium {
 protected:
  FileRootKeyStoreCreation() : StoreOnMedium(test::Medium::any) {}
};

// Real extents: what tmpfs does not have.
class FileRootKeyStoreOnDisk : public StoreOnMedium {
 protected:
  FileRootKeyStoreOnDisk() : StoreOnMedium(test::on_disk) {}

  void SetUp() override {
    const Result<os::Directory> directory = os::Directory::open(directory_.path());
    ASSERT_TRUE(directory);
    const Result<os::File> probe = os::File::create(*directory, "probe");
    ASSERT_TRUE(probe);
    ASSERT_TRUE(probe->write_at(0, std::array<std::byte, 4096>{}));
    const std::optional<os::Extent> extent = os::extent_of(*probe, 0);
    if (os::file_system_of(probe->fd()) != os::FileSystem::in_place || !extent)
      GTEST_SKIP() << "needs a file system with extents";
    if (os::may_journal_data(*probe))
      GTEST_SKIP() << "needs a file system with extents whose mount options can be seen";
    make();
  }
};

TEST_F(FileRootKeyStoreFaults, ARotationIsOneWriteOfASectorAndOneSync) {
  ASSERT_TRUE(rotate());
  EXPECT_EQ(system_calls().pwrites, 1u);
  EXPECT_EQ(system_calls().pwritten_bytes, 512u);
  EXPECT_EQ(system_calls().fdatasyncs, 1u);
}

TEST_F(FileRootKeyStoreFaults, ReadingCallsWriteNothing) {
  ASSERT_TRUE(store_->list() && store_->anchor() && unwraps(1, under_1_));
  ASSERT_TRUE(store_->wrap(1, {}, some_root()));
  ASSERT_TRUE(store_->destroy(77));
  EXPECT_EQ(system_calls().pwrites, 0u);
}

TEST_F(FileRootKeyStoreFaults, AFailedWriteLeavesBothEpochs) {
  for (const int code : {EIO, ENOSPC, EDQUOT}) {
    system_calls().pwrite_errno = code;
    const Status rotated = rotate();
    ASSERT_FALSE(rotated);
    EXPECT_EQ(rotated.error().code(), code == EIO ? Errc::io : Errc::no_space);
    EXPECT_EQ(rotated.error().system_code(), code);
    EXPECT_THAT(*store_->list(), ElementsAre(1, 2));
    EXPECT_TRUE(unwraps(1, under_1_) && unwraps(2, under_2_));
    EXPECT_FALSE(store_->destroy(1));
    EXPECT_FALSE(store_->destroy(2));
    EXPECT_THAT(*store_->list(), ElementsAre(1, 2));
  }
  system_calls().reset();
  EXPECT_TRUE(rotate());
  EXPECT_THAT(*store_->list(), ElementsAre(2, 3));
}

// The page cache has the new slot, and nobody knows what the medium has.
TEST_F(FileRootKeyStoreFaults, AfterAFailedSyncNothingIsClaimedBeforeAnotherHasSucceeded) {
  system_calls().fdatasync_errno = EIO;
  EXPECT_EQ(code_of(rotate()), Errc::io);
  EXPECT_EQ(code_of(store_->list()), Errc::io);
  EXPECT_EQ(code_of(store_->destroy(1)), Errc::io);
  EXPECT_EQ(code_of(store_->wrap(3, {}, some_root())), Errc::io);
  EXPECT_TRUE(unwraps(2, under_2_));

  system_calls().reset();
  EXPECT_THAT(*store_->list(), ElementsAre(2, 3));
  EXPECT_EQ(system_calls().pwrites, 1u);
  EXPECT_EQ(system_calls().fdatasyncs, 1u);
  EXPECT_EQ(store_->anchor()->epoch, 3u);
  reopen();
  EXPECT_THAT(*store_->list(), ElementsAre(2, 3));
}

TEST_F(FileRootKeyStoreFaults, AFailedSyncOfADestructionIsMadeGood) {
  const std::vector<std::byte> key = test::key_in(test::read_raw(path()), 0);
  system_calls().fdatasync_errno = EIO;
  system_calls().fdatasync_failures_left = 1;
  EXPECT_EQ(code_of(store_->destroy(1)), Errc::io);
  EXPECT_TRUE(store_->destroy(1));
  EXPECT_GT(system_calls().fdatasyncs, 1u);
  EXPECT_THAT(*store_->list(), ElementsAre(2));
  EXPECT_FALSE(test::holds(test::read_raw(path()), key));
}

TEST_F(FileRootKeyStoreFaults, AWriteThatIsLostIsNoticed) {
  system_calls().pwrites_lost = true;
  EXPECT_EQ(code_of(rotate()), Errc::io);
  EXPECT_EQ(code_of(store_->destroy(1)), Errc::io);
  EXPECT_TRUE(unwraps(1, under_1_));
  system_calls().reset();
  EXPECT_THAT(*store_->list(), ElementsAre(1, 2));
  EXPECT_TRUE(rotate());
}

TEST_F(FileRootKeyStoreFaults, AFileThatCannotBeReadAfterAFailureClosesTheStore) {
  system_calls().fdatasync_errno = EIO;
  system_calls().pread_errno = EIO;
  EXPECT_EQ(code_of(rotate()), Errc::io);
  system_calls().reset();
  // unwrap too: what was held is wiped.
  EXPECT_THAT(all_codes(), testing::Each(Errc::closed));
  reopen();
  EXPECT_THAT(*store_->list(), ElementsAre(2, 3));
}

// Whatever call fails, however often: what is listed afterwards can be unwrapped, what is not
// listed stands nowhere in the file, and the store works again.
TEST_F(FileRootKeyStoreFaults, EveryFailureLeavesAListThatIsTrue) {
  const test::RawFile start = test::read_raw(path());
  const std::vector<std::byte> key_1 = test::key_in(start, 0);
  for (const bool write_fails : {true, false}) {
    for (const int failures : {1, 2, 3}) {
      store_.reset();
      test::write_raw(path(), start);
      reopen();
      if (write_fails)
        system_calls().pwrite_errno = EIO;
      else
        system_calls().fdatasync_errno = EIO;
      system_calls().fdatasync_failures_left = failures;
      for (int attempt = 0; attempt < failures; ++attempt) ASSERT_FALSE(rotate());
      system_calls().reset();
      const Result<std::vector<Epoch>> listed = store_->list();
      ASSERT_TRUE(listed);
      const bool holds_1 = std::ranges::find(*listed, Epoch{1}) != listed->end();
      EXPECT_EQ(holds_1, unwraps(1, under_1_));
      EXPECT_EQ(holds_1, test::holds(test::read_raw(path()), key_1));
      EXPECT_TRUE(unwraps(2, under_2_));
      EXPECT_TRUE(store_->destroy(1));
      EXPECT_FALSE(test::holds(test::read_raw(path()), key_1));
    }
  }
}

TEST_F(FileRootKeyStoreCreation, LeavesNothingWhenItFails) {
  const auto expect_failure = [&](Errc code) {
    EXPECT_EQ(code_of(FileRootKeyStore::create(options())), code);
    EXPECT_FALSE(std::filesystem::exists(path()));
    system_calls().reset();
  };
  system_calls().pwrite_errno = ENOSPC;
  expect_failure(Errc::no_space);
  system_calls().fsync_errno = EIO;
  expect_failure(Errc::io);
  system_calls().fdatasync_errno = EIO;
  expect_failure(Errc::io);
  system_calls().pread_errno = EIO;
  expect_failure(Errc::io);
  system_calls().pwrites_lost = true;
  expect_failure(Errc::io);
  system_calls().file_system_magic = BTRFS_SUPER_MAGIC;
  expect_failure(Errc::assurance_too_low);
  EXPECT_EQ(code_of(FileRootKeyStore::create(options())), Errc{});
}

TEST_F(FileRootKeyStoreCreation, OnAFileSystemThatCopiesOnWriteNeedsL0ToBeAccepted) {
  make();
  store_.reset();
  for (const long magic :
       {long{BTRFS_SUPER_MAGIC}, long{OVERLAYFS_SUPER_MAGIC}, long{NFS_SUPER_MAGIC}, 0x0badf00dL}) {
    system_calls().file_system_magic = magic;
    EXPECT_EQ(code_of(FileRootKeyStore::open(options())), Errc::assurance_too_low);
    FileRootKeyStoreOptions accepted = options();
    accepted.accept_l0 = true;
    const Result<std::unique_ptr<FileRootKeyStore>> opened = FileRootKeyStore::open(accepted);
    ASSERT_EQ(code_of(opened), Errc{});
    EXPECT_EQ((*opened)->assurance().level, AssuranceLevel::l0_logical);
    EXPECT_STRNE((*opened)->assurance().rests_on, "");
  }
}

TEST_F(FileRootKeyStoreCreation, InMemoryIsOverwrittenUnverified) {
  make();
  system_calls().file_system_magic = TMPFS_MAGIC;
  reopen();
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l1_overwritten);
  ASSERT_TRUE(rotate());
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l1_overwritten);
}

TEST_F(FileRootKeyStoreOnDisk, IsVerifiedByTheSameExtent) {
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l2_overwrite_verified);
  ASSERT_TRUE(rotate());
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l2_overwrite_verified);
  ASSERT_TRUE(store_->destroy(2));
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l2_overwrite_verified);
  reopen();
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l2_overwrite_verified);
}

TEST_F(FileRootKeyStoreOnDisk, IsOnlyLogicalWhenTheOverwriteMoved) {
  system_calls().moves_bytes = 4096;
  ASSERT_TRUE(rotate());
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l0_logical);
  // And is remembered: the slot says where it was meant to be.
  system_calls().reset();
  system_calls().moves_bytes = 4096;
  system_calls().pwrites = 1;
  reopen();
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l1_overwritten);
}

TEST_F(FileRootKeyStoreOnDisk, IsOnlyLogicalWhileItsExtentIsShared) {
  system_calls().extents_shared = true;
  ASSERT_TRUE(rotate());
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l0_logical);
  store_.reset();
  EXPECT_EQ(code_of(FileRootKeyStore::open(options())), Errc::assurance_too_low);
}

// The original of a copy still has the keys; so it is until they are replaced.
TEST_F(FileRootKeyStoreOnDisk, IsUnverifiedForKeysThatWereCopied) {
  store_.reset();
  const test::RawFile bytes = test::read_raw(path());
  std::filesystem::rename(path(), directory_ / "original.key");
  test::write_raw(path(), bytes);
  reopen();
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l1_overwritten);
  ASSERT_TRUE(store_->rotate(1, 3, {}));
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l1_overwritten);
  ASSERT_TRUE(store_->rotate(2, 4, {}));
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l1_overwritten);
  ASSERT_TRUE(store_->rotate(3, 5, {}));
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l2_overwrite_verified);
}

// A key that was copied stays one while others come and go.
TEST_F(FileRootKeyStoreOnDisk, IsAsUnverifiedAsItsWorstKey) {
  store_.reset();
  const test::RawFile bytes = test::read_raw(path());
  std::filesystem::rename(path(), directory_ / "original.key");
  test::write_raw(path(), bytes);
  reopen();
  ASSERT_TRUE(store_->destroy(1));
  ASSERT_TRUE(store_->create(3, {}));
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l1_overwritten);
}

TEST_F(FileRootKeyStoreOnDisk, IsUnverifiedWhenDataMayPassThroughAJournal) {
  struct stat found{};
  ASSERT_EQ(stat(path().c_str(), &found), 0);
  const std::string device =
      std::to_string(major(found.st_dev)) + ':' + std::to_string(minor(found.st_dev));
  const auto level_with = [&](const std::string& mountinfo) {
    system_calls().mountinfo = mountinfo;
    reopen();
    return store_->assurance().level;
  };
  const std::string other = "20 1 4095:77 / /other rw - ext4 /dev/other rw,data=journal\n";
  const std::string ours = "21 1 " + device + " / /ours rw,relatime shared:1 - ext4 /dev/ours ";
  EXPECT_EQ(level_with(other + ours + "rw,discard\n"), AssuranceLevel::l2_overwrite_verified);
  EXPECT_EQ(level_with(ours + "rw,data=ordered\n"), AssuranceLevel::l2_overwrite_verified);
  EXPECT_EQ(level_with(ours + "rw,data=journal,discard\n"), AssuranceLevel::l1_overwritten);
  EXPECT_EQ(level_with(other + ours + "rw,data=journal"), AssuranceLevel::l1_overwritten);
  EXPECT_EQ(level_with(other), AssuranceLevel::l1_overwritten) << "not listed";
  EXPECT_EQ(level_with(""), AssuranceLevel::l1_overwritten) << "cannot be read";
  system_calls().reset();
  system_calls().attribute_journals_data = true;
  reopen();
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l1_overwritten);
}

TEST_F(FileRootKeyStoreOnDisk, NoticesAMediumThatKeptTheOldKey) {
  system_calls().stale_medium = test::read_raw(path());
  EXPECT_EQ(code_of(rotate()), Errc::io);
  EXPECT_EQ(code_of(store_->list()), Errc::io);
  system_calls().reset();
  EXPECT_THAT(*store_->list(), ElementsAre(2, 3));
}

// An earlier process saw its sync fail and ended; the cache has what the medium has not.
TEST_F(FileRootKeyStoreOnDisk, WritesAgainWhatAnEarlierProcessLeftInTheCache) {
  const test::RawFile stale = test::read_raw(path());
  ASSERT_TRUE(rotate());
  store_.reset();
  system_calls().stale_medium = stale;
  EXPECT_EQ(code_of(FileRootKeyStore::open(options())), Errc::io);
  EXPECT_GE(system_calls().pwrites, 1u);
  system_calls().reset();
  reopen();
  EXPECT_THAT(*store_->list(), ElementsAre(2, 3));
  EXPECT_EQ(system_calls().pwrites, 0u);
}

// What follows looks through the memory of the process, which under the address sanitizer has its
// own in it, a minute of it.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EFFACE_TEST_MEMORY_IS_NOT_OURS
#endif
#endif
#ifndef EFFACE_TEST_MEMORY_IS_NOT_OURS

// Whether a key stands anywhere in this process. The key is given masked, so as not to find that.
bool memory_holds(const Root& masked_key, std::byte mask) {
  std::FILE* maps = std::fopen("/proc/self/maps", "re");
  const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  if (maps == nullptr || memory < 0) std::abort();
  static std::array<std::byte, 1 << 16> window;  // One place, overwritten by every read.
  bool found = false;
  unsigned long start = 0;
  unsigned long end = 0;
  std::array<char, 5> access{};
  while (!found && std::fscanf(maps, "%lx-%lx %4s%*[^\n]", &start, &end, access.data()) == 3) {
    if (access[0] != 'r' || access[1] != 'w' || end - start > (1ul << 28)) continue;
    for (unsigned long at = start; !found && at < end; at += window.size() - masked_key.size()) {
      const bool own = at < reinterpret_cast<unsigned long>(window.data() + window.size()) &&
                       at + window.size() > reinterpret_cast<unsigned long>(window.data());
      if (own) continue;
      const std::size_t wanted = std::min(window.size(), static_cast<std::size_t>(end - at));
      const ssize_t got = pread(memory, window.data(), wanted, static_cast<off_t>(at));
      if (got < static_cast<ssize_t>(masked_key.size())) continue;
      const auto matches = [&](std::byte a, std::byte b) { return a == (b ^ mask); };
      const auto read = std::span(window).first(static_cast<std::size_t>(got));
      found = !std::ranges::search(read, masked_key, matches).empty();
    }
  }
  close(memory);
  std::fclose(maps);
  return found;
}

// Straight from the file into one array that is masked in place: no copy in clear stays behind.
Root masked_key_in(const std::filesystem::path& path, std::uint64_t offset, std::byte mask) {
  Root key{};
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || pread(fd, key.data(), key.size(), static_cast<off_t>(offset)) != 32) std::abort();
  close(fd);
  for (std::byte& b : key) b ^= mask;
  return key;
}

TEST_F(FileRootKeyStoreFaults, NoDestroyedKeyStaysInMemory) {
  constexpr std::byte mask{0xa5};
  const Root first = masked_key_in(path(), keyring::root_slot_offset(0) + test::key_at, mask);
  const Root second = masked_key_in(path(), keyring::root_slot_offset(1) + test::key_at, mask);
  ASSERT_TRUE(memory_holds(first, mask) && memory_holds(second, mask));
  ASSERT_TRUE(rotate());
  EXPECT_FALSE(memory_holds(first, mask));
  EXPECT_TRUE(memory_holds(second, mask));
  ASSERT_TRUE(store_->destroy(2));
  EXPECT_FALSE(memory_holds(second, mask));
}

TEST_F(FileRootKeyStoreFaults, AClosedStoreHoldsNoKey) {
  constexpr std::byte mask{0xa5};
  const Root second = masked_key_in(path(), keyring::root_slot_offset(1) + test::key_at, mask);
  ASSERT_TRUE(memory_holds(second, mask));
  system_calls().fdatasync_errno = EIO;
  system_calls().pread_errno = EIO;
  ASSERT_FALSE(rotate());
  system_calls().reset();
  EXPECT_FALSE(memory_holds(second, mask));
}

#endif

}  // namespace
}  // namespace efface
