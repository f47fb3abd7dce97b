#include "keyring/key_tree.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/check.h"
#include "crypto/prf.h"
#include "keyring/mutant.h"

namespace efface::keyring {
namespace {

constexpr std::uint32_t splits_per_pass_max = 64;  // Bounds the leaves held open: 128 KiB.

constexpr std::uint32_t rows_added_per_bucket_max = 8;  // On average, before the tree may grow.

// How many buckets lie below one child of a node of this level.
std::uint64_t buckets_per_child(std::uint8_t level) noexcept {
  std::uint64_t n = 1;
  for (std::uint8_t i = 1; i < level; ++i) n *= fan_out;
  return n;
}

}  // namespace

struct KeyTree::Slot {
  std::uint32_t bucket;
  std::size_t item;
};

std::optional<std::uint32_t> LeafEdit::find(const Tag& tag, Label label) const {
  for (std::uint32_t i = 0; i < node_.count(); ++i)
    if (node_.row(i).label() == label && node_.row(i).has_tag(tag)) return i;
  return std::nullopt;
}

void LeafEdit::each(const Tag& tag, FunctionRef<void(RowView)> look) const {
  for (std::uint32_t i = 0; i < node_.count(); ++i)
    if (node_.row(i).has_tag(tag)) look(node_.row(i));
}

bool LeafEdit::contains(const Tag& tag, Label label) const { return find(tag, label).has_value(); }

Status LeafEdit::add(const Row& row) {
  EFFACE_CHECK(!contains(row.tag, row.label));
  EFFACE_ASSIGN(const bool grew, node_.add(row));
  added_ = true;
  if (grew) ++units_grown_;
  return {};
}

bool LeafEdit::replace(const Row& row) {
  const auto at = find(row.tag, row.label);
  if (!at) return false;
  node_.replace(*at, row);
  removed_ = true;
  return true;
}

bool LeafEdit::relabel(const Tag& tag, Label from, Label to, std::uint16_t flags,
                       std::uint32_t aux) {
  const auto at = find(tag, from);
  if (!at) return false;
  EFFACE_CHECK(from == to || !contains(tag, to));
  node_.relabel(*at, to, flags, aux);
  added_ = true;
  return true;
}

void LeafEdit::remove_if(const Tag& tag, FunctionRef<bool(RowView)> which,
                         FunctionRef<void(RowView)> gone) {
  for (std::uint32_t i = node_.count(); i-- > 0;) {
    const RowView row = node_.row(i);
    if (!row.has_tag(tag) || !which(row)) continue;
    gone(row);
    node_.remove(i);
    removed_ = true;
  }
}

void LeafEdit::remove(const Tag& tag, FunctionRef<void(RowView)> gone) {
  remove_if(tag, [](RowView) { return true; }, gone);
}

struct KeyTree::Edit {
  NodeWriter& nodes;
  FunctionRef<Status(std::size_t, LeafEdit&)> change;
  const crypto::SecretKey* new_root_key;
  std::uint32_t bucket_count;
  bool splitting = false;                    // Every node touched is re-keyed, rows removed or not.
  const crypto::SecretKey* below = nullptr;  // When the tree grows: the old root becomes child 0.
  std::vector<Slot> slots{};                 // Sorted by bucket.
  std::uint32_t units_grown = 0;
};

std::uint8_t KeyTree::height(std::uint32_t bucket_count) noexcept {
  std::uint8_t levels = 0;
  for (std::uint64_t reach = 1; reach < bucket_count; reach *= fan_out) ++levels;
  return levels;
}

std::uint32_t KeyTree::bucket_of(const Tag& tag, std::uint32_t bucket_count) noexcept {
  const std::uint32_t hash = load_le<std::uint32_t>(tag.data());
  const std::uint32_t wide = std::bit_ceil(bucket_count);
  const std::uint32_t bucket = hash & (wide - 1);
  return bucket < bucket_count ? bucket : hash & (wide / 2 - 1);
}

Result<Node> KeyTree::open_node(const NodeReader& nodes, NodeId id, crypto::KeyView key) const {
  EFFACE_ASSIGN(const Bytes sealed, nodes.get(id));
  return Node::open(region_, id, key, sealed);
}

Result<Node> KeyTree::open_root(const NodeReader& nodes, const TreeRoot& root) const {
  EFFACE_ASSIGN(Node node,
                open_node(nodes, {tree_, height(root.bucket_count), 0}, root.key.bytes()));
  if (node.bucket_count() != root.bucket_count)
    return Error(Errc::corruption, "a key tree disagrees with its owner about its size");
  return node;
}

Result<TreeRoot> KeyTree::create(NodeWriter& nodes) const {
  TreeRoot root{crypto::SecretKey::random(), 1};
  Node leaf = Node::empty_leaf();
  leaf.set_bucket_count(1);
  const NodeId id{tree_, 0, 0};
  EFFACE_TRY(nodes.put(id, leaf.seal(region_, id, root.key.bytes())));
  return root;
}

Result<Node> KeyTree::open_above(const NodeReader& nodes, const TreeRoot& root,
                                 std::uint32_t bucket, std::uint8_t to_level) const {
  EFFACE_ASSIGN(Node node, open_root(nodes, root));
  for (std::uint8_t level = height(root.bucket_count); level > to_level; --level) {
    const std::uint64_t span = buckets_per_child(level);
    const std::uint32_t index = static_cast<std::uint32_t>(bucket / span);
    const std::uint32_t slot = index % fan_out;
    if (slot >= node.count()) return Error(Errc::corruption, "a keyring node lacks a child");
    const NodeId id{tree_, static_cast<std::uint8_t>(level - 1), index};
    EFFACE_ASSIGN(Node child, open_node(nodes, id, node.child(slot)));
    node = std::move(child);
  }
  return node;
}

Status KeyTree::find(const NodeReader& nodes, const TreeRoot& root, const Tag& tag,
                     FunctionRef<void(RowView)> look) const {
  EFFACE_ASSIGN(const Node leaf, open_above(nodes, root, bucket_of(tag, root.bucket_count), 0));
  for (std::uint32_t i = 0; i < leaf.count(); ++i)
    if (leaf.row(i).has_tag(tag)) look(leaf.row(i));
  return {};
}

std::vector<KeyTree::Slot> KeyTree::slots_of(std::span<const Tag> tags,
                                             std::uint32_t bucket_count) {
  std::vector<Slot> slots;
  slots.reserve(tags.size());
  for (std::size_t i = 0; i < tags.size(); ++i)
    slots.push_back({bucket_of(tags[i], bucket_count), i});
  std::sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) {
    return a.bucket != b.bucket ? a.bucket < b.bucket : a.item < b.item;
  });
  return slots;
}

