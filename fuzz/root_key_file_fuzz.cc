// The root key file: its header and slots as bytes, also with the checksum made good; and a whole
// file of two slots that the engine filled, opened and used.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/prf.h"
#include "efface/file_root_key_store.h"
#include "input.h"
#include "keyring/root_slot.h"
#include "support/temp_directory.h"

namespace efface::fuzz {
namespace {

using keyring::root_sector_bytes;
using keyring::RootSlotPlace;
using Sector = std::array<std::byte, root_sector_bytes>;

constexpr std::size_t checksum_at = root_sector_bytes - 16;
constexpr std::size_t slot_field_bytes = 176;
constexpr RootKeyStore::StoreId store_id{std::byte{9}};
constexpr std::string_view header_magic = "effaceRK";
constexpr std::string_view slot_magic{"effslot\0", 8};

void put_checksum(Sector& sector, const Id16& sum) {
  std::copy(sum.begin(), sum.end(), sector.begin() + checksum_at);
}
void mend_header(Sector& sector) {
  put_checksum(sector,
               crypto::hash128({as_bytes("efface.root.header"), Bytes(sector).first(checksum_at)}));
}
void mend_slot(Sector& sector, std::uint8_t index) {
  const std::array place{std::byte{index}};
  put_checksum(sector, crypto::hash128({as_bytes("efface.root.slot"), store_id, place,
                                        Bytes(sector).first(checksum_at)}));
}

Sector sector_of(Input& input, std::string_view magic) {
  Sector sector = input.array<root_sector_bytes>();
  if (!magic.empty()) std::copy_n(as_bytes(magic).begin(), magic.size(), sector.begin());
  if (!magic.empty()) store_le<std::uint16_t>(sector.data() + magic.size(), 1);
  return sector;
}

bool same(const keyring::RootSlot& a, const keyring::RootSlot& b) {
  return a.live() == b.live() && (!a.live() || fuzz::same(a.key.bytes(), b.key.bytes())) &&
         a.epoch == b.epoch && a.highest_epoch == b.highest_epoch &&
         a.written_at_bytes == b.written_at_bytes && a.anchor == b.anchor;
}

void look_at_header(const Sector& sector) {
  const auto header = keyring::decode_header(sector);
  const auto passphrase_key = crypto::SecretKey::zeroed();
  static_cast<void>(keyring::check_passphrase_key(sector, passphrase_key));
  if (!header) return;
  Sector again;
  keyring::encode_header(*header, passphrase_key, again);
  const auto read = keyring::decode_header(again);
  EFFACE_CHECK(read && read->store_id == header->store_id &&
               read->passphrase.has_value() == header->passphrase.has_value());
}

void look_at_slot(const Sector& sector, std::uint8_t index, const crypto::SecretKey& seal_key) {
  const RootSlotPlace place{store_id, seal_key, index};
  const auto slot = keyring::decode_slot(sector, place);
  if (!slot || !*slot) return;
  Sector again;
  keyring::encode_slot(**slot, place, again);
  const auto read = keyring::decode_slot(again, place);
  EFFACE_CHECK(read && *read && same(**read, **slot));
}

void look_at_sectors(Input& input) {
  const bool mended = input.below(2) != 0;
  const bool sealed = input.below(2) != 0;
  const auto index = static_cast<std::uint8_t>(input.below(2));
  const auto seal_key = sealed ? crypto::SecretKey::zeroed() : crypto::SecretKey();
  if (input.below(2) == 0) {
    Sector sector = sector_of(input, mended ? header_magic : "");
    if (mended) mend_header(sector);
    look_at_header(sector);
    return;
  }
  const bool forged = input.below(2) != 0;  // What its maker could have sealed.
  Sector sector = sector_of(input, mended ? slot_magic : "");
  if (mended && sealed && forged) {
    const std::array place{std::byte{index}};
    const auto associated = crypto::hash256(
        {as_bytes("efface.root.slot.key"), store_id, place, Bytes(sector).first(104)});
    const auto key = input.array<crypto::key_bytes>();
    crypto::seal(seal_key.bytes(), associated, key,
                 MutableBytes(sector).subspan(104, key.size() + crypto::seal_overhead_bytes));
  }
  if (mended) mend_slot(sector, index);
  look_at_slot(sector, index, seal_key);
}

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
  if (input.below(4) == 3)
    fuzz::use_file(input);
  else
    fuzz::look_at_sectors(input);
  return 0;
}
