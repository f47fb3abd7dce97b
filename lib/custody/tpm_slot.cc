#include "custody/tpm_slot.h"

#include <algorithm>

#include "crypto/prf.h"

namespace efface::custody {
namespace {

constexpr std::array magic{std::byte{'e'}, std::byte{'f'}, std::byte{'f'}, std::byte{'a'},
                           std::byte{'c'}, std::byte{'e'}, std::byte{'T'}, std::byte{'S'}};
constexpr std::uint16_t version = 1;
constexpr std::size_t version_at = 8;
constexpr std::size_t epoch_at = 16;
constexpr std::size_t key_at = 24;
constexpr std::size_t checksum_at = 56;
static_assert(checksum_at + sizeof(Id16) == tpm_slot_bytes);

Id16 checksum_of(TpmSlotView bytes, const RootKeyStore::StoreId& store) noexcept {
  return crypto::hash128({as_bytes("efface.token.slot"), store, bytes.first(checksum_at)});
}

}  // namespace

void encode(const TpmSlot& slot, const RootKeyStore::StoreId& store, TpmSlotSpan out) noexcept {
  std::ranges::fill(out, std::byte{0});
  std::ranges::copy(magic, out.begin());
  store_le(out.data() + version_at, version);
  store_le(out.data() + epoch_at, slot.epoch);
  std::ranges::copy(slot.key.bytes(), out.data() + key_at);
  std::ranges::copy(checksum_of(out, store), out.data() + checksum_at);
}

Result<std::optional<TpmSlot>> decode_tpm_slot(TpmSlotView bytes,
                                               const RootKeyStore::StoreId& store) {
  using Nothing = std::optional<TpmSlot>;
  if (!std::ranges::equal(bytes.first(magic.size()), magic)) return Nothing();
  if (!std::ranges::equal(bytes.subspan(checksum_at), checksum_of(bytes, store))) return Nothing();
  if (load_le<std::uint16_t>(bytes.data() + version_at) != version)
    return Error(Errc::format_new, "a key in the TPM is of a later version");
  TpmSlot slot;
  slot.epoch = load_le<Epoch>(bytes.data() + epoch_at);
  slot.key = crypto::SecretKey::copy_of(bytes.subspan<key_at, crypto::key_bytes>());
  return std::optional(std::move(slot));
}

}  // namespace efface::custody