Status KeyTree::find_all(const NodeReader& nodes, const TreeRoot& root, std::span<const Tag> tags,
                         FunctionRef<void(std::size_t, RowView)> look) const {
  EFFACE_ASSIGN(const Node top, open_root(nodes, root));
  const std::vector<Slot> slots = slots_of(tags, root.bucket_count);
  return find_below(nodes, top, {tree_, height(root.bucket_count), 0}, slots,
                    [&](const Slot& slot, const Node& leaf) {
                      for (std::uint32_t i = 0; i < leaf.count(); ++i)
                        if (leaf.row(i).has_tag(tags[slot.item])) look(slot.item, leaf.row(i));
                    });
}

Status KeyTree::find_below(const NodeReader& nodes, const Node& node, NodeId id,
                           std::span<const Slot> slots,
                           FunctionRef<void(const Slot&, const Node&)> look) const {
  if (id.level == 0) {
    for (const Slot& slot : slots) look(slot, node);
    return {};
  }
  const std::uint64_t span = buckets_per_child(id.level);
  while (!slots.empty()) {
    const auto index = static_cast<std::uint32_t>(slots.front().bucket / span);
    std::size_t end = 1;
    while (end < slots.size() && slots[end].bucket / span == index) ++end;
    if (index % fan_out >= node.count())
      return Error(Errc::corruption, "a keyring node lacks a child");
    const NodeId below{tree_, static_cast<std::uint8_t>(id.level - 1), index};
    EFFACE_ASSIGN(const Node child, open_node(nodes, below, node.child(index % fan_out)));
    EFFACE_TRY(find_below(nodes, child, below, slots.first(end), look));
    slots = slots.subspan(end);
  }
  return {};
}

