// The root key file: its header and slots as bytes, also with the checksum made good.
#include <cstdint>

#include "base/check.h"
#include "crypto/aead.h"
#include "root_sector.h"

namespace efface::fuzz {
namespace {

using keyring::RootSlotPlace;

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

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  EFFACE_CHECK(crypto::initialise().has_value());
  fuzz::Input input(data, size);
  fuzz::look_at_sectors(input);
  return 0;
}
