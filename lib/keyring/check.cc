// Looking at a whole keyring, and going on where something does not verify.
#include "keyring/check.h"

#include <algorithm>
#include <set>

#include "keyring/check_ledger.h"
#include "keyring/keyring_txn.h"

namespace efface::keyring {
namespace {

constexpr std::uint64_t nodes_per_report = 4096;

std::uint32_t nodes_at(std::uint32_t bucket_count, unsigned level) noexcept {
  std::uint64_t count = bucket_count;
  for (unsigned i = 0; i < level; ++i) count = (count + fan_out - 1) / fan_out;
  return static_cast<std::uint32_t>(count);
}

class Checker {
 public:
  Checker(const Id16& region, const NodeReader& nodes, const storage::ReadTxn& txn,
          FunctionRef<void(std::uint64_t)> progress, KeyringCheck& into)
      : region_(region), nodes_(nodes), txn_(txn), progress_(progress), into_(into) {}

  Status look(const TreeRoot& top);

 private:
  struct Tenant {
    std::optional<std::uint32_t> number{};
    crypto::SecretKey terms{};
    TreeRoot subjects{{}, 0};
    TreeRoot buckets{{}, 0};
  };
  using Rows = FunctionRef<Status(RowView)>;

  void damaged(const char* what) { ++into_.damage[what]; }
  Status walk(std::uint32_t tree, const TreeRoot& root, Rows look);
  Status walk_node(NodeId id, crypto::KeyView key, std::uint32_t bucket_count, Rows look);
  Status walk_leaf(const Node& node, NodeId id, std::uint32_t bucket_count, Rows look);
  Status look_at_tenant(const Tenant& tenant);
  Status look_at_file(std::uint32_t tenant, RowView row);
  Status look_at_queue();
  Status look_at_keys(std::uint64_t entries);
  bool is_known(Bytes key, std::uint64_t entries) const;
  bool is_going(std::uint32_t tenant) const { return going_.contains(tenant); }

  const Id16& region_;
  const NodeReader& nodes_;
  const storage::ReadTxn& txn_;
  FunctionRef<void(std::uint64_t)> progress_;
  KeyringCheck& into_;
  std::map<std::uint32_t, std::uint32_t> trees_;  // How many buckets each has.
  std::set<std::uint32_t> tenants_;
  std::set<std::uint32_t> going_;  // Off-boarded, and not swept yet.
  std::set<FileKey> files_;
};

Status Checker::walk(std::uint32_t tree, const TreeRoot& root, Rows look) {
  trees_[tree] = root.bucket_count;
  return walk_node(KeyTree::root_node(tree, root.bucket_count), root.key.bytes(), root.bucket_count,
                   look);
}

Status Checker::walk_node(NodeId id, crypto::KeyView key, std::uint32_t bucket_count, Rows look) {
  const auto opened = [&]() -> Result<Node> {
    EFFACE_ASSIGN(const Bytes sealed, nodes_.get(id));
    return Node::open(region_, id, key, sealed);
  }();
  if (!opened) {
    if (!is_damage(opened.error().code())) return opened.error();
    damaged(damage::node);
    return {};
  }
  const Node& node = *opened;
  if (++into_.nodes % nodes_per_report == 0) progress_(nodes_per_report);
  const bool is_root = nodes_at(bucket_count, id.level) == 1;
  if (is_root && node.bucket_count() != bucket_count) damaged(damage::node);
  if (id.level == 0) return walk_leaf(node, id, bucket_count, look);
  const std::uint32_t below = nodes_at(bucket_count, id.level - 1u);
  const std::uint32_t expected = std::min(fan_out, below - id.index * fan_out);
  if (node.count() != expected) damaged(damage::node);
  for (std::uint32_t i = 0; i < std::min(node.count(), expected); ++i) {
    const NodeId child{id.tree, static_cast<std::uint8_t>(id.level - 1), id.index * fan_out + i};
    EFFACE_TRY(walk_node(child, node.child(i), bucket_count, look));
  }
  return {};
}

Status Checker::walk_leaf(const Node& node, NodeId id, std::uint32_t bucket_count, Rows look) {
  std::set<std::pair<Tag, Label>> seen;
  for (std::uint32_t i = 0; i < node.count(); ++i) {
    const RowView row = node.row(i);
    ++into_.rows;
    const bool is_first = seen.emplace(row.tag(), row.label()).second;
    if (!is_first || KeyTree::bucket_of(row.tag(), bucket_count) != id.index) damaged(damage::row);
    EFFACE_TRY(look(row));
  }
  return {};
}

Status Checker::look_at_file(std::uint32_t tenant, RowView row) {
  const FileKey key = file_key(tenant, row.handle());
  EFFACE_ASSIGN(const std::optional<Bytes> sealed, txn_.get(key));
  if (!sealed) return {};
  files_.insert(key);
  ++into_.files;
  if (!open_file(region_, key, row.key(), *sealed)) damaged(damage::file);
  return {};
}

Status Checker::look_at_tenant(const Tenant& tenant) {
  if (!tenant.number || tenant.subjects.bucket_count == 0 || tenant.buckets.bucket_count == 0) {
    damaged(damage::row);
    return {};
  }
  ++into_.tenants;
  tenants_.insert(*tenant.number);
  EFFACE_ASSIGN(const std::optional<Bytes> sealed, txn_.get(terms_key(*tenant.number)));
  codec::Plaintext terms(sealed ? std::max(sealed->size(), crypto::seal_overhead_bytes) -
                                      crypto::seal_overhead_bytes
                                : 0);
  if (!sealed || sealed->size() < crypto::seal_overhead_bytes ||
      !crypto::open(tenant.terms.bytes(), terms_context(region_, *tenant.number), *sealed,
                    terms.bytes()))
    damaged(damage::terms);
  const std::uint32_t first_tree = 2 * *tenant.number;
  EFFACE_TRY(walk(first_tree, tenant.subjects, [&](RowView row) -> Status {
    into_.alive.insert(row.handle());
    if (row.label() == person) ++into_.people;
    return look_at_file(*tenant.number, row);
  }));
  return walk(first_tree + 1, tenant.buckets, [](RowView) -> Status { return {}; });
}

Status Checker::look_at_queue() {
  constexpr std::array<std::byte, 1> queue{std::byte{'q'}};
  return txn_.scan(queue, queue, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
    const auto reclaim = decode_reclaim(0, entry.value);
    if (!reclaim) {
      damaged(damage::reclaim);
      return Flow::more;
    }
    into_.waiting.insert(reclaim->handles.begin(), reclaim->handles.end());
    if (reclaim->what == Reclaim::What::tenant) going_.insert(reclaim->tenant_number);
    return Flow::more;
  });
}

// Whether something leads to an entry of the environment.
bool Checker::is_known(Bytes key, std::uint64_t entries) const {
  const auto number = [&] { return load_be<std::uint32_t>(key.subspan<1, 4>()); };
  const auto of_tenant = [&] { return tenants_.contains(number()) || is_going(number()); };
  switch (std::to_integer<char>(key[0])) {
    case 'm':
      return key.size() == 1 ||
             (key.size() == 2 && (key[1] == std::byte{'f'} || key[1] == std::byte{'l'}));
    case 'r':
    case 'o':
    case 's':
      return key.size() == 1;
    case 't':
      return key.size() == 5 && of_tenant();
    case 'd':
      if (key.size() != std::tuple_size_v<FileKey>) return false;
      {
        FileKey file;
        std::ranges::copy(key, file.begin());
        return files_.contains(file) || is_going(number());
      }
    case 'e':
      return key.size() == 13 && of_tenant();
    case 'q':
    case 'b':
      return key.size() == 9;
    case 'l':
      return key.size() == 9 && load_be<std::uint64_t>(key.subspan<1, 8>()) < entries;
    case 'h':
      return key.size() == 10;
    case 'i':
      return key.size() == 17;
    default:
      return false;
  }
}

Status Checker::look_at_keys(std::uint64_t entries) {
  constexpr std::array<std::byte, 1> lowest{};
  return txn_.scan({}, lowest, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
    const Bytes key = entry.key;
    if (key[0] != std::byte{'n'} || key.size() != sizeof(NodeKey)) {
      if (!is_known(key, entries)) damaged(damage::stray_entry);
      return Flow::more;
    }
    const auto tree = load_be<std::uint32_t>(key.subspan<1, 4>());
    const auto level = std::to_integer<std::uint8_t>(key[5]);
    const auto index = load_be<std::uint32_t>(key.subspan<6, 4>());
    const auto known = trees_.find(tree);
    const bool belongs = known == trees_.end()
                             ? is_going(tree / 2)
                             : level <= KeyTree::root_node(tree, known->second).level &&
                                   index < nodes_at(known->second, level);
    if (!belongs) damaged(damage::stray_node);
    return Flow::more;
  });
}

