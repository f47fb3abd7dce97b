// crypto/aead.h -- authenticated encryption with associated data: XChaCha20-Poly1305-IETF with
// random 24-byte nonces (suite 1). The nonce is always chosen here, never by the caller.
//
// Shape    sealed = nonce 24 | ciphertext | tag 16
// Errors   open answers corruption when the tag does not verify; out holds no plaintext then, but
//          may have been zeroed.
// Cost     0.5 microseconds for 64 B, 0.95 for 1 KiB.
// Source   draft-irtf-cfrg-xchacha-03; RFC 8439. No key commitment: keys are found by place.
#pragma once
#include "base/bytes.h"
#include "crypto/secret.h"
#include "efface/result.h"

namespace efface::crypto {

inline constexpr std::uint8_t suite_xchacha20_poly1305 = 1;  // 2 AES-256-GCM and 3 AEGIS: reserved.
inline constexpr std::size_t nonce_bytes = 24;
inline constexpr std::size_t tag_bytes = 16;
inline constexpr std::size_t seal_overhead_bytes = nonce_bytes + tag_bytes;

// out.size() must be plaintext.size() + seal_overhead_bytes. out and plaintext must not overlap.
void seal(KeyView key, Bytes associated, Bytes plaintext, MutableBytes out) noexcept;

// out.size() must be sealed.size() - seal_overhead_bytes; sealed shorter than that is corruption.
Status open(KeyView key, Bytes associated, Bytes sealed, MutableBytes out) noexcept;

}  // namespace efface::crypto
