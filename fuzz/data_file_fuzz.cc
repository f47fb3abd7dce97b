// A damaged data.mdb: the verifier refuses it, or LMDB can open it, read it and write to it.
//
// Shape  kind 1: 0, then the whole file; or 1 or 2, a file that LMDB wrote, then what is changed in
//        it: offset 4, bytes 1, as many bytes.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "storage/data_file.h"
#include "storage/environment.h"
#include "storage/verify.h"

namespace efface::fuzz {
namespace {

constexpr std::size_t image_bytes_max = std::size_t{1} << 20;

// Everything that a store does with one, in bounded time. The errors are of no interest.
void use(const os::Directory& directory) {
  storage::EnvironmentOptions options;
  options.map_bytes = std::size_t{4} << 20;
  options.map_bytes_max = std::size_t{8} << 20;
  options.headroom_bytes = std::size_t{1} << 20;
  auto environment = storage::Environment::open(directory, options);
  if (!environment) return;
  std::vector<std::vector<std::byte>> keys;
  const auto look = [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
    touch(entry.value);
    keys.emplace_back(entry.key.begin(), entry.key.end());
    return Flow::more;
  };
  if (auto txn = environment->read()) {
    EFFACE_CHECK(txn->scan({}, {}, look).has_value());
    for (const auto& key : keys) {
      const auto found = txn->get(key);
      EFFACE_CHECK(found && *found);
    }
  }
  for (const bool removing : {false, true}) {
    auto txn = environment->write(storage::Space::removal);
    if (!txn) return;
    const std::array<std::byte, 300> value{};
    for (std::size_t i = 0; i < keys.size(); i += removing ? 1 : 3) {
      const Status done = removing ? [&]() -> Status {
        if (const auto removed = txn->remove(keys[i]); !removed) return removed.error();
        return {};
      }()
          : txn->put(keys[i], value);
      if (!done) return;
    }
    if (!std::move(*txn).commit()) return;
  }
}

class Bench {
 public:
  Bench() {
    bases_.push_back(test::small_image().bytes);
    bases_.push_back(test::tall_image().bytes);
    fd_ = ::open((directory_ / "data.mdb").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    EFFACE_CHECK(fd_ >= 0);
  }

  void run(Input& input) {
    const std::uint32_t kind = input.below(3);
    std::vector<std::byte> image;
    if (kind == 0) {
      const Bytes rest = input.rest();
      image.assign(rest.begin(), rest.end());
    } else {
      image = bases_[kind - 1];
      while (!input.empty()) change(image, input);
    }
    EFFACE_CHECK(::pwrite(fd_, image.data(), image.size(), 0) ==
                 static_cast<ssize_t>(image.size()));
    EFFACE_CHECK(::ftruncate(fd_, static_cast<off_t>(image.size())) == 0);
    const auto directory = os::Directory::open(directory_.path());
    EFFACE_CHECK(directory.has_value());
    {
      const auto file = os::File::open(*directory, "data.mdb", os::File::Access::read);
      EFFACE_CHECK(file.has_value());
      if (!storage::verify_structure(*file)) return;
      EFFACE_CHECK(storage::verify_metas(*file).has_value());
    }
    use(*directory);
    const auto file = os::File::open(*directory, "data.mdb", os::File::Access::read);
    EFFACE_CHECK(file && storage::verify_structure(*file));  // A good file of a good file.
  }

 private:
  static void change(std::vector<std::byte>& image, Input& input) {
    const std::size_t at = input.number<std::uint32_t>() % image_bytes_max;
    const Bytes bytes = input.take(input.byte());
    if (bytes.empty()) image.resize(std::min(at, image.size()));  // Cut short.
    if (at >= image.size()) return;
    std::copy_n(bytes.begin(), std::min(bytes.size(), image.size() - at),
                image.begin() + static_cast<std::ptrdiff_t>(at));
  }

  test::TempDirectory directory_{"fuzz"};
  std::vector<std::vector<std::byte>> bases_;
  int fd_ = -1;
};

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static efface::fuzz::Bench bench;
  efface::fuzz::Input input(data, size);
  bench.run(input);
  return 0;
}
