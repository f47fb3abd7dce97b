// The bytes that an engine chose, taken one after the other. At the end there are only zeros.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "codec/plaintext.h"

namespace efface::fuzz {

// Whether a seal or a signature that nobody made is refused: not in front of open_crypto.cc.
#ifdef EFFACE_FUZZ_STUB_AEAD
inline constexpr bool authentic = false;
#else
inline constexpr bool authentic = true;
#endif

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept
      : left_(reinterpret_cast<const std::byte*>(data), size) {}

  bool empty() const noexcept { return left_.empty(); }
  std::uint8_t byte() noexcept { return number<std::uint8_t>(); }
  std::uint32_t below(std::uint32_t end) noexcept { return byte() % end; }
  template <std::unsigned_integral T>
  T number() noexcept {
    T value = 0;
    const Bytes bytes = take(sizeof value);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(&value));
    return value;
  }
  // As many, or what is left.
  Bytes take(std::size_t size) noexcept {
    const Bytes taken = left_.first(std::min(size, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  Bytes rest() noexcept { return take(left_.size()); }
  // Exactly as many: zeros behind what is left.
  template <std::size_t N>
  std::array<std::byte, N> array() noexcept {
    std::array<std::byte, N> out{};
    const Bytes bytes = take(N);
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
  }

 private:
  Bytes left_;
};

// A copy that starts where new[] starts, as what is read from a file or a seal does, and that ends
// where its memory ends: reading past it is seen.
inline codec::Plaintext owned(Bytes bytes) {
  codec::Plaintext copy(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.data());
  return copy;
}

// Reads every byte.
inline void touch(Bytes bytes) noexcept {
  unsigned sum = 0;
  for (const std::byte b : bytes) sum += std::to_integer<unsigned>(b);
  [[maybe_unused]] static volatile unsigned kept;
  kept = sum;
}

// In one call: a loop would be instrumented.
inline bool same(Bytes a, Bytes b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace efface::fuzz
