// custody/tpm_slot.h -- the bytes of an NV index that holds the key of one epoch. Pure functions.
//
// Shape   72 bytes, integers little-endian, version 1:
//           0   8  "effaceTS"       16   8  epoch
//           8   2  version          24  32  key
//          10   6  zero             56  16  checksum: BLAKE2b-128("efface.token.slot", store id,
//                                           0..56)
// Errors  decode: format_new. Nothing where the bytes are torn, zeros or foreign.
#pragma once
#include <optional>

#include "crypto/secret.h"
#include "efface/root_key_store.h"

namespace efface::custody {

inline constexpr std::size_t tpm_slot_bytes = 72;
using TpmSlotSpan = std::span<std::byte, tpm_slot_bytes>;
using TpmSlotView = std::span<const std::byte, tpm_slot_bytes>;

struct TpmSlot {
  Epoch epoch = 0;
  crypto::SecretKey key;
};

void encode(const TpmSlot& slot, const RootKeyStore::StoreId& store, TpmSlotSpan out) noexcept;
Result<std::optional<TpmSlot>> decode_tpm_slot(TpmSlotView bytes,
                                               const RootKeyStore::StoreId& store);

}  // namespace efface::custody
