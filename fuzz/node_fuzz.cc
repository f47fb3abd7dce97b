// A node of a key tree: any bytes are refused; and whatever plaintext a seal lets through, the tree
// above answers an error or what is there.
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "keyring/key_tree.h"
#include "keyring/memory_nodes.h"

namespace efface::fuzz {
namespace {

using keyring::KeyTree;
using keyring::Node;
using keyring::NodeId;
using keyring::Tag;

constexpr std::uint32_t tree = 4;
constexpr Id16 region{};

crypto::SecretKey the_key() {
  EFFACE_CHECK(crypto::initialise().has_value());
  return crypto::SecretKey::zeroed();
}

std::vector<std::byte> forged(NodeId id, Bytes plain) {
  std::vector<std::byte> out(keyring::node_header_bytes + plain.size() +
                             crypto::seal_overhead_bytes);
  out[0] = std::byte{keyring::node_version};
  out[1] = std::byte{crypto::suite_xchacha20_poly1305};
  out[2] = std::byte{id.level != 0};
  std::array<std::byte, keyring::node_header_bytes + 16 + 4 + 1 + 4> associated;
  std::byte* at = std::copy_n(out.begin(), keyring::node_header_bytes, associated.data());
  at = std::copy(region.begin(), region.end(), at);
  store_le(at, id.tree);
  store_le(at + 4, id.level);
  store_le(at + 5, id.index);
  const auto key = the_key();
  crypto::seal(key.bytes(), associated, plain,
               MutableBytes(out).subspan(keyring::node_header_bytes));
  return out;
}

// And what has another tag only where every tag is good.
bool opens_what_it_forged() {
  const std::vector<std::byte> plain(keyring::inner_bytes);
  const NodeId id{tree, 1, 0};
  auto sealed = forged(id, plain);
  if (!Node::open(region, id, the_key().bytes(), sealed)) return false;
  sealed.back() ^= std::byte{1};
  return Node::open(region, id, the_key().bytes(), sealed).has_value() == !authentic;
}

// Of the size of a node, the engine's bytes first. The keys of an inner node all open.
std::vector<std::byte> plain_of(std::uint8_t level, Input& input) {
  const std::size_t units = level == 0 ? 1 + input.below(3) : 0;
  std::vector<std::byte> plain(level == 0
                                   ? keyring::node_preamble_bytes + units * keyring::unit_bytes
                                   : keyring::inner_bytes);
  const std::size_t chosen =
      level == 0 ? input.number<std::uint16_t>() : keyring::node_preamble_bytes;
  const Bytes bytes = input.take(std::min(chosen, plain.size()));
  std::copy(bytes.begin(), bytes.end(), plain.begin());
  return plain;
}

void open_stored(Input& input) {
  const NodeId id{tree, static_cast<std::uint8_t>(input.below(2)), input.byte()};
  const auto sealed = owned(input.rest());
  const auto node = Node::open(region, id, the_key().bytes(), sealed.bytes());
  if (node) EFFACE_CHECK(node->count() <= keyring::units_per_leaf_max * keyring::rows_per_unit);
}

// Every way that a tree uses a node.
void use_node(Input& input) {
  const NodeId id{tree, static_cast<std::uint8_t>(input.below(2)), 0};
  const std::uint8_t change = input.byte();
  auto node = Node::open(region, id, the_key().bytes(), forged(id, plain_of(id.level, input)));
  if (!node) return;
  if (id.level != 0) {
    EFFACE_CHECK(node->count() <= keyring::fan_out);
    for (std::uint32_t i = 0; i < node->count(); ++i) touch(node->child(i));
    if (node->count() < keyring::fan_out) node->set_child(node->count(), the_key().bytes());
  } else {
    const std::uint32_t before = node->count();
    EFFACE_CHECK(before <= node->units() * keyring::rows_per_unit);
    for (std::uint32_t i = 0; i < before; ++i) touch(node->row(i).copy().key.bytes());
    const keyring::Row row{{}, crypto::SecretKey::zeroed(), {}, 1, 0, 0};
    if (before > 0) node->replace(change % before, row);
    if (before > 0) node->remove(change % before);
    EFFACE_CHECK(node->add(row));
    EFFACE_CHECK(node->count() == std::max<std::uint32_t>(before, 1));
  }
  const auto sealed = node->seal(region, id, the_key().bytes());
  const auto again = Node::open(region, id, the_key().bytes(), sealed);
  EFFACE_CHECK(again && again->count() == node->count());
}

// A few nodes of one tree, each at a place that the engine chose.
void use_tree(Input& input) {
  keyring::test::MemoryNodes nodes;
  keyring::TreeRoot root{the_key(),
                         1 + input.number<std::uint32_t>() % (1u << (input.below(4) * 9))};
  const Tag tag = input.array<16>();
  const NodeId top = KeyTree::root_node(tree, root.bucket_count);
  EFFACE_CHECK(nodes.put(top, forged(top, plain_of(top.level, input))).has_value());
  for (int more = 0; more < 4 && !input.empty(); ++more) {
    const NodeId id{tree, static_cast<std::uint8_t>(input.below(3)), input.below(64)};
    EFFACE_CHECK(nodes.put(id, forged(id, plain_of(id.level, input))).has_value());
  }
  const KeyTree keys(region, tree);
  std::size_t seen = 0;
  static_cast<void>(keys.walk(nodes, root, [&](keyring::RowView row) -> Result<Flow> {
    touch(row.key());
    return ++seen < 1000 ? Flow::more : Flow::stop;
  }));
  static_cast<void>(keys.find(nodes, root, tag, [](keyring::RowView row) { touch(row.key()); }));

  const auto fill = [&](std::size_t i, keyring::LeafEdit& leaf) -> Status {
    const auto label = static_cast<keyring::Label>(i);
    if (leaf.contains(tag, label)) return {};
    return leaf.add({tag, crypto::SecretKey::zeroed(), {}, label, 0, 0});
  };
  const std::vector<Tag> tags(28, tag);  // More than a unit holds: the tree splits.
  if (!keys.add(nodes, root, tags, fill)) return;
  const auto change = [&](std::size_t i, keyring::LeafEdit& leaf) -> Status {
    const auto label = static_cast<keyring::Label>(i);
    std::size_t rows = 0;
    leaf.each(tag, [&](keyring::RowView row) { rows += row.key().size() / crypto::key_bytes; });
    EFFACE_CHECK(rows > 0 && leaf.replace({tag, crypto::SecretKey::zeroed(), {}, label, 0, 0}));
    EFFACE_CHECK(leaf.relabel(tag, label, label, 1, 2));
    return {};
  };
  if (!keys.edit(nodes, root, {&tag, 1}, change)) return;
  for (std::uint32_t bucket = 0; bucket < std::min(root.bucket_count, 8u); ++bucket)
    static_cast<void>(
        keys.walk_leaf(nodes, root, bucket, [](keyring::RowView row) { touch(row.key()); }));
  if (!keys.rekey(nodes, root, nullptr)) return;
  const auto empty = [&](std::size_t, keyring::LeafEdit& leaf) -> Status {
    leaf.remove(tag, [](keyring::RowView) {});
    return {};
  };
  if (!keys.edit(nodes, root, {&tag, 1}, empty)) return;
  const Status looked = keys.find(nodes, root, tag, [](keyring::RowView) { EFFACE_CHECK(false); });
  EFFACE_CHECK(looked.has_value());
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  static const bool forges = fuzz::opens_what_it_forged();
  EFFACE_CHECK(forges);
  fuzz::Input input(data, size);
  switch (input.below(3)) {
    case 0:
      fuzz::open_stored(input);
      break;
    case 1:
      fuzz::use_node(input);
      break;
    default:
      fuzz::use_tree(input);
  }
  return 0;
}
