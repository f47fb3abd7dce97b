// A whole root key file of two slots that the engine filled, opened and used.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "base/check.h"
#include "efface/file_root_key_store.h"
#include "root_sector.h"
#include "support/temp_directory.h"

namespace efface::fuzz {
namespace {

constexpr std::size_t slot_field_bytes = 176;

class KeyFile {
 public:
  KeyFile() {
    fd_ = ::open(path().c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    EFFACE_CHECK(fd_ >= 0);
  }
  void fill(Input& input) {
    std::vector<std::byte> bytes(keyring::root_file_bytes);
    Sector header{};
    keyring::encode_header({store_id, std::nullopt}, crypto::SecretKey(), header);
    std::copy(header.begin(), header.end(), bytes.begin());
    for (std::uint8_t index = 0; index < keyring::root_slots; ++index) {
      const bool mended = input.below(8) != 0;
      // The fields, without the zeros that are most of a slot.
      Sector slot{};
      const auto fields = input.array<slot_field_bytes>();
      std::copy(fields.begin(), fields.end(), slot.begin());
      std::copy_n(as_bytes(slot_magic).begin(), slot_magic.size(), slot.begin());
      store_le<std::uint16_t>(slot.data() + slot_magic.size(), 1);
      if (mended) mend_slot(slot, index);
      const std::uint64_t at = keyring::root_slot_offset(index);
      std::copy(slot.begin(), slot.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    }
    EFFACE_CHECK(::pwrite(fd_, bytes.data(), bytes.size(), 0) ==
                 static_cast<ssize_t>(bytes.size()));
  }
  std::filesystem::path path() const { return directory_ / "root.key"; }

 private:
  test::TempDirectory directory_{"fuzz"};
  int fd_ = -1;
};

// Whatever the slots say, the epochs are in order, and one that is destroyed is gone.
void use_file(Input& input) {
  static KeyFile file;
  file.fill(input);
  FileRootKeyStoreOptions options;
  options.path = file.path();
  options.accept_l0 = true;
  const auto store = FileRootKeyStore::open(options);
  if (!store) return;
  const auto held = (*store)->list();
  const auto anchor = (*store)->anchor();
  EFFACE_CHECK(held && anchor && held->size() <= 2);
  EFFACE_CHECK(held->size() < 2 || (*held)[0] < (*held)[1]);
  std::array<std::byte, 32> key{};
  for (const Epoch epoch : *held) {
    const auto wrapped = (*store)->wrap(epoch, {}, key);
    EFFACE_CHECK(wrapped && (*store)->unwrap(epoch, {}, *wrapped, key));
  }
  const Epoch destroyed = held->empty() ? 1 : held->front();
  const Epoch created = destroyed + 1 + input.byte();
  const Status rotated = input.below(2) == 0 ? (*store)->rotate(destroyed, created, *anchor)
                                             : (*store)->destroy(destroyed);
  const auto after = (*store)->list();
  EFFACE_CHECK(after.has_value());
  if (rotated)
    for (const Epoch epoch : *after) EFFACE_CHECK(epoch != destroyed);
  else
    EFFACE_CHECK(*after == *held);
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  EFFACE_CHECK(crypto::initialise().has_value());
  fuzz::Input input(data, size);
  fuzz::use_file(input);
  return 0;
}
