// crypto/u8.h -- bytes as libsodium takes them.
#pragma once
#include <cstddef>

namespace efface::crypto {

inline unsigned char* u8(std::byte* bytes) noexcept {
  return reinterpret_cast<unsigned char*>(bytes);
}
inline const unsigned char* u8(const std::byte* bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes);
}

}  // namespace efface::crypto
