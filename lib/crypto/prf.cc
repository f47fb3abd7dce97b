#include "crypto/prf.h"

#include <sodium.h>

#include "base/check.h"

namespace efface::crypto {
namespace {

// A BLAKE2b state holds the key in its first block, so it is wiped however short its life was.
class Hasher {
 public:
  Hasher(const std::byte* key, std::size_t key_size, std::size_t out_size) noexcept {
    EFFACE_CHECK(crypto_generichash_init(&state_, reinterpret_cast<const unsigned char*>(key),
                                         key_size, out_size) == 0);
  }
  ~Hasher() { sodium_memzero(&state_, sizeof state_); }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void add(Bytes bytes) noexcept {
    if (bytes.empty()) return;
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()),
                              bytes.size());
  }
  void finish(MutableBytes out) noexcept {
    EFFACE_CHECK(crypto_generichash_final(&state_, reinterpret_cast<unsigned char*>(out.data()),
                                          out.size()) == 0);
  }

 private:
  crypto_generichash_state state_;
};

void hash(const std::byte* key, std::size_t key_size, std::initializer_list<Bytes> fields,
          MutableBytes out) noexcept {
  Hasher hasher(key, key_size, out.size());
  for (const Bytes field : fields) {
    std::byte length[8];
    store_le<std::uint64_t>(length, field.size());
    hasher.add(length);
    hasher.add(field);
  }
  hasher.finish(out);
}

}  // namespace

void prf256(KeyView key, std::initializer_list<Bytes> fields, KeySpan out) noexcept {
  hash(key.data(), key.size(), fields, out);
}

Id16 prf128(KeyView key, std::initializer_list<Bytes> fields) noexcept {
  Id16 out;
  hash(key.data(), key.size(), fields, out);
  return out;
}

std::array<std::byte, 32> hash256(std::initializer_list<Bytes> fields) noexcept {
  std::array<std::byte, 32> out;
  hash(nullptr, 0, fields, out);
  return out;
}

Id16 hash128(std::initializer_list<Bytes> fields) noexcept {
  Id16 out;
  hash(nullptr, 0, fields, out);
  return out;
}

}  // namespace efface::crypto
