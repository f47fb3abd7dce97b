// rights/token.h -- what stands for a plan between the asking and the doing.
//
// A hash of the facts that the plan was made of: if they are others when it is committed, the token
// is another. No secret, and nothing to keep: another process may commit.
#pragma once
#include <string>
#include <vector>

#include "crypto/prf.h"

namespace efface::rights {

class Token {
 public:
  explicit Token(std::string_view what) { add(as_bytes(what)); }

  void add(Bytes fact) {
    const Id16 hashed = crypto::hash128({Bytes(so_far_), fact});
    so_far_ = hashed;
  }
  void add(std::uint64_t number) {
    std::array<std::byte, 8> bytes;
    store_be(std::span<std::byte, 8>(bytes), number);
    add(Bytes(bytes));
  }

  std::string text() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const std::byte b : so_far_) {
      out += digits[std::to_integer<unsigned>(b) >> 4];
      out += digits[std::to_integer<unsigned>(b) & 15];
    }
    return out;
  }

 private:
  Id16 so_far_{};
};

}  // namespace efface::rights
