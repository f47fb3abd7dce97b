#include "os/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "crypto/child.h"
#include "support/temp_directory.h"

namespace efface::os {
namespace {

namespace fs = std::filesystem;

// The code, or nothing where the call went well.
template <class T>
std::string_view code_of(const Result<T>& result) {
  return result ? "" : name(result.error().code());
}

class DirectoryTest : public testing::Test {
 protected:
  Directory open() const {
    auto opened = Directory::open(room_.path());
    EXPECT_TRUE(opened);
    return std::move(opened).value();
  }
  void lay(std::string_view name, mode_t mode = 0600) const {
    std::ofstream(room_ / name) << "x";
    EXPECT_EQ(chmod((room_ / name).c_str(), mode), 0);
  }
  mode_t mode_of(std::string_view name) const {
    struct stat found{};
    EXPECT_EQ(lstat((room_ / name).c_str(), &found), 0);
    return found.st_mode & 07777;
  }

  test::TempDirectory room_;
};
using Directories = DirectoryTest;
using Files = DirectoryTest;

TEST_F(Directories, RefuseASymlinkHoweverThePathEnds) {
  fs::create_directory(room_ / "real");
  fs::permissions(room_ / "real", fs::perms::owner_all);
  fs::create_directory_symlink("real", room_ / "link");
  EXPECT_EQ(code_of(Directory::open(room_ / "link")), "unsafe_path");
  EXPECT_EQ(code_of(Directory::open(room_.path().string() + "/link/")), "unsafe_path");
  EXPECT_EQ(code_of(Directory::open(room_.path().string() + "/link/./")), "unsafe_path");
  EXPECT_EQ(code_of(open().open_child("link")), "unsafe_path");
  EXPECT_TRUE(open().open_child("real"));
  EXPECT_TRUE(Directory::open(room_.path().string() + "/real/./"));
}

TEST_F(Directories, RefuseAnyBitForGroupOrOthers) {
  for (const mode_t loose : {0710U, 0740U, 0701U, 0755U, 0777U}) {
    ASSERT_EQ(chmod(room_.path().c_str(), loose), 0);
    EXPECT_EQ(code_of(Directory::open(room_.path())), "unsafe_path") << std::oct << loose;
  }
  ASSERT_EQ(chmod(room_.path().c_str(), 0700), 0);
  EXPECT_TRUE(Directory::open(room_.path()));
}

TEST_F(Directories, RefuseAForeignOwner) {
  fs::path foreign = "/";  // The system's, unless we are the system.
  if (geteuid() == 0) {
    foreign = room_ / "foreign";
    fs::create_directory(foreign);
    ASSERT_EQ(chmod(foreign.c_str(), 0700), 0);
    ASSERT_EQ(chown(foreign.c_str(), 1, 1), 0);
  }
  EXPECT_EQ(code_of(Directory::open(foreign)), "unsafe_path");
}

TEST_F(Directories, AreMissingWhereNothingIs) {
  EXPECT_EQ(code_of(Directory::open(room_ / "nothing")), "store_missing");
  EXPECT_EQ(code_of(Directory::open("")), "store_missing");
  EXPECT_EQ(code_of(open().open_child("nothing")), "store_missing");
}

TEST_F(Directories, RefuseAFile) {
  lay("file");
  EXPECT_EQ(code_of(Directory::open(room_ / "file")), "unsafe_path");
}

TEST_F(Directories, TakeNamesOfOneComponentAlone) {
  const Directory directory = open();
  const std::string longest(255, 'n');
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("/etc"),
        std::string("a\0b", 3), longest + "n"}) {
    EXPECT_EQ(code_of(directory.open_child(bad)), "invalid_argument");
    EXPECT_EQ(code_of(directory.create_child(bad)), "invalid_argument");
    EXPECT_EQ(code_of(directory.contains(bad)), "invalid_argument");
    EXPECT_EQ(code_of(directory.remove_file(bad)), "invalid_argument");
    EXPECT_EQ(code_of(directory.remove_tree(bad)), "invalid_argument");
    EXPECT_EQ(code_of(directory.rename(bad, "good")), "invalid_argument");
    EXPECT_EQ(code_of(directory.rename("good", bad)), "invalid_argument");
    EXPECT_EQ(code_of(File::create(directory, bad)), "invalid_argument");
  }
  EXPECT_TRUE(File::create(directory, longest));
}

