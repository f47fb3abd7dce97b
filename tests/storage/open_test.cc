#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "crypto/child.h"
#include "storage/environment_fixture.h"
#include "support/file_content.h"

namespace {
long pretended_magic = 0;  // Zero: what the system says.
bool pretend_no_address_space = false;
}  // namespace

extern "C" {
int __real_fstatfs(int fd, struct statfs* out);
int __wrap_fstatfs(int fd, struct statfs* out) {
  const int rc = __real_fstatfs(fd, out);
  if (pretended_magic != 0) out->f_type = pretended_magic;
  return rc;
}
void* __real_mmap(void* at, size_t bytes, int protection, int flags, int fd, off_t offset);
void* __wrap_mmap(void* at, size_t bytes, int protection, int flags, int fd, off_t offset) {
  if (pretend_no_address_space) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return __real_mmap(at, bytes, protection, flags, fd, offset);
}
}

namespace efface::storage {
namespace {

namespace fs = std::filesystem;

class FilesOnDisk : public EnvironmentTest {
 protected:
  void TearDown() override {
    pretended_magic = 0;
    pretend_no_address_space = false;
  }

  mode_t mode_of(std::string_view name) const {
    struct stat found{};
    EXPECT_EQ(lstat((room_ / name).c_str(), &found), 0);
    return found.st_mode & 07777;
  }
};
using Creation = FilesOnDisk;
using Opening = FilesOnDisk;
using Fork = FilesOnDisk;
using AddressSpace = FilesOnDisk;

std::set<int> open_descriptors() {
  std::set<int> out;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    if (fcntl(fd, F_GETFD) >= 0) out.insert(fd);
  }
  return out;
}

TEST_F(Creation, LeavesFilesForTheOwnerAloneUnderAnyUmask) {
  const mode_t before = umask(0);
  create();
  umask(before);
  EXPECT_EQ(mode_of("data.mdb"), 0600U);
  EXPECT_EQ(mode_of("lock.mdb"), 0600U);
  EXPECT_EQ(std::distance(fs::directory_iterator(room_.path()), fs::directory_iterator()), 2);
}

TEST_F(Creation, MakesAnEmptyEnvironmentOfOneCommit) {
  const Environment environment = create_and_open();
  EXPECT_EQ(environment.stats()->entries, 0U);
  EXPECT_EQ(environment.stats()->last_transaction, 1U);
}

TEST_F(Creation, NeverTouchesWhatIsThere) {
  {
    const Environment environment = create_and_open();
  }
  const std::string before = test::file_content(room_ / "data.mdb");
  EXPECT_EQ(code_of(Environment::create(directory(), options_)), "exists");
  EXPECT_EQ(test::file_content(room_ / "data.mdb"), before);
  fs::remove(room_ / "data.mdb");
  EXPECT_EQ(code_of(Environment::create(directory(), options_)), "exists");
}

TEST_F(Creation, LeavesNoDescriptorOpen) {
  const auto before = open_descriptors();
  create();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Opening, FindsNothingInAnEmptyDirectory) {
  EXPECT_EQ(code_of(reopen()), "store_missing");
  EXPECT_TRUE(fs::is_empty(room_.path()));
}

TEST_F(Opening, IsRefusedOnFileSystemsThatWereNotTried) {
  create();
  constexpr long nfs = 0x6969;
  constexpr long fuse = 0x65735546;
  constexpr long never_heard_of = 0x1234567;
  for (const long magic : {nfs, fuse, never_heard_of}) {
    pretended_magic = magic;
    EXPECT_EQ(code_of(reopen()), "unsafe_filesystem");
  }
  fs::create_directory(room_ / "new");
  fs::permissions(room_ / "new", fs::perms::owner_all);
  const auto child = os::Directory::open(room_ / "new");
  EXPECT_EQ(code_of(Environment::create(*child, options_)), "unsafe_filesystem");
  EXPECT_TRUE(fs::is_empty(room_ / "new"));
  pretended_magic = 0;
  EXPECT_TRUE(reopen());
}

TEST_F(Opening, RefusesASymlinkedDataFileAndLeavesItsTargetAlone) {
  create();
  fs::rename(room_ / "data.mdb", room_ / "victim");
  const std::string before = test::file_content(room_ / "victim");
  fs::create_symlink("victim", room_ / "data.mdb");
  EXPECT_EQ(code_of(reopen()), "unsafe_path");
  EXPECT_EQ(test::file_content(room_ / "victim"), before);
}

TEST_F(Opening, RefusesASymlinkedLockFile) {
  create();
  fs::rename(room_ / "lock.mdb", room_ / "victim");
  fs::create_symlink("victim", room_ / "lock.mdb");
  EXPECT_EQ(code_of(reopen()), "unsafe_path");
}

TEST_F(Opening, RefusesASecondHardLink) {
  create();
  for (const char* file : {"data.mdb", "lock.mdb"}) {
    fs::create_hard_link(room_ / file, room_ / "second");
    EXPECT_EQ(code_of(reopen()), "unsafe_path");
    fs::remove(room_ / "second");
  }
  EXPECT_TRUE(reopen());
}

TEST_F(Opening, RefusesBitsForGroupOrOthers) {
  create();
  for (const char* file : {"data.mdb", "lock.mdb"}) {
    ASSERT_EQ(chmod((room_ / file).c_str(), 0666), 0);
    EXPECT_EQ(code_of(reopen()), "unsafe_path");
    ASSERT_EQ(chmod((room_ / file).c_str(), 0600), 0);
  }
  EXPECT_TRUE(reopen());
}

TEST_F(Opening, MakesANewLockFileWhereThereIsNone) {
  create();
  fs::remove(room_ / "lock.mdb");
  EXPECT_TRUE(reopen());
  EXPECT_EQ(mode_of("lock.mdb"), 0600U);
}

TEST_F(Opening, FindsATruncatedFileCorrupt) {
  {
    const Environment environment = create_and_open();
    ASSERT_TRUE(put(environment, "key", std::string(100'000, 'v')));
  }
  options_.verify_structure = false;
  const auto whole = fs::file_size(room_ / "data.mdb");
  for (const std::uintmax_t size :
       {whole - 4096, whole / 2, std::uintmax_t{4096}, std::uintmax_t{100}, std::uintmax_t{0}}) {
    fs::resize_file(room_ / "data.mdb", size);
    EXPECT_EQ(code_of(reopen()), "corruption") << size;
  }
}

TEST_F(Opening, LooksAtEveryPageWhenAsked) {
  {
    const Environment environment = create_and_open();
    for (std::uint64_t i = 0; i < 500; ++i)
      ASSERT_TRUE(put(environment, numbered_key(i), std::string(100, 'v')));
  }
  {
    std::fstream file(room_ / "data.mdb", std::ios::binary | std::ios::in | std::ios::out);
    const auto pages = fs::file_size(room_ / "data.mdb") / 4096;
    for (std::uintmax_t page = 2; page < pages; ++page) {
      file.seekp(static_cast<std::streamoff>(page * 4096 + 12));  // The bounds of the free space.
      file.write("\xff\xff\xff\xff", 4);
    }
  }
  EXPECT_EQ(code_of(reopen()), "corruption");
  options_.others_write = true;  // Their pages move while one looks.
  EXPECT_TRUE(reopen());
  options_.others_write = false;
  options_.verify_structure = false;
  EXPECT_TRUE(reopen());
}

TEST_F(Opening, LeavesNoDescriptorToAProgramThatIsRun) {
  create();
  const auto before = open_descriptors();
  const auto environment = reopen();
  ASSERT_TRUE(environment);
  int more = 0;
  for (const int fd : open_descriptors()) {
    if (before.contains(fd)) continue;
    ++more;
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_GE(more, 2);
}

TEST_F(Opening, HappensOnceInAProcess) {
  std::optional<Environment> first = create_and_open();
  EXPECT_EQ(code_of(reopen()), "busy");
  Environment moved = std::move(*first);
  first.reset();
  EXPECT_EQ(code_of(reopen()), "busy");
  {
    const Environment ended = std::move(moved);
  }
  EXPECT_TRUE(reopen());
}

// Whoever opens and closes lock.mdb in this process drops its locks: another process would then
// begin an empty table of readers.
TEST_F(Opening, ASecondTimeKeepsTheReadersKnownToOthers) {
  const Environment environment = create_and_open();
  const auto reader = environment.read();
  ASSERT_TRUE(reader);
  EXPECT_EQ(code_of(reopen()), "busy");
  const int status = test::in_child([&] {
    const auto own = reopen();
    return own && own->stats()->readers == 2 ? 0 : 1;
  });
  EXPECT_TRUE(test::ended_well(status));
}

TEST_F(Opening, AfterARefusalLeavesTheFileFree) {
  create();
  const std::string whole = test::file_content(room_ / "data.mdb");
  fs::resize_file(room_ / "data.mdb", 100);
  ASSERT_EQ(code_of(reopen()), "corruption");
  std::ofstream(room_ / "data.mdb", std::ios::binary) << whole;
  EXPECT_TRUE(reopen());
}

// Asked before LMDB lets go of the map that it has.
TEST_F(AddressSpace, ThatRunsOutIsTheLimitOfTheMap) {
  const Environment environment = create_and_open();
  ASSERT_TRUE(put(environment, "kept", "value"));
  const std::string value(options_.map_bytes, 'v');
  pretend_no_address_space = true;
  EXPECT_EQ(code_of(put_growing(environment, "key", value)), "full");
  EXPECT_FALSE(environment.can_grow());
  EXPECT_EQ(environment.stats()->map_bytes, options_.map_bytes);
  EXPECT_FALSE(environment.latched());
  EXPECT_EQ(get(environment, "kept"), "value");
  EXPECT_TRUE(put(environment, "small", "value"));
}

TEST_F(Fork, LeavesTheChildNothingButAnError) {
  auto environment = std::make_unique<Environment>(create_and_open());
  ASSERT_TRUE(put(*environment, "key", "value"));
  std::optional<ReadTxn> reader = environment->read().value();
  std::optional<WriteTxn> writer = environment->write(Space::ordinary).value();
  ASSERT_TRUE(writer->put(as_bytes("other"), as_bytes("value")));
  const int status = test::in_child([&] {
    const auto more = [](ReadTxn::Entry) { return Result<Flow>(Flow::more); };
    if (code_of(environment->read()) != "forked") return 1;
    if (code_of(environment->write(Space::ordinary)) != "forked") return 2;
    if (code_of(environment->stats()) != "forked") return 3;
    if (code_of(reader->get(as_bytes("key"))) != "forked") return 4;
    if (code_of(reader->scan({}, {}, more)) != "forked") return 5;
    if (code_of(writer->get(as_bytes("key"))) != "forked") return 6;
    if (code_of(writer->scan({}, {}, more)) != "forked") return 7;
    if (code_of(writer->put(as_bytes("key"), as_bytes("child"))) != "forked") return 8;
    if (code_of(writer->remove(as_bytes("key"))) != "forked") return 9;
    if (code_of(std::move(*writer).commit()) != "forked") return 10;
    reader.reset();
    writer.reset();
    environment.reset();
    return 0;
  });
  EXPECT_TRUE(test::ended_well(status)) << WEXITSTATUS(status);
  EXPECT_EQ(as_text(**reader->get(as_bytes("key"))), "value");
  EXPECT_TRUE(std::move(*writer).commit());
  EXPECT_EQ(get(*environment, "other"), "value");
}

TEST_F(Fork, LetsTheChildOpenForItself) {
  const Environment environment = create_and_open();
  ASSERT_TRUE(put(environment, "key", "value"));
  const int status = test::in_child([&] {
    const auto own = reopen();
    if (!own || get(*own, "key") != "value") return 1;
    return put(*own, "child", "value") ? 0 : 2;
  });
  EXPECT_TRUE(test::ended_well(status));
  EXPECT_EQ(get(environment, "child"), "value");
}

}  // namespace
}  // namespace efface::storage
