#include "crypto/sign.h"

#include <sodium.h>

#include <utility>

#include "base/check.h"
#include "crypto/u8.h"

namespace efface::crypto {
namespace {

static_assert(key_bytes == crypto_sign_SEEDBYTES);
static_assert(std::tuple_size_v<VerifyingKey> == crypto_sign_PUBLICKEYBYTES);
static_assert(std::tuple_size_v<Signature> == crypto_sign_BYTES);

SecretBuffer expanded(const SecretKey& seed, VerifyingKey& public_key) {
  SecretBuffer key(crypto_sign_SECRETKEYBYTES);
  EFFACE_CHECK(crypto_sign_seed_keypair(u8(public_key.data()), u8(key.data()),
                                        u8(seed.bytes().data())) == 0);
  return key;
}

}  // namespace

SigningKey SigningKey::generate() { return of(SecretKey::random()); }

SigningKey SigningKey::of(SecretKey seed) {
  SigningKey key(std::move(seed));
  expanded(key.seed_, key.verifying_key_);
  return key;
}

Signature SigningKey::sign(Bytes message) const {
  VerifyingKey public_key;
  const SecretBuffer key = expanded(seed_, public_key);
  Signature signature;
  EFFACE_CHECK(crypto_sign_detached(u8(signature.data()), nullptr, u8(message.data()),
                                    message.size(), u8(key.data())) == 0);
  return signature;
}

bool verifies(const VerifyingKey& key, Bytes message, const Signature& signature) noexcept {
  return crypto_sign_verify_detached(u8(signature.data()), u8(message.data()), message.size(),
                                     u8(key.data())) == 0;
}

}  // namespace efface::crypto
