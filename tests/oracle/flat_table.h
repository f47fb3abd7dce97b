// oracle/flat_table.h -- just enough of FlatBuffers to read ours: tables, vectors, texts.
//
// Shape  A buffer begins with the place of its root table. A table begins with the signed distance
//        back to its vtable: size 2 | table size 2 | a place of 2 bytes for each field, 0 where it
//        is absent. A vector, a text or another table is reached by an offset from its field; a
//        vector begins with its length.
#pragma once
#include <optional>
#include <string>

#include "oracle/primitives.h"

namespace disclosure {

class FlatTable {
 public:
  // Nothing when it makes no sense, as everywhere below.
  static std::optional<FlatTable> root(Bytes buffer) {
    const auto at = number<std::uint32_t>(buffer, 0);
    if (!at || !number<std::int32_t>(buffer, *at)) return std::nullopt;
    return FlatTable(buffer, *at);
  }

  // Of a vector of bytes too. An absent one is empty.
  std::optional<std::string> text(std::size_t field) const {
    std::uint32_t length = 0;
    const auto begin = vector(field, length);
    if (!begin || buffer_.size() - *begin < length) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(buffer_.data()) + *begin, length);
  }

  // Answers whether all could be read.
  template <class Look>
  bool each_table(std::size_t field, Look&& look) const {
    std::uint32_t length = 0;
    const auto begin = vector(field, length);
    if (!begin) return false;
    for (std::size_t i = 0; i < length; ++i) {
      const auto offset = number<std::uint32_t>(buffer_, *begin + 4 * i);
      if (!offset || !number<std::int32_t>(buffer_, *begin + 4 * i + *offset)) return false;
      look(FlatTable(buffer_, *begin + 4 * i + *offset));
    }
    return true;
  }

 private:
  FlatTable(Bytes buffer, std::size_t at) : buffer_(buffer), at_(at) {}

  template <class Integer>
  static std::optional<Integer> number(Bytes bytes, std::size_t at) {
    if (at > bytes.size() || bytes.size() - at < sizeof(Integer)) return std::nullopt;
    return little<Integer>(bytes, at);
  }

  // Where a field's value stands; 0 where it is absent.
  std::optional<std::size_t> place(std::size_t field) const {
    const auto back = number<std::int32_t>(buffer_, at_);
    if (!back || static_cast<std::int64_t>(at_) < *back) return std::nullopt;
    const auto begin = static_cast<std::size_t>(static_cast<std::int64_t>(at_) - *back);
    const auto vtable_bytes = number<std::uint16_t>(buffer_, begin);
    if (!vtable_bytes) return std::nullopt;
    const std::size_t slot = 4 + 2 * field;
    if (slot + 2 > *vtable_bytes) return 0;
    const auto offset = number<std::uint16_t>(buffer_, begin + slot);
    if (!offset) return std::nullopt;
    return *offset == 0 ? 0 : at_ + *offset;
  }

  std::optional<std::size_t> vector(std::size_t field, std::uint32_t& length) const {
    const auto at = place(field);
    if (!at || *at == 0) return at;
    const auto offset = number<std::uint32_t>(buffer_, *at);
    if (!offset) return std::nullopt;
    const auto count = number<std::uint32_t>(buffer_, *at + *offset);
    if (!count) return std::nullopt;
    length = *count;
    return *at + *offset + 4;
  }

  Bytes buffer_;
  std::size_t at_;
};

}  // namespace disclosure
