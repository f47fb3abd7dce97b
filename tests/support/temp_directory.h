// support/temp_directory.h -- a private directory (0700) that goes away with its scope.
//
// Shape  Made under $EFFACE_TEST_DIR if that is set, else in /dev/shm if it has over 256 MiB free
//        (memory: fast), else in the current directory. Medium::on_disk always takes the current
//        directory, for tests that need real extents or fsyncs.
#pragma once
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace efface::test {

enum class Medium : bool { any, on_disk };
inline constexpr Medium on_disk = Medium::on_disk;

class TempDirectory {
 public:
  explicit TempDirectory(std::string_view label = "test", Medium medium = Medium::any)
      : owner_(::getpid()) {
    std::string made = (parent(medium) / ("efface-" + std::string(label) + "-XXXXXX")).string();
    if (::mkdtemp(made.data()) == nullptr) {
      std::perror("TempDirectory");
      std::abort();
    }
    path_ = made;
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() {
    if (::getpid() != owner_) return;  // A forked child: the parent still needs it.
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  static std::filesystem::path parent(Medium medium) {
    if (medium == Medium::on_disk) return std::filesystem::current_path();
    if (const char* chosen = std::getenv("EFFACE_TEST_DIR"); chosen != nullptr && *chosen != '\0')
      return std::filesystem::absolute(chosen);
    struct statvfs room{};
    if (::statvfs("/dev/shm", &room) == 0 && ::access("/dev/shm", W_OK | X_OK) == 0 &&
        std::uint64_t{room.f_bavail} * room.f_frsize > (std::uint64_t{256} << 20))
      return "/dev/shm";
    return std::filesystem::current_path();
  }

  std::filesystem::path path_;
  pid_t owner_;
};

}  // namespace efface::test
