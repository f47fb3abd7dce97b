// records/sealed.h -- bytes sealed for storage elsewhere, under a key of one person and purpose.
//
// Shape   docs/format/sealed.md: "EFSB" | version 1 | suite 1 | purpose 2 | generation 4 | bucket 4
//         | mark 16 | nonce 24 | ciphertext | tag 16. The mark says whether a key may be the one,
//         and nothing to who does not know the key's handle.
// Errors  format_new; corruption for bytes that do not verify.
// Cost    1 KiB: about 1.5 microseconds either way.
#pragma once
#include <vector>

#include "codec/plaintext.h"
#include "records/envelope.h"

namespace efface::records {

inline constexpr std::uint8_t sealed_version = 1;
inline constexpr std::size_t sealed_header_bytes = 32;
inline constexpr std::size_t sealed_overhead_bytes =
    sealed_header_bytes + crypto::seal_overhead_bytes;

// keys.scope is the row of the sealing key.
std::vector<std::byte> seal_bytes(const ScopeKeys& keys, Bytes context, Bytes plain);

// What stands in clear, before any key is looked for. Its flags are zero.
Result<ClearHeader> read_sealed_header(Bytes sealed);
// After read_sealed_header accepted it.
bool is_marked_for(const keyring::Handle& handle, Bytes sealed) noexcept;

Result<codec::Plaintext> open_bytes(const ScopeKeys& keys, Bytes context, Bytes sealed);

}  // namespace efface::records
