#include "oracle/live_tree.h"

#include <bit>

namespace disclosure {
namespace {

void add_big(std::vector<std::byte>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}

}  // namespace

std::uint8_t height_of(std::uint32_t buckets) {
  std::uint8_t levels = 0;
  for (std::uint64_t reach = 1; reach < buckets; reach *= fan_out) ++levels;
  return levels;
}

// The low bits of the first four bytes of the tag: as many as number the buckets, one fewer where
// that bucket has not been split off yet.
std::uint32_t bucket_of(const Id& tag, std::uint32_t buckets) {
  const auto bits = little<std::uint32_t>(tag, 0);
  const std::uint32_t wide = std::bit_ceil(buckets);
  const std::uint32_t bucket = bits % wide;
  return bucket < buckets ? bucket : bits % (wide / 2);
}

std::optional<LiveTree> LiveTree::open(const std::filesystem::path& data_file,
                                       const RootKeys& keys) {
  auto file = LiveFile::open(data_file);
  if (!file) return std::nullopt;
  LiveTree tree(*std::move(file));
  const auto header = tree.file_.get(bytes_of("m"));
  const auto root = tree.file_.get(bytes_of("r"));
  if (!header || header->size() != 40 || !root || root->size() != 48 + 2 + 32 + seal_bytes)
    return std::nullopt;
  tree.region_ = id_at(*header, 12);
  tree.buckets_ = little<std::uint32_t>(*root, 4);
  tree.epoch_ = little<std::uint64_t>(*root, 8);
  const Id store = id_at(*root, 32);
  const Bytes wrapped = root->subspan(48);
  Concatenation context;
  context.add(tree.region_).add(root->subspan(16, 16));
  const auto associated = hash<32>({}, {bytes_of("efface.root"), wrapped.first(2), Bytes(store),
                                        root->subspan(8, 8), context.bytes()});
  for (const RootKeys::Held& held : keys.held()) {
    std::vector<std::byte> plain;
    if (held.epoch != tree.epoch_ || held.store != store) continue;
    if (!open_sealed(held.key, associated, wrapped.subspan(2), plain)) continue;
    tree.root_key_ = key_at(plain, 0);
    return tree;
  }
  return std::nullopt;
}

bool LiveTree::open_node(const Key& key, const Place& place, std::vector<std::byte>& plain) const {
  std::vector<std::byte> name{std::byte{'n'}};
  add_big(name, place.tree);
  name.push_back(std::byte{place.level});
  add_big(name, place.index);
  const auto sealed = file_.get(name);
  if (!sealed || sealed->size() < 4) return false;
  Concatenation associated;
  associated.add(sealed->first(4)).add(region_).add_little(place.tree);
  associated.add_little(place.level).add_little(place.index);
  return open_sealed(key, associated.bytes(), sealed->subspan(4), plain);
}

std::vector<Row> LiveTree::find(std::uint32_t tree, Key key, std::uint32_t buckets,
                                const Id& tag) const {
  const std::uint32_t bucket = bucket_of(tag, buckets);
  std::vector<std::byte> plain;
  for (int level = height_of(buckets); level >= 0; --level) {
    std::uint32_t index = bucket;
    for (int i = 0; i < level; ++i) index /= fan_out;
    if (!open_node(key, {tree, static_cast<std::uint8_t>(level), index}, plain)) return {};
    if (level == 0) break;
    std::uint32_t child = bucket;
    for (int i = 1; i < level; ++i) child /= fan_out;
    key = key_at(plain, preamble_bytes + child % fan_out * key.size());
  }
  std::vector<Row> rows;
  const auto count = little<std::uint32_t>(plain, 0);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Bytes bytes = Bytes(plain).subspan(preamble_bytes + i * row_bytes, row_bytes);
    if (id_at(bytes, 0) != tag) continue;
    Row row;
    row.region = region_;
    row.tree = tree == 0 ? Tree::top : tree % 2 == 0 ? Tree::subjects : Tree::retention;
    row.tenant = tree / 2;
    row.tag = tag;
    row.key = key_at(bytes, 16);
    row.handle = id_at(bytes, 48);
    row.label = little<std::uint16_t>(bytes, 64);
    row.flags = little<std::uint16_t>(bytes, 66);
    row.aux = little<std::uint32_t>(bytes, 68);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<LiveTree::Tenant> LiveTree::tenant(std::string_view name) const {
  Tenant tenant;
  tenant.tag = hash<16>({}, {bytes_of("efface.tenant"), Bytes(region_), bytes_of(name)});
  const std::vector<Row> rows = find(0, root_key_, buckets_, tenant.tag);
  if (rows.empty()) return std::nullopt;
  for (const Row& row : rows) {
    if (row.label == 0) tenant.number = row.aux;
    if (row.label == 1) {
      tenant.subjects_key = row.key;
      tenant.subject_buckets = row.aux;
    }
    if (row.label == 2) {
      tenant.retention_key = row.key;
      tenant.retention_buckets = row.aux;
    }
    if (row.label == 3) tenant.pseudonym_key = row.key;
  }
  return tenant;
}

std::vector<Row> LiveTree::person(const Tenant& tenant, std::string_view id) const {
  return find(2 * tenant.number, tenant.subjects_key, tenant.subject_buckets,
              subject_tag(tenant.pseudonym_key, id));
}

std::vector<Row> LiveTree::bucket(const Tenant& tenant, std::uint32_t day) const {
  std::vector<std::byte> number;
  add_big(number, day);
  return find(2 * tenant.number + 1, tenant.retention_key, tenant.retention_buckets,
              hash<16>({}, {bytes_of("efface.bucket"), Bytes(number)}));
}

}  // namespace disclosure
