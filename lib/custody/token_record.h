// custody/token_record.h -- what a token keeps of a store beside its keys: the store's id, how far
// its epochs have come, the anchor. Pure functions.
//
// Shape   136 bytes, integers little-endian, version 1:
//           0   8  "effaceTK"        40   8  sequence: the newest of several counts
//           8   2  version           48   8  paced until, seconds since 1970 (a TPM's endurance)
//          10   6  zero              56  64  the anchor: epoch 8, root hash 32, ledger entries 8,
//          16  16  store id                  ledger hash 16
//          32   8  highest epoch    120  16  checksum: BLAKE2b-128("efface.token.record", 0..120)
//         The checksum tells damage, not malice: the token's own access control keeps others out.
// Errors  decode: format_new. Nothing where the bytes are torn or foreign.
#pragma once
#include <array>
#include <optional>

#include "base/bytes.h"
#include "efface/root_key_store.h"

namespace efface::custody {

inline constexpr std::size_t token_record_bytes = 136;
using TokenRecordBytes = std::array<std::byte, token_record_bytes>;

struct TokenRecord {
  RootKeyStore::StoreId store_id{};
  Epoch highest_epoch = 0;  // Of all that the store has destroyed; one that it holds may be higher.
  std::uint64_t sequence = 0;
  std::uint64_t paced_until_s = 0;
  Anchor anchor;
};

TokenRecordBytes encode(const TokenRecord& record) noexcept;
Result<std::optional<TokenRecord>> decode_token_record(Bytes bytes);

}  // namespace efface::custody
