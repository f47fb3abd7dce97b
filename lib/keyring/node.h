// keyring/node.h -- one node of a key tree, sealed and opened.
//
// Shape   docs/format/keyring.md. On disk: version 1 | suite 1 | kind 1 | zero 1 | nonce 24 |
//         ciphertext | tag 16. In clear, a leaf is count 4 | bucket count 4 | units of 27 rows,
//         zero-padded; an inner node is count 4 | bucket count 4 | 61 child keys, zero-padded. The
//         bucket count stands in the root node of a tree only. Two sealed nodes of one unit share
//         an LMDB page.
// Errors  corruption when bytes do not verify, or verify and make no sense.
#pragma once
#include <cstdint>
#include <vector>

#include "crypto/aead.h"
#include "keyring/row.h"

namespace efface::keyring {

// Where a node stands. Level 0: the leaves. Bound into its seal.
struct NodeId {
  std::uint32_t tree;
  std::uint8_t level;
  std::uint32_t index;
};

inline constexpr std::uint8_t node_version = 1;
inline constexpr std::uint32_t rows_per_unit = 27;
inline constexpr std::uint32_t fan_out = 61;
inline constexpr std::size_t node_header_bytes = 4;
inline constexpr std::size_t node_preamble_bytes = 8;
inline constexpr std::size_t unit_bytes = rows_per_unit * row_bytes;
inline constexpr std::size_t inner_bytes = node_preamble_bytes + fan_out * crypto::key_bytes;
inline constexpr std::uint32_t units_per_leaf_max = 32;

// The plaintext of a node, in locked memory.
class Node {
 public:
  static Node empty_leaf();
  static Node empty_inner();
  static Result<Node> open(const Id16& region, NodeId id, crypto::KeyView key, Bytes sealed);
  std::vector<std::byte> seal(const Id16& region, NodeId id, crypto::KeyView key) const;

  std::uint32_t count() const noexcept { return load_le<std::uint32_t>(plain_.data()); }
  std::uint32_t bucket_count() const noexcept { return load_le<std::uint32_t>(plain_.data() + 4); }
  void set_bucket_count(std::uint32_t n) noexcept { store_le(plain_.data() + 4, n); }

  // Leaves.
  std::uint32_t units() const noexcept {
    return static_cast<std::uint32_t>((plain_.size() - node_preamble_bytes) / unit_bytes);
  }
  RowView row(std::uint32_t i) const noexcept { return RowView(at_row(i)); }
  // Answers whether the leaf grew by a unit. Errors: full at units_per_leaf_max.
  Result<bool> add(const Row& row);
  void replace(std::uint32_t i, const Row& row) noexcept;
  void relabel(std::uint32_t i, Label label, std::uint16_t flags, std::uint32_t aux) noexcept;
  void remove(std::uint32_t i) noexcept;  // The last row takes its place.

  // Inner nodes. Children are dense: 0 to count() - 1.
  crypto::KeyView child(std::uint32_t slot) const noexcept;
  void set_child(std::uint32_t slot, crypto::KeyView key) noexcept;  // slot <= count()

 private:
  explicit Node(crypto::SecretBuffer plain, std::uint8_t kind) noexcept
      : plain_(std::move(plain)), kind_(kind) {}
  const std::byte* at_row(std::uint32_t i) const noexcept {
    return plain_.data() + node_preamble_bytes + std::size_t{i} * row_bytes;
  }
  std::byte* at_row(std::uint32_t i) noexcept {
    return plain_.data() + node_preamble_bytes + std::size_t{i} * row_bytes;
  }
  void set_count(std::uint32_t n) noexcept { store_le(plain_.data(), n); }
  void resize(std::uint32_t units);

  crypto::SecretBuffer plain_;
  std::uint8_t kind_;
};

}  // namespace efface::keyring
