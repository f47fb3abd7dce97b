// base/bytes.h -- fixed-size ids and integers as bytes.
//
// Shape  store_be: keys that LMDB sorts. store_le: everything else that we lay out ourselves.
#pragma once
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "efface/bytes.h"

namespace efface {

using MutableBytes = std::span<std::byte>;
using Id16 = std::array<std::byte, 16>;

template <std::unsigned_integral T>
constexpr void store_be(std::span<std::byte, sizeof(T)> out, T value) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out[i] = static_cast<std::byte>((value >> (8 * (sizeof(T) - 1 - i))) & 0xff);
}
template <std::unsigned_integral T>
constexpr T load_be(std::span<const std::byte, sizeof(T)> in) noexcept {
  T value = 0;
  for (std::byte b : in) value = static_cast<T>((value << 8) | std::to_integer<T>(b));
  return value;
}
template <std::unsigned_integral T>
void store_le(std::byte* out, T value) noexcept {
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(out, &value, sizeof value);
}
template <std::unsigned_integral T>
T load_le(const std::byte* in) noexcept {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, in, sizeof value);
  return value;
}

// Hash for containers of random or keyed-hash ids: the bytes are the hash.
struct Id16Hash {
  std::size_t operator()(const Id16& id) const noexcept {
    std::size_t out;
    std::memcpy(&out, id.data(), sizeof out);
    return out;
  }
};

}  // namespace efface
