// crypto/passphrase.h -- a key from a passphrase: Argon2id (RFC 9106), version 1.3.
//
// Errors  invalid_argument for an empty passphrase, and for a cost outside of the bounds here (a
//         hostile file must not make us allocate a terabyte); too_large for a passphrase over
//         limits::passphrase_bytes_max; out_of_memory.
#pragma once
#include <cstdint>

#include "base/bytes.h"
#include "crypto/secret.h"
#include "efface/result.h"

namespace efface::crypto {

struct Argon2idCost {
  std::uint32_t passes;
  std::uint32_t memory_kib;
};
inline constexpr Argon2idCost argon2id_default{.passes = 3, .memory_kib = 256 * 1024};
inline constexpr Argon2idCost argon2id_minimum{.passes = 1, .memory_kib = 8};  // tests
inline constexpr Argon2idCost argon2id_maximum{.passes = 64, .memory_kib = 4 * 1024 * 1024};

Result<SecretKey> key_from_passphrase(Bytes passphrase, const Id16& salt, Argon2idCost cost);

}  // namespace efface::crypto
