// keyring/key_tree.h -- a map from tags to rows that can forget.
//
// An implicit 61-ary tree over linear-hashing buckets. Each node is sealed under its own random
// key, and that key stands only in its parent; the root's key stands with whoever owns the tree.
// When a row is removed, every node from its leaf to the root gets a fresh random key, so that an
// old image of any of them, wherever a copy survives, is sealed under a key that now exists
// nowhere.
//
// Rules, each a test: an ancestor is never sealed again under its old key; no key is derived from
// one that survives; replacing a row is a removal of the old one; a split is a removal too.
//
// Threads  A KeyTree is a value without state: the nodes are in the store, the root with its owner.
// Errors   corruption; and those of the store. After an error the caller drops the transaction.
// Cost     find opens height + 1 nodes, about two microseconds each. An edit seals as many per
//          leaf; shared ancestors once per batch. Memory: one path.
// Source   Di Crescenzo et al., "How to forget a secret", STACS 1999; Reardon et al., "Secure data
//          deletion from persistent media", CCS 2013; Litwin, "Linear hashing", VLDB 1980.
#pragma once
#include <cstdint>
#include <span>

#include "efface/bytes.h"
#include "keyring/node_store.h"

namespace efface::keyring {

// What the owner of a tree keeps.
struct TreeRoot {
  crypto::SecretKey key;
  std::uint32_t bucket_count = 1;
};

// One leaf, opened for change. It keeps account of what was done to it.
class LeafEdit {
 public:
  explicit LeafEdit(Node& node) noexcept : node_(node) {}

  void each(const Tag& tag, FunctionRef<void(RowView)> look) const;
  bool contains(const Tag& tag, Label label) const;
  Status add(const Row& row);
  bool replace(const Row& row);  // By tag and label. A removal of the old row.
  // What is no key: the row's label, its flags, its aux. The leaf keeps its key.
  bool relabel(const Tag& tag, Label from, Label to, std::uint16_t flags, std::uint32_t aux);
  // Removes the rows of the tag that which() names; calls gone for each before it goes.
  void remove_if(const Tag& tag, FunctionRef<bool(RowView)> which, FunctionRef<void(RowView)> gone);
  void remove(const Tag& tag, FunctionRef<void(RowView)> gone);  // All rows of the tag.

 private:
  friend class KeyTree;
  std::optional<std::uint32_t> find(const Tag& tag, Label label) const;
  Node& node_;
  bool added_ = false;
  bool removed_ = false;
  std::uint32_t units_grown_ = 0;
};

class KeyTree {
 public:
  KeyTree(const Id16& region, std::uint32_t tree) noexcept : region_(region), tree_(tree) {}

  // Where the root of a tree of that many buckets stands.
  static NodeId root_node(std::uint32_t tree, std::uint32_t bucket_count) noexcept {
    return {tree, height(bucket_count), 0};
  }

  // The leaf of a tag in a tree of that many. Leaf i was split from i without its highest bit.
  static std::uint32_t bucket_of(const Tag& tag, std::uint32_t bucket_count) noexcept;

  // An empty tree of one bucket.
  Result<TreeRoot> create(NodeWriter& nodes) const;

  Status find(const NodeReader& nodes, const TreeRoot& root, const Tag& tag,
              FunctionRef<void(RowView)> look) const;
  // The same for many: each node on the way to several of them is opened once.
  Status find_all(const NodeReader& nodes, const TreeRoot& root, std::span<const Tag> tags,
                  FunctionRef<void(std::size_t, RowView)> look) const;
  // Every row, leaf by leaf, until look answers stop.
  Status walk(const NodeReader& nodes, const TreeRoot& root,
              FunctionRef<Result<Flow>(RowView)> look) const;
  // The rows of one leaf, which is below root.bucket_count. A row that a split moves comes to stand
  // in a later leaf: who goes leaf by leaf may meet it twice, and never misses it.
  Status walk_leaf(const NodeReader& nodes, const TreeRoot& root, std::uint32_t bucket,
                   FunctionRef<void(RowView)> look) const;
  // Likewise of `first` and the leaves after it below the same node, which is then opened once for
  // all of them. Answers the leaf after the last.
  Result<std::uint32_t> walk_leaves(const NodeReader& nodes, const TreeRoot& root,
                                    std::uint32_t first,
                                    FunctionRef<void(std::uint32_t, RowView)> look) const;

  // Calls change(i, leaf) for every tags[i], leaf by leaf, and seals what it changed: a leaf that
  // only gained rows under its present key, any other and all its ancestors under fresh ones.
  // new_root_key (may be null) is what the root is sealed under if it is re-keyed at all; it must
  // be fresh and random, and exists because the root of the top tree is wrapped beforehand. Answers
  // whether the root was re-keyed; root then has the new key.
  Result<bool> edit(NodeWriter& nodes, TreeRoot& root, std::span<const Tag> tags,
                    FunctionRef<Status(std::size_t, LeafEdit&)> change,
                    const crypto::SecretKey* new_root_key = nullptr) const;

  // Changes no row; gives the first leaf and every node above it, up to the root, a fresh key.
  Status rekey(NodeWriter& nodes, TreeRoot& root, const crypto::SecretKey* new_root_key) const;

  // As edit, for changes that only add: in as many passes as the tree needs to grow under them.
  Result<bool> add(NodeWriter& nodes, TreeRoot& root, std::span<const Tag> tags,
                   FunctionRef<Status(std::size_t, LeafEdit&)> change) const;

 private:
  struct Edit;
  struct Slot;  // One of many tags, and the leaf that it belongs in.
  static std::vector<Slot> slots_of(std::span<const Tag> tags, std::uint32_t bucket_count);
  Status find_below(const NodeReader& nodes, const Node& node, NodeId id,
                    std::span<const Slot> slots,
                    FunctionRef<void(const Slot&, const Node&)> look) const;
  static std::uint8_t height(std::uint32_t bucket_count) noexcept;
  Result<Node> open_root(const NodeReader& nodes, const TreeRoot& root) const;
  // The node of that level which the bucket is below; of a lower tree its root.
  Result<Node> open_above(const NodeReader& nodes, const TreeRoot& root, std::uint32_t bucket,
                          std::uint8_t to_level) const;
  Result<Node> open_node(const NodeReader& nodes, NodeId id, crypto::KeyView key) const;
  Status walk_below(const NodeReader& nodes, const Node& node, std::uint8_t level,
                    std::uint32_t index, FunctionRef<Result<Flow>(RowView)> look, Flow& flow) const;

  Result<crypto::SecretKey> descend(Edit& edit, NodeId id, std::optional<crypto::KeyView> key,
                                    std::size_t first, std::size_t last) const;
  Result<crypto::SecretKey> edit_leaf(Edit& edit, NodeId id, std::optional<crypto::KeyView> key,
                                      std::size_t first, std::size_t last) const;
  Result<bool> run(Edit& edit, TreeRoot& root) const;
  Status split(NodeWriter& nodes, TreeRoot& root, std::uint32_t splits,
               const crypto::SecretKey* new_root_key) const;
  crypto::SecretKey fresh_key(NodeId id, std::optional<crypto::KeyView> old, bool keep_old) const;

  Id16 region_;
  std::uint32_t tree_;
};

}  // namespace efface::keyring
