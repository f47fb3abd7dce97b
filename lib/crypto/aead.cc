#include "crypto/aead.h"

#include <sodium.h>

#include <functional>

#include "base/check.h"
#include "crypto/random.h"

namespace efface::crypto {
namespace {

static_assert(nonce_bytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(tag_bytes == crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(key_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* in(const std::byte* bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes);
}

bool overlap(Bytes a, Bytes b) noexcept {
  const std::less<const std::byte*> before;
  return !a.empty() && !b.empty() && before(a.data(), b.data() + b.size()) &&
         before(b.data(), a.data() + a.size());
}

}  // namespace

void seal(KeyView key, Bytes associated, Bytes plaintext, MutableBytes out) noexcept {
  EFFACE_CHECK(out.size() >= seal_overhead_bytes);
  EFFACE_CHECK(out.size() - seal_overhead_bytes == plaintext.size());
  EFFACE_CHECK(!overlap(plaintext, out));
  const MutableBytes nonce = out.first(nonce_bytes);
  fill_random(nonce);
  auto* const sealed = reinterpret_cast<unsigned char*>(out.data() + nonce_bytes);
  // It has no failure for lengths that fit into memory.
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      sealed, nullptr, in(plaintext.data()), plaintext.size(), in(associated.data()),
      associated.size(), nullptr, in(nonce.data()), in(key.data()));
}

Status open(KeyView key, Bytes associated, Bytes sealed, MutableBytes out) noexcept {
  if (sealed.size() < seal_overhead_bytes)
    return Error(Errc::corruption, "sealed bytes are too short");
  EFFACE_CHECK(out.size() == sealed.size() - seal_overhead_bytes);
  EFFACE_CHECK(!overlap(sealed, out));
  // Told to write to null, libsodium only verifies: that is what an empty plaintext needs, and an
  // empty span may well be null.
  const Bytes body = sealed.subspan(nonce_bytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(out.data()),
                                                 nullptr, nullptr, in(body.data()), body.size(),
                                                 in(associated.data()), associated.size(),
                                                 in(sealed.data()), in(key.data())) != 0)
    return Error(Errc::corruption, "sealed bytes do not verify");
  return {};
}

}  // namespace efface::crypto
