// In place of libsodium's calls of these names, for fuzz targets alone (EFFACE_FUZZ_STUB_AEAD):
// nothing is encrypted, every tag and every signature is good. So an engine that changes a byte of
// what is sealed changes what is read behind the seal.
//
// The library is what it always is. The linker takes these before those of the shared libsodium, in
// the programs that have them, and there are none of those in what is installed.
#include <sodium.h>

#include <algorithm>

namespace {

constexpr std::size_t stream_tag_bytes = crypto_secretstream_xchacha20poly1305_ABYTES;

void set(unsigned long long* where, unsigned long long size) {
  if (where != nullptr) *where = size;
}

}  // namespace

extern "C" {

int crypto_aead_xchacha20poly1305_ietf_encrypt(unsigned char* c, unsigned long long* c_bytes,
                                               const unsigned char* m, unsigned long long m_bytes,
                                               const unsigned char*, unsigned long long,
                                               const unsigned char*, const unsigned char*,
                                               const unsigned char*) {
  std::fill_n(std::copy_n(m, m_bytes, c), crypto_aead_xchacha20poly1305_ietf_ABYTES, 0);
  set(c_bytes, m_bytes + crypto_aead_xchacha20poly1305_ietf_ABYTES);
  return 0;
}

int crypto_aead_xchacha20poly1305_ietf_decrypt(unsigned char* m, unsigned long long* m_bytes,
                                               unsigned char*, const unsigned char* c,
                                               unsigned long long c_bytes, const unsigned char*,
                                               unsigned long long, const unsigned char*,
                                               const unsigned char*) {
  if (c_bytes < crypto_aead_xchacha20poly1305_ietf_ABYTES) return -1;
  const unsigned long long size = c_bytes - crypto_aead_xchacha20poly1305_ietf_ABYTES;
  if (m != nullptr) std::copy_n(c, size, m);
  set(m_bytes, size);
  return 0;
}

int crypto_box_seal(unsigned char* c, const unsigned char* m, unsigned long long m_bytes,
                    const unsigned char*) {
  std::copy_n(m, m_bytes, std::fill_n(c, crypto_box_SEALBYTES, 0));
  return 0;
}

int crypto_box_seal_open(unsigned char* m, const unsigned char* c, unsigned long long c_bytes,
                         const unsigned char*, const unsigned char*) {
  if (c_bytes < crypto_box_SEALBYTES) return -1;
  std::copy_n(c + crypto_box_SEALBYTES, c_bytes - crypto_box_SEALBYTES, m);
  return 0;
}

int crypto_secretstream_xchacha20poly1305_push(crypto_secretstream_xchacha20poly1305_state*,
                                               unsigned char* c, unsigned long long* c_bytes,
                                               const unsigned char* m, unsigned long long m_bytes,
                                               const unsigned char*, unsigned long long,
                                               unsigned char tag) {
  *c = tag;
  std::fill_n(std::copy_n(m, m_bytes, c + 1), stream_tag_bytes - 1, 0);
  set(c_bytes, m_bytes + stream_tag_bytes);
  return 0;
}

int crypto_secretstream_xchacha20poly1305_pull(crypto_secretstream_xchacha20poly1305_state*,
                                               unsigned char* m, unsigned long long* m_bytes,
                                               unsigned char* tag, const unsigned char* c,
                                               unsigned long long c_bytes, const unsigned char*,
                                               unsigned long long) {
  if (c_bytes < stream_tag_bytes) return -1;
  *tag = *c;
  std::copy_n(c + 1, c_bytes - stream_tag_bytes, m);
  set(m_bytes, c_bytes - stream_tag_bytes);
  return 0;
}

// The public key is the seed: as fixed as a real one, and nothing is computed.
int crypto_sign_seed_keypair(unsigned char* public_key, unsigned char* secret_key,
                             const unsigned char* seed) {
  std::copy_n(seed, crypto_sign_SEEDBYTES, public_key);
  std::copy_n(seed, crypto_sign_SEEDBYTES, std::copy_n(seed, crypto_sign_SEEDBYTES, secret_key));
  return 0;
}

int crypto_sign_detached(unsigned char* signature, unsigned long long* signature_bytes,
                         const unsigned char*, unsigned long long, const unsigned char*) {
  std::fill_n(signature, crypto_sign_BYTES, 0);
  set(signature_bytes, crypto_sign_BYTES);
  return 0;
}

int crypto_sign_verify_detached(const unsigned char*, const unsigned char*, unsigned long long,
                                const unsigned char*) {
  return 0;
}

}  // extern "C"
