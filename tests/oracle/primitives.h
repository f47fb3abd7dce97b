// oracle/primitives.h -- integers, hashes and seals as docs/format/ describes them, straight on
// libsodium.
#pragma once
#include <sodium.h>

#include <array>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "oracle/disclosure.h"

namespace disclosure {

template <class Integer>
Integer little(Bytes bytes, std::size_t offset) {
  Integer value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

inline std::uint32_t big32(Bytes bytes, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = (value << 8) | std::to_integer<std::uint32_t>(bytes[offset + i]);
  return value;
}

inline Id id_at(Bytes bytes, std::size_t offset) {
  Id id;
  std::memcpy(id.data(), bytes.data() + offset, id.size());
  return id;
}

inline Key key_at(Bytes bytes, std::size_t offset) {
  Key key;
  std::memcpy(key.data(), bytes.data() + offset, key.size());
  return key;
}

inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// BLAKE2b over fields, each after its length in eight bytes.
template <std::size_t N>
std::array<std::byte, N> hash(Bytes key, std::initializer_list<Bytes> fields) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, key.empty() ? nullptr : raw(key), key.size(), N);
  for (const Bytes field : fields) {
    const std::uint64_t size = field.size();
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&size), sizeof size);
    if (!field.empty()) crypto_generichash_update(&state, raw(field), field.size());
  }
  std::array<std::byte, N> out;
  crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(out.data()), N);
  return out;
}

inline constexpr std::size_t nonce_bytes = 24;
inline constexpr std::size_t seal_bytes = nonce_bytes + 16;

// sealed = nonce 24 | ciphertext | tag 16. Answers whether it verified; plain then has its content.
inline bool open_sealed(const Key& key, Bytes associated, Bytes sealed,
                        std::vector<std::byte>& plain) {
  if (sealed.size() < seal_bytes) return false;
  plain.resize(sealed.size() - seal_bytes + 1);  // Never null, which would mean: verify alone.
  const bool opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
                          reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr,
                          raw(sealed) + nonce_bytes, sealed.size() - nonce_bytes, raw(associated),
                          associated.size(), raw(sealed), raw(key)) == 0;
  plain.resize(sealed.size() - seal_bytes);
  return opened;
}

// How the plaintext would begin if the key were right, whether or not it is: a tenth of the cost of
// asking whether all of it verifies. XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): the subkey is
// HChaCha20 of the nonce's first 16 bytes, and the text begins with the second block.
inline std::uint32_t first_word(const Key& key, Bytes sealed) {
  std::array<unsigned char, 32> subkey;
  crypto_core_hchacha20(subkey.data(), raw(sealed), raw(key), nullptr);
  std::array<unsigned char, 12> nonce{};
  std::memcpy(nonce.data() + 4, raw(sealed) + 16, 8);
  std::uint32_t word = 0;
  crypto_stream_chacha20_ietf_xor_ic(reinterpret_cast<unsigned char*>(&word),
                                     raw(sealed) + nonce_bytes, sizeof word, nonce.data(), 1,
                                     subkey.data());
  return word;
}

class Concatenation {
 public:
  Concatenation& add(Bytes bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  template <class Integer>
  Concatenation& add_little(Integer value) {
    std::array<std::byte, sizeof value> bytes;
    std::memcpy(bytes.data(), &value, sizeof value);
    return add(bytes);
  }
  Bytes bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace disclosure