Status KeyTree::walk_leaf(const NodeReader& nodes, const TreeRoot& root, std::uint32_t bucket,
                          FunctionRef<void(RowView)> look) const {
  EFFACE_ASSIGN(const Node leaf, open_above(nodes, root, bucket, 0));
  for (std::uint32_t i = 0; i < leaf.count(); ++i) look(leaf.row(i));
  return {};
}

Result<std::uint32_t> KeyTree::walk_leaves(const NodeReader& nodes, const TreeRoot& root,
                                           std::uint32_t first,
                                           FunctionRef<void(std::uint32_t, RowView)> look) const {
  if (root.bucket_count == 1) {
    EFFACE_TRY(walk_leaf(nodes, root, first, [&](RowView row) { look(first, row); }));
    return 1u;
  }
  EFFACE_ASSIGN(const Node parent, open_above(nodes, root, first, 1));
  const std::uint32_t below = first - first % fan_out;
  for (std::uint32_t slot = first % fan_out; slot < parent.count(); ++slot) {
    const NodeId id{tree_, 0, below + slot};
    EFFACE_ASSIGN(const Node leaf, open_node(nodes, id, parent.child(slot)));
    for (std::uint32_t i = 0; i < leaf.count(); ++i) look(id.index, leaf.row(i));
  }
  return below + parent.count();
}

Status KeyTree::walk(const NodeReader& nodes, const TreeRoot& root,
                     FunctionRef<Result<Flow>(RowView)> look) const {
  EFFACE_ASSIGN(const Node node, open_root(nodes, root));
  Flow flow = Flow::more;
  return walk_below(nodes, node, height(root.bucket_count), 0, look, flow);
}

Status KeyTree::walk_below(const NodeReader& nodes, const Node& node, std::uint8_t level,
                           std::uint32_t index, FunctionRef<Result<Flow>(RowView)> look,
                           Flow& flow) const {
  for (std::uint32_t i = 0; i < node.count() && flow == Flow::more; ++i) {
    if (level == 0) {
      EFFACE_ASSIGN(flow, look(node.row(i)));
      continue;
    }
    const NodeId id{tree_, static_cast<std::uint8_t>(level - 1), index * fan_out + i};
    EFFACE_ASSIGN(const Node child, open_node(nodes, id, node.child(i)));
    EFFACE_TRY(walk_below(nodes, child, id.level, id.index, look, flow));
  }
  return {};
}

// The key that a node is sealed under from now on. Always random: nothing that survives leads to
// it.
crypto::SecretKey KeyTree::fresh_key(NodeId id, std::optional<crypto::KeyView> old,
                                     bool keep_old) const {
  if constexpr (mutant != Mutant::none) {
    if (keep_old && old && id.tree != 0) return crypto::SecretKey::copy_of(*old);
    if (mutant == Mutant::key_from_survivor && id.tree != 0) {
      std::array<std::byte, crypto::key_bytes> survivor{};
      std::copy(region_.begin(), region_.end(), survivor.begin());
      std::array<std::byte, 9> place{};
      store_le(place.data(), id.tree);
      store_le(place.data() + 4, id.level);
      store_le(place.data() + 5, id.index);
      auto derived = crypto::SecretKey::zeroed();
      crypto::prf256(survivor, {Bytes(place)}, derived.bytes());
      return derived;
    }
  }
  return crypto::SecretKey::random();
}

