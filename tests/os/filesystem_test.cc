#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "crypto/child.h"
#include "os/file.h"
#include "os/preallocate.h"
#include "support/temp_directory.h"

namespace efface::os {
namespace {

namespace fs = std::filesystem;

class Extents : public testing::Test {
 protected:
  bool is_in_place() const { return file_system_of(directory_.fd()) == FileSystem::in_place; }

  test::TempDirectory room_{"extents", test::on_disk};
  Directory directory_ = Directory::open(room_.path()).value();
  File file_ = File::create(directory_, "file").value();
};

TEST_F(Extents, StayWhereTheyAreWhenOverwritten) {
  if (!is_in_place()) GTEST_SKIP() << "needs a file system with extents";
  ASSERT_TRUE(file_.write_at(0, as_bytes(std::string(16384, 'a'))));
  const auto before = extent_of(file_, 8192);
  const auto next = extent_of(file_, 8192 + 512);
  ASSERT_TRUE(before && next);
  EXPECT_TRUE(before->in_place);
  EXPECT_EQ(next->physical_bytes - before->physical_bytes, 512U);
  ASSERT_TRUE(file_.write_at(8192, as_bytes(std::string(512, 'b'))));
  EXPECT_EQ(extent_of(file_, 8192), before);
}

TEST_F(Extents, AreNothingWhereTheFileHasAHole) {
  if (!is_in_place()) GTEST_SKIP() << "needs a file system with extents";
  ASSERT_TRUE(file_.write_at(1 << 20, as_bytes("x")));
  EXPECT_EQ(extent_of(file_, 0), std::nullopt);
  EXPECT_EQ(extent_of(file_, 1 << 30), std::nullopt);
}

TEST_F(Extents, NotYetWrittenAreNotInPlace) {
  if (!is_in_place()) GTEST_SKIP() << "needs a file system with extents";
  ASSERT_EQ(posix_fallocate(file_.fd(), 0, 65536), 0);
  const auto found = extent_of(file_, 4096);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->in_place);
}

TEST_F(Extents, ThatAreSetAsideLeaveTheFileAsLongAsItIs) {
  ASSERT_TRUE(file_.write_at(0, as_bytes("x")));
  const std::uint64_t before = allocated_bytes(file_.fd());
  const Status aside = preallocate(file_.fd(), 65536);
  ASSERT_TRUE(aside);
  EXPECT_EQ(file_.size().value(), 1U);
  if (!is_in_place()) GTEST_SKIP() << "needs a file system with extents";
  EXPECT_LT(before, 65536U);
  EXPECT_GE(allocated_bytes(file_.fd()), 65536U);
}

TEST(Preallocation, BeyondWhatAnOffsetHoldsIsNoSpace) {
  const test::TempDirectory room("extents");
  const auto file = File::create(Directory::open(room.path()).value(), "file");
  const Status aside = preallocate(file->fd(), std::uint64_t{1} << 63);
  ASSERT_FALSE(aside);
  EXPECT_EQ(aside.error().code(), Errc::no_space);
}

TEST(FileSystems, AreKnownByWhatTheyPromise) {
  struct Place {
    const char* path;
    FileSystem expected;
    bool maps;
  };
  for (const Place& place :
       {Place{"/dev/shm", FileSystem::memory, true}, Place{"/proc", FileSystem::unknown, false}}) {
    const Descriptor fd(::open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(fd) << place.path;
    EXPECT_EQ(file_system_of(fd.get()), place.expected) << place.path;
    EXPECT_EQ(supports_shared_maps(fd.get()), place.maps) << place.path;
  }
  EXPECT_EQ(file_system_of(-1), FileSystem::unknown);
  EXPECT_FALSE(supports_shared_maps(-1));
}

TEST(FileSystems, InMemoryHaveNoExtents) {
  const Descriptor shm(::open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(file_system_of(shm.get()), FileSystem::memory);
  std::string made = "/dev/shm/efface-extents-XXXXXX";
  ASSERT_NE(mkdtemp(made.data()), nullptr);
  {
    const Directory directory = Directory::open(made).value();
    const File file = File::create(directory, "file").value();
    ASSERT_TRUE(file.write_at(0, as_bytes("x")));
    EXPECT_EQ(extent_of(file, 0), std::nullopt);
  }
  fs::remove_all(made);
}

class LiesWithin : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(room_ / "data" / "deep"); }
  bool within(const fs::path& inside) const { return *lies_within(inside, room_ / "data"); }

  test::TempDirectory room_;
};

TEST_F(LiesWithin, TrueForTheDirectoryAndAllBelow) {
  EXPECT_TRUE(within(room_ / "data"));
  EXPECT_TRUE(within(room_ / "data" / "deep"));
  EXPECT_TRUE(within(room_ / "data" / "deep" / "not" / "there" / "yet"));
  EXPECT_TRUE(within(room_ / "data" / "deep" / ".." / "key"));
}

TEST_F(LiesWithin, FalseBesideAndAbove) {
  EXPECT_FALSE(within(room_.path()));
  EXPECT_FALSE(within(room_ / "database"));
  EXPECT_FALSE(within(room_ / "data" / ".." / "key"));
}

TEST_F(LiesWithin, SeesThroughSymlinks) {
  fs::create_directory_symlink(room_ / "data" / "deep", room_ / "outside");
  EXPECT_TRUE(within(room_ / "outside" / "key"));
  fs::create_directory(room_ / "real");
  fs::create_directory_symlink(room_ / "real", room_ / "data" / "inside");
  EXPECT_FALSE(within(room_ / "data" / "inside" / "key"));
  fs::create_directory_symlink(room_ / "data", room_ / "other_name");
  EXPECT_TRUE(*lies_within(room_ / "data" / "key", room_ / "other_name"));
}

TEST_F(LiesWithin, SeesThroughABindMount) {
  fs::create_directory(room_ / "mounted");
  constexpr int no_namespace = 77;
  const int status = test::in_child([&] {
    const int spaces = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    if (unshare(spaces) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount((room_ / "data").c_str(), (room_ / "mounted").c_str(), nullptr, MS_BIND, nullptr) !=
            0)
      return no_namespace;
    return within(room_ / "mounted" / "key") ? 0 : 1;
  });
  if (WEXITSTATUS(status) == no_namespace) GTEST_SKIP() << "needs mount namespaces";
  EXPECT_TRUE(test::ended_well(status));
}

TEST_F(LiesWithin, HoldsForADirectoryThatIsNotThereYet) {
  EXPECT_TRUE(*lies_within(room_ / "new" / "key", room_ / "new"));
  EXPECT_FALSE(*lies_within(room_ / "newer" / "key", room_ / "new"));
}

TEST_F(LiesWithin, TakesRelativePaths) {
  EXPECT_TRUE(*lies_within("no/such/key", "."));
  EXPECT_FALSE(*lies_within("no/such/key", "no/other"));
}

}  // namespace
}  // namespace efface::os
