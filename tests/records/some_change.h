// records/some_change.h -- a record of random bytes, to be stored.
#pragma once
#include <algorithm>
#include <span>

#include "crypto/random.h"
#include "records/vault.h"

namespace efface::records {

inline Change put(const keyring::Handle& handle, std::uint32_t number, std::size_t bytes = 100) {
  Change change;
  Id16 tag{};
  store_be<std::uint32_t>(std::span(tag).first<4>(), number);
  change.key = record_key(handle, tag);
  change.value.resize(std::max(bytes, envelope_overhead_bytes));
  crypto::fill_random(change.value);
  return change;
}

}  // namespace efface::records
