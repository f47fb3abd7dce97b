// The system calls behind os/file.h, replaced at link time: what is retried, and what never is.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "os/file.h"
#include "support/temp_directory.h"

namespace {

// What the next calls answer. Zero: what the system answers.
struct Faults {
  int pwrite_interrupts = 0;
  std::size_t transfer_bytes_max = 0;
  int pwrite_error = 0;
  int pread_interrupts = 0;
  int sync_error = 0;
  int syncs = 0;
  int rename_error_with_flags = 0;
  int openat_interrupts = 0;
};
Faults faults;

int answer(int code) {
  errno = code;
  return -1;
}

}  // namespace

extern "C" {
ssize_t __real_pwrite(int fd, const void* bytes, size_t count, off_t offset);
ssize_t __real_pread(int fd, void* bytes, size_t count, off_t offset);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags);
int __real_openat(int fd, const char* name, int flags, mode_t mode);

ssize_t __wrap_pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  if (faults.pwrite_interrupts > 0 && faults.pwrite_interrupts-- % 2 == 1) return answer(EINTR);
  if (faults.pwrite_error != 0) return answer(faults.pwrite_error);
  if (faults.transfer_bytes_max != 0) count = std::min(count, faults.transfer_bytes_max);
  return __real_pwrite(fd, bytes, count, offset);
}
ssize_t __wrap_pread(int fd, void* bytes, size_t count, off_t offset) {
  if (faults.pread_interrupts > 0 && faults.pread_interrupts-- % 2 == 1) return answer(EINTR);
  if (faults.transfer_bytes_max != 0) count = std::min(count, faults.transfer_bytes_max);
  return __real_pread(fd, bytes, count, offset);
}
int __wrap_fsync(int fd) {
  ++faults.syncs;
  return faults.sync_error != 0 ? answer(faults.sync_error) : __real_fsync(fd);
}
int __wrap_fdatasync(int fd) {
  ++faults.syncs;
  return faults.sync_error != 0 ? answer(faults.sync_error) : __real_fdatasync(fd);
}
int __wrap_renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) {
  if (flags != 0 && faults.rename_error_with_flags != 0)
    return answer(faults.rename_error_with_flags);
  return __real_renameat2(from_fd, from, to_fd, to, flags);
}
int __wrap_openat(int fd, const char* name, int flags, mode_t mode) {
  if (faults.openat_interrupts > 0) {
    --faults.openat_interrupts;
    return answer(EINTR);
  }
  return __real_openat(fd, name, flags, mode);
}
}

namespace efface::os {
namespace {

class Fault : public testing::Test {
 protected:
  void SetUp() override { faults = {}; }
  void TearDown() override { faults = {}; }
  Directory directory() const { return Directory::open(room_.path()).value(); }
  File file() const { return File::create(directory(), "file").value(); }

  test::TempDirectory room_;
};

TEST_F(Fault, ShortAndInterruptedTransfersAreCompleted) {
  const File written = file();
  const std::string text = "a text of more than a few bytes";
  faults.pwrite_interrupts = 9;
  faults.pread_interrupts = 9;
  faults.transfer_bytes_max = 3;
  ASSERT_TRUE(written.write_at(7, as_bytes(text)));
  std::string back(text.size(), '\0');
  ASSERT_TRUE(written.read_at(7, std::as_writable_bytes(std::span(back))));
  EXPECT_EQ(back, text);
  EXPECT_EQ(*written.size(), 7 + text.size());
}

TEST_F(Fault, AnInterruptedOpenIsRepeated) {
  faults.openat_interrupts = 3;
  EXPECT_TRUE(Directory::open(room_.path()));
  EXPECT_EQ(faults.openat_interrupts, 0);
}

TEST_F(Fault, AFailedWriteSaysWhy) {
  const File written = file();
  faults.pwrite_error = ENOSPC;
  EXPECT_EQ(written.write_at(0, as_bytes("x")).error().code(), Errc::no_space);
  faults.pwrite_error = EIO;
  EXPECT_EQ(written.write_at(0, as_bytes("x")).error().code(), Errc::io);
}

TEST_F(Fault, NoSyncIsEverRetried) {
  const File written = file();
  const Directory parent = directory();
  for (const int code : {EIO, EINTR}) {
    faults.sync_error = code;
    faults.syncs = 0;
    EXPECT_EQ(written.sync().error().system_code(), code);
    EXPECT_EQ(written.sync_data().error().system_code(), code);
    EXPECT_EQ(parent.sync().error().system_code(), code);
    EXPECT_EQ(faults.syncs, 3);
  }
}

TEST_F(Fault, RenamingOverNothingHoldsWithoutTheKernelsHelp) {
  const Directory parent = directory();
  std::ofstream(room_ / "one") << "1";
  std::ofstream(room_ / "two") << "22";
  faults.rename_error_with_flags = EINVAL;
  EXPECT_EQ(parent.rename("one", "two").error().code(), Errc::exists);
  EXPECT_EQ(std::filesystem::file_size(room_ / "two"), 2U);
  EXPECT_TRUE(parent.rename("one", "three"));
  EXPECT_EQ(std::filesystem::file_size(room_ / "three"), 1U);
}

}  // namespace
}  // namespace efface::os
