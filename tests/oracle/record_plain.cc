#include "oracle/record_plain.h"

#include <zstd.h>

#include "oracle/primitives.h"

namespace disclosure {
namespace {

constexpr std::size_t name_field = 0;  // Of record.fbs, in order.
constexpr std::size_t value_field = 1;

template <class Integer>
std::optional<Integer> at(Bytes bytes, std::size_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(Integer)) return std::nullopt;
  return little<Integer>(bytes, offset);
}

// A table begins with the signed distance back to its vtable: size 2 | table size 2 | a place of 2
// bytes for each field, 0 where it is absent. A vector is reached by an offset, and begins with its
// length.
std::optional<std::string> vector_of(Bytes bytes, std::size_t table, std::size_t field) {
  const auto back = at<std::int32_t>(bytes, table);
  if (!back) return std::nullopt;
  const std::int64_t vtable = static_cast<std::int64_t>(table) - *back;
  if (vtable < 0) return std::nullopt;
  const auto begin = static_cast<std::size_t>(vtable);
  const auto vtable_bytes = at<std::uint16_t>(bytes, begin);
  if (!vtable_bytes) return std::nullopt;
  const std::size_t slot = 4 + 2 * field;
  if (slot + 2 > *vtable_bytes) return std::string();
  const auto place = at<std::uint16_t>(bytes, begin + slot);
  if (!place) return std::nullopt;
  if (*place == 0) return std::string();
  const auto offset = at<std::uint32_t>(bytes, table + *place);
  if (!offset) return std::nullopt;
  const std::size_t vector = table + *place + *offset;
  const auto length = at<std::uint32_t>(bytes, vector);
  if (!length || bytes.size() - vector - 4 < *length) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(bytes.data()) + vector + 4, *length);
}

}  // namespace

bool read_record(Bytes plain, bool compressed, std::string& name, std::string& value) {
  std::vector<std::byte> decompressed;
  if (compressed) {
    const auto size = at<std::uint32_t>(plain, 0);
    constexpr std::uint32_t plain_bytes_max = 17u << 20;
    if (!size || *size > plain_bytes_max) return false;
    decompressed.resize(*size);
    if (ZSTD_decompress(decompressed.data(), decompressed.size(), plain.data() + 4,
                        plain.size() - 4) != *size)
      return false;
    plain = decompressed;
  }
  const auto table = at<std::uint32_t>(plain, 0);
  if (!table) return false;
  auto found_name = vector_of(plain, *table, name_field);
  auto found_value = vector_of(plain, *table, value_field);
  if (!found_name || !found_value) return false;
  name = *std::move(found_name);
  value = *std::move(found_value);
  return true;
}

}  // namespace disclosure
