// crypto/hasher.h -- BLAKE2b-256 of bytes that come in pieces, without lengths or a key: what
// `b2sum -l 256` says of a file.
//
// Source  RFC 7693; libsodium crypto_generichash.
#pragma once
#include <array>
#include <memory>

#include "base/bytes.h"

namespace efface::crypto {

class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void add(Bytes bytes) noexcept;
  std::array<std::byte, 32> finish() noexcept;  // Once, at the end.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace efface::crypto
