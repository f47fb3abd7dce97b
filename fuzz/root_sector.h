// Sectors of a root key file whose checksums are good, whatever else they hold.
#pragma once
#include "crypto/prf.h"
#include "input.h"
#include "keyring/root_slot.h"

namespace efface::fuzz {

using keyring::root_sector_bytes;
using Sector = std::array<std::byte, root_sector_bytes>;

inline constexpr std::size_t checksum_at = root_sector_bytes - 16;
inline constexpr RootKeyStore::StoreId store_id{std::byte{9}};
inline constexpr std::string_view header_magic = "effaceRK";
inline constexpr std::string_view slot_magic{"effslot\0", 8};

inline void put_checksum(Sector& sector, const Id16& sum) {
  std::copy(sum.begin(), sum.end(), sector.begin() + checksum_at);
}
inline void mend_header(Sector& sector) {
  put_checksum(sector,
               crypto::hash128({as_bytes("efface.root.header"), Bytes(sector).first(checksum_at)}));
}
inline void mend_slot(Sector& sector, std::uint8_t index) {
  const std::array place{std::byte{index}};
  put_checksum(sector, crypto::hash128({as_bytes("efface.root.slot"), store_id, place,
                                        Bytes(sector).first(checksum_at)}));
}

}  // namespace efface::fuzz
