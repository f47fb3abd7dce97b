// ledger/merkle.h -- the Merkle tree of RFC 9162: its root, and proofs that an entry is in it and
// that one tree is the beginning of another.
//
// Shape   A leaf is SHA-256(0x00 | entry), an inner node SHA-256(0x01 | left | right). The root of
//         the empty tree is SHA-256 of nothing. A proof is a list of hashes, deepest first.
// Errors  invalid_argument: an index or a size that the tree does not have. corruption: a proof
//         that does not lead to the root.
// Cost    A root from the complete subtrees is a dozen hashes; a proof likewise, of hashes that
//         `subtree` answers.
// Source  RFC 9162 (2021), section 2.1.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "efface/result.h"

namespace efface::ledger {

using Hash = std::array<std::byte, 32>;

Hash leaf_hash(Bytes entry);
Hash node_hash(const Hash& left, const Hash& right);

// The roots of the complete subtrees that a tree of `size` leaves consists of, largest first: one
// for each bit of size.
struct Frontier {
  std::uint64_t size = 0;
  std::vector<Hash> peaks;

  // Adds a leaf; tells of every complete subtree that it finishes, level 0 being the leaf itself.
  void add(const Hash& leaf,
           FunctionRef<void(unsigned level, std::uint64_t index, const Hash&)> done);
  Hash root() const;
};

// Answers the root of the complete subtree of 2^level leaves that begins at index << level.
using Subtree = FunctionRef<Result<Hash>(unsigned level, std::uint64_t index)>;

Result<Frontier> frontier_of(std::uint64_t size, Subtree subtree);
Result<std::vector<Hash>> prove_inclusion(std::uint64_t index, std::uint64_t size, Subtree subtree);
Result<std::vector<Hash>> prove_consistency(std::uint64_t before, std::uint64_t size,
                                            Subtree subtree);

Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf,
                        std::span<const Hash> proof, const Hash& root);
Status verify_consistency(std::uint64_t before, std::uint64_t size, std::span<const Hash> proof,
                          const Hash& root_before, const Hash& root);

}  // namespace efface::ledger