// Edits what lies below one node. Answers its new key, or an empty key when it keeps the old one.
Result<crypto::SecretKey> KeyTree::descend(Edit& edit, NodeId id,
                                           std::optional<crypto::KeyView> key, std::size_t first,
                                           std::size_t last) const {
  if (id.level == 0) return edit_leaf(edit, id, key, first, last);
  const bool is_root = id.level == height(edit.bucket_count);
  Node node = Node::empty_inner();
  if (key) {
    EFFACE_ASSIGN(node, open_node(edit.nodes, id, *key));
  } else if (is_root && edit.below != nullptr) {
    node.set_child(0, edit.below->bytes());
  }
  const std::uint64_t span = buckets_per_child(id.level);
  bool child_rekeyed = false;
  for (std::size_t begin = first; begin < last;) {
    const auto index = static_cast<std::uint32_t>(edit.slots[begin].bucket / span);
    std::size_t end = begin;
    while (end < last && edit.slots[end].bucket / span == index) ++end;
    const std::uint32_t slot = index % fan_out;
    if (slot > node.count()) return Error(Errc::corruption, "a keyring node lacks a child");
    std::optional<crypto::KeyView> child_key;
    if (slot < node.count()) child_key = node.child(slot);
    EFFACE_ASSIGN(const crypto::SecretKey child,
                  descend(edit, {tree_, static_cast<std::uint8_t>(id.level - 1), index}, child_key,
                          begin, end));
    if (!child.empty()) {
      node.set_child(slot, child.bytes());
      child_rekeyed = true;
    }
    begin = end;
  }
  if (!child_rekeyed) return crypto::SecretKey();
  if (is_root) node.set_bucket_count(edit.bucket_count);
  auto fresh = is_root && edit.new_root_key != nullptr
                   ? edit.new_root_key->clone()
                   : fresh_key(id, key, mutant == Mutant::ancestor_keeps_key);
  EFFACE_TRY(edit.nodes.put(id, node.seal(region_, id, fresh.bytes())));
  return fresh;
}

Result<crypto::SecretKey> KeyTree::edit_leaf(Edit& edit, NodeId id,
                                             std::optional<crypto::KeyView> key, std::size_t first,
                                             std::size_t last) const {
  const bool is_root = height(edit.bucket_count) == 0;
  Node node = Node::empty_leaf();
  if (key) {
    EFFACE_ASSIGN(node, open_node(edit.nodes, id, *key));
  }
  LeafEdit leaf(node);
  for (std::size_t i = first; i < last; ++i) EFFACE_TRY(edit.change(edit.slots[i].item, leaf));
  edit.units_grown += leaf.units_grown_;
  if (is_root) node.set_bucket_count(edit.bucket_count);

  const bool forgets = leaf.removed_ || edit.splitting || !key;
  if (!forgets && !leaf.added_) return crypto::SecretKey();
  if (!forgets) {
    EFFACE_TRY(edit.nodes.put(id, node.seal(region_, id, *key)));
    return crypto::SecretKey();
  }
  const bool keep_old =
      edit.splitting ? mutant == Mutant::split_keeps_keys : mutant == Mutant::leaf_keeps_key;
  auto fresh = is_root && edit.new_root_key != nullptr ? edit.new_root_key->clone()
                                                       : fresh_key(id, key, keep_old);
  EFFACE_TRY(edit.nodes.put(id, node.seal(region_, id, fresh.bytes())));
  return fresh;
}

// Answers whether the root was re-keyed.
Result<bool> KeyTree::run(Edit& edit, TreeRoot& root) const {
  const NodeId top{tree_, height(edit.bucket_count), 0};
  std::optional<crypto::KeyView> key;
  if (edit.below == nullptr) key = std::as_const(root.key).bytes();
  EFFACE_ASSIGN(crypto::SecretKey fresh, descend(edit, top, key, 0, edit.slots.size()));
  const bool rekeyed = !fresh.empty();
  if (rekeyed) root.key = std::move(fresh);
  return rekeyed;
}