TEST_F(Directories, CreateChildrenForTheOwnerAlone) {
  const mode_t before = umask(0);
  const auto child = open().create_child("child");
  umask(before);
  ASSERT_TRUE(child);
  EXPECT_EQ(mode_of("child"), 0700U);
  EXPECT_EQ(code_of(open().create_child("child")), "exists");
}

TEST_F(Directories, NeverRenameOverWhatIsThere) {
  const Directory directory = open();
  lay("one");
  lay("two");
  EXPECT_EQ(code_of(directory.rename("one", "two")), "exists");
  EXPECT_TRUE(fs::exists(room_ / "one"));
  EXPECT_TRUE(directory.rename("one", "three"));
  EXPECT_FALSE(*directory.contains("one"));
  EXPECT_TRUE(*directory.contains("three"));
  EXPECT_EQ(code_of(directory.rename("one", "four")), "store_missing");
}

TEST_F(Directories, ContainADanglingSymlink) {
  fs::create_symlink("nowhere", room_ / "link");
  EXPECT_TRUE(*open().contains("link"));
  EXPECT_FALSE(*open().contains("nowhere"));
}

TEST_F(Directories, RemoveATreeWithoutFollowingSymlinks) {
  test::TempDirectory elsewhere;
  std::ofstream(elsewhere / "kept") << "x";
  fs::create_directories(room_ / "tree" / "deep" / "deeper");
  std::ofstream(room_ / "tree" / "deep" / "file") << "x";
  fs::create_directory_symlink(elsewhere.path(), room_ / "tree" / "deep" / "link");
  fs::create_symlink(elsewhere / "kept", room_ / "alone");
  EXPECT_TRUE(open().remove_tree("tree"));
  EXPECT_TRUE(open().remove_tree("alone"));
  EXPECT_FALSE(fs::exists(room_ / "tree"));
  EXPECT_FALSE(fs::is_symlink(room_ / "alone"));
  EXPECT_TRUE(fs::exists(elsewhere / "kept"));
  EXPECT_TRUE(open().remove_tree("tree"));  // Gone already: nothing to do.
}

TEST_F(Directories, StayTheSameByTheirHandleWhenRenamed) {
  const auto child = open().create_child("before");
  ASSERT_TRUE(child);
  fs::rename(room_ / "before", room_ / "after");
  std::ofstream(child->handle_path() / "file") << "x";
  EXPECT_TRUE(fs::exists(room_ / "after" / "file"));
  EXPECT_EQ(*child->id(), *open().open_child("after")->id());
}

TEST_F(Files, AreCreatedForTheOwnerAloneAndOnce) {
  const mode_t before = umask(0);
  const auto created = File::create(open(), "file");
  umask(before);
  ASSERT_TRUE(created);
  EXPECT_EQ(mode_of("file"), 0600U);
  EXPECT_EQ(code_of(File::create(open(), "file")), "exists");
}

TEST_F(Files, AreNotCreatedThroughASymlink) {
  fs::create_symlink(room_ / "victim", room_ / "link");
  EXPECT_EQ(code_of(File::create(open(), "link")), "exists");
  EXPECT_FALSE(fs::exists(room_ / "victim"));
}

TEST_F(Files, RefuseWhatIsNotSafelyOurs) {
  lay("file");
  lay("loose", 0640);
  lay("looser", 0602);
  fs::create_symlink("file", room_ / "link");
  fs::create_directory(room_ / "directory");
  ASSERT_EQ(mkfifo((room_ / "fifo").c_str(), 0600), 0);
  const auto as = [&](std::string_view name, File::Access access) {
    return code_of(File::open(open(), name, access));
  };
  for (const auto access : {File::Access::read, File::Access::read_write}) {
    EXPECT_EQ(as("file", access), "");
    for (const char* bad : {"loose", "looser", "link", "directory", "fifo"})
      EXPECT_EQ(as(bad, access), "unsafe_path") << bad;
    EXPECT_EQ(as("nothing", access), "store_missing");
  }
  fs::create_hard_link(room_ / "file", room_ / "second");
  EXPECT_EQ(as("file", File::Access::read), "unsafe_path");
}

