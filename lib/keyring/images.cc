#include "keyring/images.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "crypto/prf.h"
#include "keyring/keyring_txn.h"

namespace efface::keyring {
namespace {

constexpr std::uint32_t buckets_max = 1U << 30;

// Of a root key store: it does not open this, and never will.
bool says_no(Errc code) noexcept {
  return is_damage(code) || code == Errc::root_key_missing || code == Errc::invalid_argument ||
         code == Errc::too_large;
}

// Keys are random, so that a hash tells nothing of one; it tells two apart.
Id16 place_hash(const NodeId& id, crypto::KeyView key) noexcept {
  std::array<std::byte, 9> place;
  store_le(place.data(), id.tree);
  store_le(place.data() + 4, id.level);
  store_le(place.data() + 5, id.index);
  return crypto::hash128({place, key});
}
Id16 row_hash(std::uint32_t tree, RowView row) noexcept {
  return place_hash({tree, 0, 0}, row.key());
}

class Reacher {
 public:
  Reacher(const Id16& region, const NodeReader& nodes, NodeImages& images)
      : region_(region), nodes_(nodes), images_(images) {}

  Status run(const TreeRoot& top, std::span<const TreeRoot> old_roots);

 private:
  enum class Pass : bool { note_rows, open_images };
  using Child = FunctionRef<Status(const NodeId&, crypto::KeyView)>;

  Status walk(const NodeId& id, crypto::KeyView key, Pass pass);
  Status reach(const NodeId& id, crypto::KeyView key);
  Status each_child(const NodeId& id, const Node& node, Child look) const;
  Status each_row(const NodeId& id, const Node& node);

