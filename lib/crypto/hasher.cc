#include "crypto/hasher.h"

#include <sodium.h>

#include "base/check.h"

namespace efface::crypto {
namespace {
constexpr std::size_t hash_bytes = 32;
}

struct Hasher::State {
  crypto_generichash_state state;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  EFFACE_CHECK(crypto_generichash_init(&state_->state, nullptr, 0, hash_bytes) == 0);
}
Hasher::~Hasher() = default;

void Hasher::add(Bytes bytes) noexcept {
  crypto_generichash_update(&state_->state, reinterpret_cast<const unsigned char*>(bytes.data()),
                            bytes.size());
}

std::array<std::byte, 32> Hasher::finish() noexcept {
  std::array<std::byte, hash_bytes> out;
  EFFACE_CHECK(crypto_generichash_final(
                   &state_->state, reinterpret_cast<unsigned char*>(out.data()), out.size()) == 0);
  return out;
}

}  // namespace efface::crypto
