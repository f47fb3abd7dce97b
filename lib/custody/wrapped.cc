#include "custody/wrapped.h"

#include <algorithm>

#include "crypto/prf.h"

namespace efface::custody {
namespace {

constexpr std::byte wrapped_version{1};
constexpr std::size_t header_bytes = 20;       // version 1 | kind 1 | count 1 | zero 1 | wrap id 16
constexpr std::size_t part_header_bytes = 18;  // store id 16 | size 2

}  // namespace

std::vector<std::byte> encode(const Wrapped& wrapped) {
  std::size_t size = header_bytes;
  for (const WrappedPart& part : wrapped.parts) size += part_header_bytes + part.bytes.size();
  std::vector<std::byte> out(size);
  out[0] = wrapped_version;
  out[1] = static_cast<std::byte>(wrapped.kind);
  out[2] = static_cast<std::byte>(wrapped.parts.size());
  auto at = std::ranges::copy(wrapped.wrap_id, out.begin() + 4).out;
  for (const WrappedPart& part : wrapped.parts) {
    at = std::ranges::copy(part.store, at).out;
    store_le(&*at, static_cast<std::uint16_t>(part.bytes.size()));
    at = std::ranges::copy(part.bytes, at + 2).out;
  }
  return out;
}

Result<Wrapped> decode(Bytes bytes, Kind kind) {
  const Error damaged(Errc::corruption, "not what several root key stores wrapped");
  if (bytes.size() < header_bytes || bytes[0] != wrapped_version ||
      bytes[1] != static_cast<std::byte>(kind) || bytes[3] != std::byte{0})
    return damaged;
  Wrapped wrapped;
  wrapped.kind = kind;
  wrapped.parts.resize(std::to_integer<std::size_t>(bytes[2]));
  std::ranges::copy(bytes.subspan(4, 16), wrapped.wrap_id.begin());
  bytes = bytes.subspan(header_bytes);
  for (WrappedPart& part : wrapped.parts) {
    if (bytes.size() < part_header_bytes) return damaged;
    std::ranges::copy(bytes.first(16), part.store.begin());
    const std::size_t size = load_le<std::uint16_t>(&bytes[16]);
    bytes = bytes.subspan(part_header_bytes);
    if (bytes.size() < size) return damaged;
    part.bytes.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes = bytes.subspan(size);
  }
  const auto not_above = [](const WrappedPart& a, const WrappedPart& b) {
    return a.store >= b.store;
  };
  if (!bytes.empty() || wrapped.parts.empty() ||
      std::ranges::adjacent_find(wrapped.parts, not_above) != wrapped.parts.end())
    return damaged;
  return wrapped;
}

std::array<std::byte, 32> part_context(const Wrapped& wrapped, const RootKeyStore::StoreId& whole,
                                       Bytes context) noexcept {
  const std::array kind{static_cast<std::byte>(wrapped.kind)};
  return crypto::hash256(
      {as_bytes("efface.root.part"), kind, whole, Bytes(wrapped.wrap_id), context});
}

}  // namespace efface::custody
