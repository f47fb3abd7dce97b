// codec/sample.h -- plaintexts to encode and to compress.
#pragma once
#include <cstring>
#include <string_view>

#include "codec/plaintext.h"
#include "crypto/own_memory.h"
#include "crypto/random.h"

namespace efface::test {

// Text that repeats itself with small changes, as records do.
inline codec::Plaintext repetitive(std::size_t size) {
  constexpr std::string_view row =
      "{\"street\": \"Example Road 12\", \"city\": \"Ghent\", \"n\": 00}\n";
  codec::Plaintext out(size);
  for (std::size_t i = 0; i < size; ++i)
    out.data()[i] = static_cast<std::byte>(row[i % row.size()]);
  for (std::size_t i = 0; i < size; i += row.size())
    out.data()[i] = static_cast<std::byte>('0' + (i / row.size()) % 10);
  return out;
}

inline codec::Plaintext unrepeated(std::size_t size) {
  codec::Plaintext out(size);
  crypto::fill_random(out.bytes());
  return out;
}

inline codec::Plaintext copy_of(Bytes bytes) {
  codec::Plaintext out(bytes.size());
  if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

}  // namespace efface::test