Status Checker::look(const TreeRoot& top) {
  EFFACE_TRY(look_at_queue());
  into_.tenant_waits = !going_.empty();
  std::map<Tag, Tenant> tenants;
  EFFACE_TRY(walk(top_tree, top, [&](RowView row) -> Status {
    if (row.label() > pseudonym_key) return {};  // The region's own.
    Tenant& tenant = tenants[row.tag()];
    if (row.label() == tenant_terms) {
      tenant.number = row.aux();
      tenant.terms = crypto::SecretKey::copy_of(row.key());
    } else if (row.label() != pseudonym_key) {
      TreeRoot& root = row.label() == subject_root ? tenant.subjects : tenant.buckets;
      root.key = crypto::SecretKey::copy_of(row.key());
      root.bucket_count = row.aux() > (1u << 30) ? 0 : row.aux();
    }
    return {};
  }));
  for (const auto& [tag, tenant] : tenants) EFFACE_TRY(look_at_tenant(tenant));
  return look_at_keys(into_.entries);
}

}  // namespace

Result<Keyring::Custody> Keyring::custody(const std::string& directory) {
  EFFACE_ASSIGN(const Lock held, lock());
  EFFACE_ASSIGN(const bool shares, root_keys_->shares_volume(directory));
  return Custody{shares, root_keys_->keeps_in_clear(), retiring_ != nullptr};
}

Result<KeyringCheck> Keyring::check(FunctionRef<void(std::uint64_t)> progress) {
  KeyringCheck found;
  // Until the snapshot has begun, so that the copy has what the snapshot has.
  EFFACE_ASSIGN(Lock held, lock());
  EFFACE_ASSIGN(const Anchor anchor, root_keys_->anchor());
  EFFACE_TRY(with_snapshot(
      [&](const NodeReader& nodes, const TreeRoot& top, const storage::ReadTxn& txn) -> Status {
        held.unlock();
        EFFACE_TRY(check_ledger(txn, options_.region, options_.ledger_copy.get(), anchor, found));
        return Checker(options_.region, nodes, txn, progress, found).look(top);
      }));
  const auto numbers = note_numbers();
  if (!numbers && !is_damage(numbers.error().code())) return numbers.error();
  if (!numbers) ++found.damage[damage::note];
  for (std::size_t i = 0; numbers && i < numbers->size(); ++i) {
    const auto opened = note((*numbers)[i]);
    if (!opened && !is_damage(opened.error().code())) return opened.error();
    if (!opened) ++found.damage[damage::note];
  }
  return found;
}

}  // namespace efface::keyring
