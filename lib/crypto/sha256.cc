#include "crypto/sha256.h"

#include <sodium.h>

namespace efface::crypto {

std::array<std::byte, 32> sha256(std::initializer_list<Bytes> parts) noexcept {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const Bytes part : parts) {
    if (part.empty()) continue;
    crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(part.data()),
                              part.size());
  }
  std::array<std::byte, 32> out;
  crypto_hash_sha256_final(&state, reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

}  // namespace efface::crypto
