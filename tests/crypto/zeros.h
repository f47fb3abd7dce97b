// crypto/zeros.h -- whether nothing stands there.
#pragma once
#include <algorithm>

#include "efface/bytes.h"

namespace efface::test {

inline bool all_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace efface::test
