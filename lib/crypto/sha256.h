// crypto/sha256.h -- SHA-256, only where a public format asks for it: the Merkle tree of the ledger
// and the key ids of signed notes. Everything of our own is BLAKE2b (crypto/prf.h).
//
// Shape   The parts are hashed one behind the other, without lengths.
// Source  FIPS 180-4; libsodium crypto_hash_sha256.
#pragma once
#include <array>
#include <initializer_list>

#include "base/bytes.h"

namespace efface::crypto {

std::array<std::byte, 32> sha256(std::initializer_list<Bytes> parts) noexcept;

}  // namespace efface::crypto
