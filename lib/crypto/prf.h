// crypto/prf.h -- keyed BLAKE2b as a pseudo-random function over length-prefixed fields.
//
// Every use names itself in its first field ("efface.dek" and so on), so that no two uses of one
// key ever hash the same input. Derivation only goes down: from keys that can be destroyed.
//
// Shape    each field is hashed as length (8 bytes, little-endian) then bytes.
// Cost     0.4 microseconds for up to 128 bytes in all.
// Source   RFC 7693; libsodium crypto_generichash.
#pragma once
#include <initializer_list>
#include <span>

#include "base/bytes.h"
#include "crypto/secret.h"

namespace efface::crypto {

void prf256(KeyView key, std::initializer_list<Bytes> fields, KeySpan out) noexcept;
Id16 prf128(KeyView key, std::initializer_list<Bytes> fields) noexcept;

// Without a key: for checksums and for names of things that are no secret.
std::array<std::byte, 32> hash256(std::initializer_list<Bytes> fields) noexcept;
Id16 hash128(std::initializer_list<Bytes> fields) noexcept;

}  // namespace efface::crypto