TEST_F(Files, OfAForeignOwnerAreRefused) {
  if (geteuid() != 0) {
    Directory directory = open();
    SUCCEED() << "only root can give a file away; directories are tested for everybody";
    return;
  }
  lay("file");
  ASSERT_EQ(chown((room_ / "file").c_str(), 1, 1), 0);
  EXPECT_EQ(code_of(File::open(open(), "file", File::Access::read)), "unsafe_path");
}

TEST_F(Files, AndDirectoriesAreClosedOnExec) {
  const Directory directory = open();
  const auto created = File::create(directory, "file");
  ASSERT_TRUE(created);
  EXPECT_EQ(fcntl(directory.fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_EQ(fcntl(created->fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_F(Files, ReadWhatWasWrittenAndNothingPastTheEnd) {
  const auto file = File::create(open(), "file");
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write_at(5, as_bytes("abcdef")));
  EXPECT_EQ(*file->size(), 11U);
  std::array<std::byte, 6> out{};
  ASSERT_TRUE(file->read_at(5, out));
  EXPECT_EQ(as_text(out), "abcdef");
  EXPECT_EQ(code_of(file->read_at(6, out)), "io");
  EXPECT_EQ(code_of(file->read_at(~std::uint64_t{0}, out)), "io");
  EXPECT_EQ(code_of(file->write_at(~std::uint64_t{0}, out)), "no_space");
  EXPECT_TRUE(file->sync_data());
  EXPECT_TRUE(file->sync());
  EXPECT_TRUE(open().sync());
}

TEST_F(Files, OpenedToReadAreNotWritten) {
  lay("file");
  const auto file = File::open(open(), "file", File::Access::read);
  ASSERT_TRUE(file);
  EXPECT_EQ(code_of(file->write_at(0, as_bytes("y"))), "io");
}

TEST_F(Files, OverTheLimitOfTheProcessFindNoSpace) {
  const int status = test::in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    const auto file = File::create(open(), "file");
    if (!file) return 2;
    const std::string text(8192, 'x');
    const Status written = file->write_at(0, as_bytes(text));
    return code_of(written) == "no_space" && written.error().system_code() == EFBIG ? 0 : 3;
  });
  EXPECT_TRUE(test::ended_well(status));
}

TEST(SystemErrors, SayWhatTheCallerCanDo) {
  const auto code = [](int system_code) { return system_error(system_code, "note").code(); };
  EXPECT_EQ(code(ENOENT), Errc::store_missing);
  EXPECT_EQ(code(EEXIST), Errc::exists);
  EXPECT_EQ(code(ENOTEMPTY), Errc::exists);
  EXPECT_EQ(code(ELOOP), Errc::unsafe_path);
  EXPECT_EQ(code(ENOSPC), Errc::no_space);
  EXPECT_EQ(code(EDQUOT), Errc::no_space);
  EXPECT_EQ(code(EFBIG), Errc::no_space);
  EXPECT_EQ(code(ENOMEM), Errc::out_of_memory);
  EXPECT_EQ(code(EIO), Errc::io);
  EXPECT_EQ(code(EACCES), Errc::io);
  EXPECT_EQ(system_error(EIO, "note").system_code(), EIO);
}

TEST(Descriptors, CloseOnceAndOnlyWhatTheyOwn) {
  const int raw = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(raw, 0);
  {
    Descriptor first(raw);
    Descriptor second(std::move(first));
    EXPECT_EQ(first.get(), -1);
    Descriptor third;
    third = std::move(second);
    EXPECT_EQ(third.get(), raw);
    EXPECT_NE(fcntl(raw, F_GETFD), -1);
  }
  EXPECT_EQ(fcntl(raw, F_GETFD), -1);
}

}  // namespace
}  // namespace efface::os
