// keyring/root_slot.h -- the bytes of a root key file: its header and its two slots. Pure
// functions.
//
// Shape   docs/format/root-key-file.md.
// Errors  format_new: of a later version. corruption: not such bytes, or changed. passphrase_wrong.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "crypto/passphrase.h"
#include "crypto/secret.h"
#include "efface/root_key_store.h"

namespace efface::keyring {

inline constexpr std::size_t root_block_bytes = 4096;
inline constexpr std::size_t root_sector_bytes = 512;
inline constexpr std::size_t root_file_bytes = 4 * root_block_bytes;
inline constexpr std::size_t root_slots = 2;
constexpr std::uint64_t root_slot_offset(std::size_t index) noexcept {
  return (1 + index) * root_block_bytes;
}

using RootSector = std::span<std::byte, root_sector_bytes>;
using RootSectorView = std::span<const std::byte, root_sector_bytes>;

struct RootHeader {
  struct Passphrase {
    Id16 salt{};
    crypto::Argon2idCost cost{};
  };
  RootKeyStore::StoreId store_id{};
  std::optional<Passphrase> passphrase;  // Nothing: the keys stand in clear.
};

// passphrase_key is the one of header.passphrase; not used without.
void encode_header(const RootHeader& header, const crypto::SecretKey& passphrase_key,
                   RootSector out) noexcept;
Result<RootHeader> decode_header(RootSectorView sector);
// Whether this is the key that the header was written with. Errors: passphrase_wrong.
Status check_passphrase_key(RootSectorView sector, const crypto::SecretKey& passphrase_key);
// What the slots are sealed under.
crypto::SecretKey derive_seal_key(const crypto::SecretKey& passphrase_key,
                                  const RootKeyStore::StoreId& store_id);

struct RootSlot {
  crypto::SecretKey key;  // Empty in an empty slot.
  Epoch epoch = 0;
  Epoch highest_epoch = 0;
  std::uint64_t written_at_bytes = 0;  // On the file system's device; 0: unknown.
  Anchor anchor;

  bool live() const noexcept { return !key.empty(); }
};

// Which slot of which file the bytes are, and what seals it.
struct RootSlotPlace {
  const RootKeyStore::StoreId& store_id;
  const crypto::SecretKey& seal_key;  // Empty: in clear.
  std::uint8_t index;
};

void encode_slot(const RootSlot& slot, const RootSlotPlace& place, RootSector out) noexcept;
// Nothing for a torn or foreign sector. Errors: corruption where the checksum is right and the rest
// is not.
Result<std::optional<RootSlot>> decode_slot(RootSectorView sector, const RootSlotPlace& place);

}  // namespace efface::keyring
