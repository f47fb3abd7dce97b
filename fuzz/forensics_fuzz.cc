// Any file, searched for sealed objects: nothing is read beyond its end, and what is said to stand
// in a place stands there.
//
// Shape  kind 1: 0, then the whole file; or 1, a database with an object of each kind, then what is
//        changed in it: offset 4, bytes 1, as many bytes.
#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "keyring/images.h"
#include "rights/forensics_images.h"
#include "storage/data_file.h"

namespace efface::fuzz {
namespace {

using Kind = rights::SealedImage::Kind;

// A value that begins as one of ours does.
std::string sealed(std::size_t size, char third = 0) {
  std::string value(size, 's');
  value[0] = value[1] = 1;
  value[2] = third;
  for (std::size_t i = 3; i < 16; ++i) value[i] = 0;
  return value;
}

std::vector<std::byte> base() {
  const test::TempDirectory directory("forensics");
  {
    test::LmdbWriter writer(directory.path());
    writer.begin();
    writer.put(std::string(32, 'h'), sealed(100));
    writer.put(std::string(32, 'i'), sealed(9'000));  // On overflow pages.
    writer.put("group" + std::string(3, '\0') + std::string(16, 'g'), sealed(100, 4));
    writer.put('d' + std::string(20, 'f'), sealed(200));
    writer.put('n' + std::string(9, '\0'), sealed(1'996));
    writer.put('n' + std::string(8, '\0') + '\1', sealed(3'940));
    writer.put("r", sealed(122));
    writer.commit();
  }
  return test::Image::of(directory.path()).bytes;
}

class Bench {
 public:
  Bench() {
    fd_ = ::open((directory_ / "file").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    EFFACE_CHECK(fd_ >= 0);
    search(base_);
    EFFACE_CHECK(found_ == 7);  // Or it would find nothing to be wrong about.
  }

  void run(Input& input) {
    if (input.below(2) == 0) return search(input.rest());
    std::vector<std::byte> image = base_;
    while (!input.empty()) {
      const std::size_t at = input.number<std::uint32_t>() % image.size();
      const Bytes bytes = input.take(input.byte());
      std::copy_n(bytes.begin(), std::min(bytes.size(), image.size() - at),
                  image.begin() + static_cast<std::ptrdiff_t>(at));
      if (bytes.empty()) image.resize(std::max<std::size_t>(at, 1));  // Cut short.
    }
    search(image);
  }

 private:
  void search(Bytes bytes) {
    EFFACE_CHECK(::pwrite(fd_, bytes.data(), bytes.size(), 0) ==
                 static_cast<ssize_t>(bytes.size()));
    EFFACE_CHECK(::ftruncate(fd_, static_cast<off_t>(bytes.size())) == 0);
    auto file = os::ForeignFile::open(directory_ / "file");
    EFFACE_CHECK(file && file->size() == bytes.size());
    rights::ImageFile searched(*std::move(file), 7);
    found_ = 0;
    base::Reached reached;
    const Status done = searched.search(reached, [&](const rights::SealedImage& image) -> Status {
      ++found_;
      touch(image.key);
      EFFACE_CHECK(image.value.size() == image.place.size && image.place.file == 7);
      const auto again = searched.read(image.place);
      EFFACE_CHECK(again && same(*again, image.value));
      const auto size = static_cast<std::uint32_t>(image.value.size());
      EFFACE_CHECK(rights::kind_of(image.key, size, image.value) == image.kind);
      EFFACE_CHECK((image.kind == Kind::node) ==
                   keyring::node_of(image.key, size, image.value).has_value());
      return {};
    });
    EFFACE_CHECK(done.has_value());
  }

  const std::vector<std::byte> base_ = base();
  test::TempDirectory directory_{"fuzz"};
  int fd_ = -1;
  std::size_t found_ = 0;
};

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static efface::fuzz::Bench bench;
  efface::fuzz::Input input(data, size);
  bench.run(input);
  return 0;
}
