// crypto/sign.h -- signatures: Ed25519. What is kept is the seed of 32 bytes; the private key is
// expanded from it while signing, in wiped memory.
//
// Cost    Signing 50 microseconds with the expansion; verifying 60.
// Source  RFC 8032; libsodium crypto_sign_detached, which refuses a signature that could be written
//         in another way (S not reduced) and keys of small order.
#pragma once
#include <array>
#include <utility>

#include "base/bytes.h"
#include "crypto/secret.h"

namespace efface::crypto {

using VerifyingKey = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;

class SigningKey {
 public:
  static SigningKey generate();
  static SigningKey of(SecretKey seed);  // Always the same key pair from one seed.

  const SecretKey& seed() const noexcept { return seed_; }
  const VerifyingKey& verifying_key() const noexcept { return verifying_key_; }
  Signature sign(Bytes message) const;

 private:
  explicit SigningKey(SecretKey seed) noexcept : seed_(std::move(seed)) {}
  SecretKey seed_;
  VerifyingKey verifying_key_{};
};

// Needs no initialise().
bool verifies(const VerifyingKey& key, Bytes message, const Signature& signature) noexcept;

}  // namespace efface::crypto
