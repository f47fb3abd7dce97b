// keyring/lmdb_nodes.h -- key tree nodes as values of an LMDB environment.
//
// Shape  key = 'n' | tree 4 | level 1 | index 4, big-endian: a tree's leaves are neighbours.
#pragma once
#include "base/check.h"
#include "keyring/node_store.h"
#include "storage/environment.h"

namespace efface::keyring {

using NodeKey = std::array<std::byte, 10>;

inline NodeKey node_key(NodeId id) noexcept {
  NodeKey key;
  key[0] = std::byte{'n'};
  store_be(std::span(key).subspan<1, 4>(), id.tree);
  key[5] = std::byte{id.level};
  store_be(std::span(key).subspan<6, 4>(), id.index);
  return key;
}

template <class Txn>
Result<Bytes> get_node(const Txn& txn, NodeId id) {
  EFFACE_ASSIGN(const std::optional<Bytes> found, txn.get(node_key(id)));
  if (!found) return Error(Errc::corruption, "a keyring node is missing");
  return *found;
}

class LmdbNodeReader final : public NodeReader {
 public:
  explicit LmdbNodeReader(const storage::ReadTxn& txn) noexcept : txn_(txn) {}
  Result<Bytes> get(NodeId id) const override { return get_node(txn_, id); }

 private:
  const storage::ReadTxn& txn_;
};

class LmdbNodeWriter final : public NodeWriter {
 public:
  explicit LmdbNodeWriter(storage::WriteTxn& txn) noexcept : txn_(txn) {}
  Result<Bytes> get(NodeId id) const override { return get_node(txn_, id); }
  Status put(NodeId id, Bytes sealed) override { return txn_.put(node_key(id), sealed); }

 private:
  storage::WriteTxn& txn_;
};

}  // namespace efface::keyring
