// keyring/sequence.h -- how many write transactions a keyring has seen: what tells the newest of
// several copies, also after one that was written anew (LMDB's own number begins again there).
//
// Shape   The entry 's': number 8 | mark 8, little-endian. The mark is random with each
//         transaction: two copies that went different ways have the same number, not the same mark.
// Errors  corruption. No entry at all is number 0.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/random.h"
#include "storage/environment.h"

namespace efface::keyring {

struct Sequence {
  std::uint64_t number = 0;
  std::array<std::byte, 8> mark{};
  friend bool operator==(const Sequence&, const Sequence&) = default;
};

inline constexpr std::array<std::byte, 1> sequence_key{std::byte{'s'}};

template <class Txn>
Result<Sequence> read_sequence(const Txn& txn) {
  EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(sequence_key));
  Sequence found;
  if (!bytes) return found;
  if (bytes->size() != 16) return Error(Errc::corruption, "a keyring's sequence has another size");
  found.number = load_le<std::uint64_t>(bytes->data());
  std::copy_n(bytes->begin() + 8, 8, found.mark.begin());
  return found;
}

// The next one, put.
inline Result<Sequence> advance_sequence(storage::WriteTxn& txn) {
  EFFACE_ASSIGN(Sequence next, read_sequence(txn));
  ++next.number;
  const Id16 random = crypto::random_id();
  std::copy_n(random.begin(), next.mark.size(), next.mark.begin());
  std::array<std::byte, 16> bytes;
  store_le(bytes.data(), next.number);
  std::copy(next.mark.begin(), next.mark.end(), bytes.begin() + 8);
  EFFACE_TRY(txn.put(sequence_key, bytes));
  return next;
}

}  // namespace efface::keyring