  const Id16& region_;
  const NodeReader& nodes_;
  NodeImages& images_;
  std::unordered_set<Id16, Id16Hash> rows_;   // That are there today.
  std::unordered_set<Id16, Id16Hash> tried_;  // Keys, each in its place.
};

using TenantNumbers = std::map<Tag, std::uint32_t>;

// The rows of one tag stand in one leaf.
TenantNumbers tenants_in(const Node& leaf) {
  TenantNumbers numbers;
  for (std::uint32_t i = 0; i < leaf.count(); ++i)
    if (leaf.row(i).label() == tenant_terms) numbers[leaf.row(i).tag()] = leaf.row(i).aux();
  return numbers;
}

std::uint32_t tenant_in(const TenantNumbers& numbers, RowView row) {
  const auto at = numbers.find(row.tag());
  return at == numbers.end() ? 0 : at->second;
}

// What a node has keys of: its children, or, of a leaf of the top tree, the roots of other trees.
Status Reacher::each_child(const NodeId& id, const Node& node, Child look) const {
  if (id.level > 0) {
    for (std::uint32_t i = 0; i < node.count(); ++i) {
      const std::uint64_t index = std::uint64_t{id.index} * fan_out + i;
      if (index >= buckets_max) return {};
      const NodeId child{id.tree, static_cast<std::uint8_t>(id.level - 1),
                         static_cast<std::uint32_t>(index)};
      EFFACE_TRY(look(child, node.child(i)));
    }
    return {};
  }
  if (id.tree != top_tree) return {};
  const TenantNumbers numbers = tenants_in(node);
  for (std::uint32_t i = 0; i < node.count(); ++i) {
    const RowView row = node.row(i);
    if (row.label() != subject_root && row.label() != retention_root) continue;
    const std::uint32_t tenant = tenant_in(numbers, row);
    if (tenant == 0 || tenant > buckets_max || row.aux() == 0 || row.aux() > buckets_max) continue;
    const std::uint32_t tree = 2 * tenant + (row.label() == retention_root ? 1 : 0);
    EFFACE_TRY(look(KeyTree::root_node(tree, row.aux()), row.key()));
  }
  return {};
}

// The nodes that are there today, and in the second pass the images of each with its key.
Status Reacher::walk(const NodeId& id, crypto::KeyView key, Pass pass) {
  EFFACE_ASSIGN(const Bytes sealed, nodes_.get(id));
  EFFACE_ASSIGN(const Node node, Node::open(region_, id, key, sealed));
  if (pass == Pass::open_images) EFFACE_TRY(reach(id, key));
  if (pass == Pass::note_rows && id.level == 0)
    for (std::uint32_t i = 0; i < node.count(); ++i) rows_.insert(row_hash(id.tree, node.row(i)));
  return each_child(id, node, [&](const NodeId& child, crypto::KeyView child_key) -> Status {
    return walk(child, child_key, pass);
  });
}

Status Reacher::each_row(const NodeId& id, const Node& node) {
  const TenantNumbers numbers = id.tree == top_tree ? tenants_in(node) : TenantNumbers{};
  for (std::uint32_t i = 0; i < node.count(); ++i) {
    const RowView row = node.row(i);
    if (rows_.contains(row_hash(id.tree, row))) continue;
    const std::uint32_t tenant = id.tree == top_tree ? tenant_in(numbers, row) : id.tree / 2;
    EFFACE_TRY(images_.beyond({id.tree, tenant, row}));
  }
  return {};
}

// Depth: a level of a tree goes down with each step, and only the top tree leads to others.
Status Reacher::reach(const NodeId& id, crypto::KeyView key) {
  if (!tried_.insert(place_hash(id, key)).second) return {};
  return images_.each_node(id, [&](std::size_t image, Bytes sealed) -> Status {
    const auto node = Node::open(region_, id, key, sealed);
    if (!node) return {};  // Sealed for another place, or with another key.
    images_.node_opened(image);
    if (id.level == 0) EFFACE_TRY(each_row(id, *node));
    return each_child(id, *node, [&](const NodeId& child, crypto::KeyView child_key) -> Status {
      return reach(child, child_key);
    });
  });
}

Status Reacher::run(const TreeRoot& top, std::span<const TreeRoot> old_roots) {
  const NodeId root = KeyTree::root_node(top_tree, top.bucket_count);
  EFFACE_TRY(walk(root, top.key.bytes(), Pass::note_rows));
  EFFACE_TRY(walk(root, top.key.bytes(), Pass::open_images));
  for (const TreeRoot& old : old_roots)
    EFFACE_TRY(reach(KeyTree::root_node(top_tree, old.bucket_count), old.key.bytes()));
  return {};
}

bool begins_with_suite(Bytes value) noexcept {
  return value.size() >= node_header_bytes && value[0] == std::byte{node_version} &&
         value[1] == std::byte{crypto::suite_xchacha20_poly1305};
}

bool node_size_fits(std::uint8_t level, std::size_t bytes) noexcept {
  constexpr std::size_t overhead = node_header_bytes + crypto::seal_overhead_bytes;
  if (level > 0) return bytes == overhead + inner_bytes;
  if (bytes < overhead + node_preamble_bytes + unit_bytes) return false;
  const std::size_t rows = bytes - overhead - node_preamble_bytes;
  return rows % unit_bytes == 0 && rows / unit_bytes <= units_per_leaf_max;
}

}  // namespace

std::optional<NodeId> node_of(Bytes key, std::size_t value_bytes, Bytes value) noexcept {
  if (key.size() != sizeof(NodeKey) || key[0] != std::byte{'n'} || !begins_with_suite(value))
    return std::nullopt;
  const NodeId id{load_be<std::uint32_t>(key.subspan<1, 4>()),
                  std::to_integer<std::uint8_t>(key[5]),
                  load_be<std::uint32_t>(key.subspan<6, 4>())};
  const std::byte kind{id.level == 0 ? std::uint8_t{0} : std::uint8_t{1}};
  if (!node_size_fits(id.level, value_bytes) || value[2] != kind || value[3] != std::byte{0})
    return std::nullopt;
  return id;
}

bool is_root_record(Bytes key, std::size_t value_bytes, Bytes value) noexcept {
  constexpr std::size_t root_head_bytes = 48;
  return std::ranges::equal(key, root_record_key) && begins_with_suite(value) &&
         value[2] == std::byte{0} && value[3] == std::byte{0} && value_bytes > root_head_bytes &&
         value_bytes <= root_head_bytes + RootKeyStore::wrapped_bytes_max;
}

bool is_file(Bytes key, std::size_t value_bytes, Bytes value) noexcept {
  return key.size() == sizeof(FileKey) && key[0] == std::byte{'d'} && begins_with_suite(value) &&
         value[2] == std::byte{0} && value[3] == std::byte{0} &&
         value_bytes >= 4 + crypto::seal_overhead_bytes;
}

Handle person_of_file(Bytes key) noexcept {
  Handle handle;
  std::ranges::copy(key.subspan<5, sizeof(Handle)>(), handle.begin());
  return handle;
}

std::uint32_t tenant_of_file(Bytes key) noexcept {
  return load_be<std::uint32_t>(key.subspan<1, 4>());
}

bool opens_file(const Id16& region, Bytes key, crypto::KeyView with, Bytes sealed) {
  FileKey of;
  std::ranges::copy(key.first<sizeof(FileKey)>(), of.begin());
  return open_file(region, of, with, sealed).has_value();
}

// The root key store is asked first, outside of any transaction; also for epochs that it does not
// list, for whether they are gone is the question.
Result<std::vector<TreeRoot>> Keyring::unwrap_old_roots(const Lock&, NodeImages& images) const {
  enum class Answer : std::uint8_t { shut, opened, none };
  std::vector<TreeRoot> opened;
  std::set<Epoch> gone;
  std::map<Id16, Answer> answers;  // By the record's hash.
  const auto ask = [&](const RootRecord& record) -> Answer {
    if (gone.contains(record.epoch)) return Answer::shut;
    TreeRoot root{crypto::SecretKey::zeroed(), record.bucket_count};
    if (auto held = held_root(record.root_id)) {
      root.key = std::move(*held);
    } else {
      const Status done =
          root_keys_->unwrap(record.epoch, wrap_context(options_.region, record.root_id),
                             record.wrapped, root.key.bytes());
      if (!done && done.error().code() == Errc::root_key_missing) gone.insert(record.epoch);
      if (!done) return says_no(done.error().code()) ? Answer::shut : Answer::none;
    }
    opened.push_back(std::move(root));
    return Answer::opened;
  };
  EFFACE_TRY(images.each_root([&](std::size_t image, Bytes bytes) -> Status {
    const auto record = RootRecord::decode(bytes);
    if (!record || record->store_id != root_keys_->id()) return {};
    const auto [at, is_new] = answers.try_emplace(crypto::hash128({bytes}), Answer::shut);
    if (is_new) at->second = ask(*record);
    if (at->second == Answer::opened) images.root_opened(image);
    if (at->second == Answer::none) images.root_unanswered(image);
    return {};
  }));
  return opened;
}

Status Keyring::reach(NodeImages& images) {
  EFFACE_ASSIGN(Lock held, lock());
  EFFACE_ASSIGN(const std::vector<TreeRoot> old_roots, unwrap_old_roots(held, images));
  // Held until the snapshot has begun: what an erasure in between destroys was there then.
  return with_snapshot(
      [&](const NodeReader& nodes, const TreeRoot& top, const storage::ReadTxn&) -> Status {
        held.unlock();
        return Reacher(options_.region, nodes, images).run(top, old_roots);
      });
}

}  // namespace efface::keyring