Result<bool> KeyTree::edit(NodeWriter& nodes, TreeRoot& root, std::span<const Tag> tags,
                           FunctionRef<Status(std::size_t, LeafEdit&)> change,
                           const crypto::SecretKey* new_root_key) const {
  Edit edit{nodes, change, new_root_key, root.bucket_count};
  edit.slots = slots_of(tags, root.bucket_count);
  EFFACE_ASSIGN(const bool rekeyed, run(edit, root));
  if (edit.units_grown == 0) return rekeyed;
  EFFACE_TRY(split(nodes, root, edit.units_grown, new_root_key));
  return true;
}

Status KeyTree::rekey(NodeWriter& nodes, TreeRoot& root,
                      const crypto::SecretKey* new_root_key) const {
  const auto leave = [](std::size_t, LeafEdit&) -> Status { return {}; };
  Edit edit{nodes, leave, new_root_key, root.bucket_count, true};
  edit.slots.push_back({0, 0});
  EFFACE_ASSIGN(const bool rekeyed, run(edit, root));
  EFFACE_CHECK(rekeyed);
  return {};
}

Result<bool> KeyTree::add(NodeWriter& nodes, TreeRoot& root, std::span<const Tag> tags,
                          FunctionRef<Status(std::size_t, LeafEdit&)> change) const {
  bool rekeyed = false;
  for (std::size_t first = 0; first < tags.size();) {
    const std::size_t n = std::min<std::size_t>(
        tags.size() - first, std::size_t{rows_added_per_bucket_max} * (root.bucket_count + 1));
    const auto shifted = [&](std::size_t i, LeafEdit& leaf) { return change(first + i, leaf); };
    EFFACE_ASSIGN(const bool grown, edit(nodes, root, tags.subspan(first, n), shifted));
    rekeyed = rekeyed || grown;
    first += n;
  }
  return rekeyed;
}

// Splits the next buckets in order: what moves goes into new leaves, and the buckets that it leaves
// are re-keyed up to the root. Without that, the old image of a bucket stays open under its living
// key, and a person erased after the split is not erased.
Status KeyTree::split(NodeWriter& nodes, TreeRoot& root, std::uint32_t splits,
                      const crypto::SecretKey* new_root_key) const {
  while (splits > 0) {
    const std::uint32_t before = root.bucket_count;
    const std::uint32_t half = std::bit_floor(before);
    const std::uint32_t n = std::min({splits, 2 * half - before, splits_per_pass_max});
    const std::uint32_t after = before + n;
    std::vector<Node> moved;
    for (std::uint32_t i = 0; i < n; ++i) moved.push_back(Node::empty_leaf());

    const auto leave = [&](std::size_t item, LeafEdit& leaf) -> Status {
      for (std::uint32_t i = leaf.node_.count(); i-- > 0;) {
        const RowView row = leaf.node_.row(i);
        if (bucket_of(row.tag(), after) != before + item) continue;
        EFFACE_TRY(moved[item].add(row.copy()));
        leaf.node_.remove(i);
      }
      return {};
    };
    // When a root comes to stand above it, the present root becomes a child like any other, under a
    // key of its own. Were it the new root's too, old images of that root would stay open as long
    // as the child keeps it.
    const bool rises = height(after) != height(before);
    Edit shrink{nodes, leave, rises ? nullptr : new_root_key, before, true};
    for (std::uint32_t i = 0; i < n; ++i) shrink.slots.push_back({before - half + i, i});
    EFFACE_TRY(run(shrink, root));

    const auto arrive = [&](std::size_t item, LeafEdit& leaf) -> Status {
      leaf.node_ = std::move(moved[item]);
      return {};
    };
    Edit grow{nodes, arrive, new_root_key, after, true};
    for (std::uint32_t i = 0; i < n; ++i) grow.slots.push_back({before + i, i});
    if (rises) grow.below = &root.key;
    EFFACE_TRY(run(grow, root));
    root.bucket_count = after;
    splits -= n;
  }
  return {};
}

}  // namespace efface::keyring
