// custody/wrapped.h -- what several root key stores wrapped together, as bytes. Pure functions.
//
// Shape   docs/format/keyring.md, "Wrapped by several".
// Errors  corruption: not such bytes, of another kind.
#pragma once
#include <vector>

#include "base/bytes.h"
#include "efface/root_key_store.h"

namespace efface::custody {

enum class Kind : std::uint8_t { composite = 1, replicated = 2 };

struct WrappedPart {
  RootKeyStore::StoreId store{};
  std::vector<std::byte> bytes;
};

struct Wrapped {
  Kind kind{};
  Id16 wrap_id{};                  // Random: parts of two wraps never fit together.
  std::vector<WrappedPart> parts;  // In ascending order of their stores' ids.
};

std::vector<std::byte> encode(const Wrapped& wrapped);
Result<Wrapped> decode(Bytes bytes, Kind kind);

// What each part is bound to, in place of the root's own context.
std::array<std::byte, 32> part_context(const Wrapped& wrapped, const RootKeyStore::StoreId& whole,
                                       Bytes context) noexcept;

}  // namespace efface::custody
