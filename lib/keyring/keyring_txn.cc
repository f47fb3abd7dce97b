#include "keyring/keyring_txn.h"

#include <algorithm>

#include "crypto/prf.h"

namespace efface::keyring {
namespace {

constexpr std::string_view header_magic = "EFKEYRNG";
constexpr std::uint8_t root_record_version = 1;
constexpr std::size_t root_record_bytes = 48;
constexpr std::uint8_t reclaim_version = 1;
constexpr std::uint8_t file_version = 1;
constexpr std::size_t reclaim_header_bytes = 12;

template <std::size_t N>
std::array<std::byte, N> key_of(char kind, std::unsigned_integral auto number) noexcept {
  static_assert(N == 1 + sizeof number);
  std::array<std::byte, N> key;
  key[0] = static_cast<std::byte>(kind);
  store_be(std::span<std::byte, sizeof number>(key.data() + 1, sizeof number), number);
  return key;
}

std::vector<std::byte> concatenated(Bytes a, Bytes b) {
  std::vector<std::byte> out(a.size() + b.size());
  std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), out.begin()));
  return out;
}

}  // namespace

std::uint32_t tree_number(const TreeRef& tree) noexcept {
  return 2 * tree.tenant.number + static_cast<std::uint32_t>(tree.kind);
}

Tag high_water_tag() noexcept {
  static const Tag tag = crypto::hash128({as_bytes("efface.high-water")});
  return tag;
}

std::array<std::byte, 5> terms_key(std::uint32_t tenant) noexcept { return key_of<5>('t', tenant); }
std::array<std::byte, 9> reclaim_key(std::uint64_t seq) noexcept { return key_of<9>('q', seq); }
std::array<std::byte, 5> nodes_prefix(std::uint32_t tree) noexcept { return key_of<5>('n', tree); }

FileKey file_key(std::uint32_t tenant, const Handle& handle) noexcept {
  FileKey key;
  std::copy(handle.begin(), handle.end(), std::ranges::copy(files_prefix(tenant), key.begin()).out);
  return key;
}
std::array<std::byte, 5> files_prefix(std::uint32_t tenant) noexcept {
  return key_of<5>('d', tenant);
}

std::array<std::byte, 5> notices_prefix(std::uint32_t tenant) noexcept {
  return key_of<5>('e', tenant);
}
std::array<std::byte, 13> notice_key(std::uint32_t tenant, std::uint64_t sequence) noexcept {
  std::array<std::byte, 13> key;
  std::ranges::copy(notices_prefix(tenant), key.begin());
  store_be(std::span<std::byte, 8>(key.data() + 5, 8), sequence);
  return key;
}

namespace {

constexpr std::size_t file_header_bytes = 4;  // version 1 | suite 1 | zero 2

crypto::SecretKey key_of_file(const Id16& region, const FileKey& key, crypto::KeyView of) {
  auto derived = crypto::SecretKey::zeroed();
  crypto::prf256(of, {as_bytes("efface.file"), Bytes(region), Bytes(key)}, derived.bytes());
  return derived;
}

}  // namespace

std::vector<std::byte> seal_file(const Id16& region, const FileKey& key, crypto::KeyView of,
                                 Bytes file) {
  std::vector<std::byte> out(file_header_bytes + file.size() + crypto::seal_overhead_bytes);
  out[0] = std::byte{file_version};
  out[1] = std::byte{crypto::suite_xchacha20_poly1305};
  const auto sealing = key_of_file(region, key, of);
  crypto::seal(sealing.bytes(), concatenated(Bytes(out).first(file_header_bytes), key), file,
               MutableBytes(out).subspan(file_header_bytes));
  return out;
}

Result<codec::Plaintext> open_file(const Id16& region, const FileKey& key, crypto::KeyView of,
                                   Bytes sealed) {
  if (sealed.size() < file_header_bytes + crypto::seal_overhead_bytes)
    return Error(Errc::corruption, "a person's file is shorter than any");
  if (std::to_integer<int>(sealed[0]) > file_version)
    return Error(Errc::format_new, "a person's file was written by a newer version");
  codec::Plaintext plain(sealed.size() - file_header_bytes - crypto::seal_overhead_bytes);
  const auto opening = key_of_file(region, key, of);
  EFFACE_TRY(crypto::open(opening.bytes(), concatenated(sealed.first(file_header_bytes), key),
                          sealed.subspan(file_header_bytes), plain.bytes()));
  return plain;
}

std::vector<std::byte> wrap_context(const Id16& region, const Id16& root_id) {
  return concatenated(region, root_id);
}

std::vector<std::byte> terms_context(const Id16& region, std::uint32_t tenant_number) {
  return concatenated(region, terms_key(tenant_number));
}

std::array<std::byte, 40> Header::encode() const noexcept {
  std::array<std::byte, 40> out;
  std::memcpy(out.data(), header_magic.data(), 8);
  store_le(out.data() + 8, keyring_format);
  std::copy(region.begin(), region.end(), out.begin() + 12);
  store_le(out.data() + 28, next_tenant);
  store_le(out.data() + 32, next_reclaim);
  return out;
}

Result<Header> Header::decode(std::optional<Bytes> bytes) {
  if (!bytes || bytes->size() < 12 || as_text(bytes->first(8)) != header_magic)
    return Error(Errc::corruption, "the keyring has no header");
  const auto format = load_le<std::uint32_t>(bytes->data() + 8);
  if (format > keyring_format)
    return Error(Errc::format_new, "the keyring was written by a newer version");
  if (format < keyring_format) return Error(Errc::format_old, "the keyring is of an older format");
  if (bytes->size() != 40) return Error(Errc::corruption, "the keyring's header has another size");
  Header header;
  std::copy_n(bytes->begin() + 12, 16, header.region.begin());
  header.next_tenant = load_le<std::uint32_t>(bytes->data() + 28);
  header.next_reclaim = load_le<std::uint64_t>(bytes->data() + 32);
  return header;
}

std::vector<std::byte> Keyring::RootRecord::encode() const {
  std::vector<std::byte> out(root_record_bytes + wrapped.size());
  out[0] = std::byte{root_record_version};
  out[1] = std::byte{crypto::suite_xchacha20_poly1305};
  store_le(out.data() + 4, bucket_count);
  store_le(out.data() + 8, epoch);
  std::copy(root_id.begin(), root_id.end(), out.begin() + 16);
  std::copy(store_id.begin(), store_id.end(), out.begin() + 32);
  std::copy(wrapped.begin(), wrapped.end(), out.begin() + root_record_bytes);
  return out;
}

Result<Keyring::RootRecord> Keyring::RootRecord::decode(std::optional<Bytes> bytes) {
  if (!bytes || bytes->size() < root_record_bytes ||
      bytes->size() > root_record_bytes + RootKeyStore::wrapped_bytes_max ||
      (*bytes)[0] != std::byte{root_record_version} ||
      (*bytes)[1] != std::byte{crypto::suite_xchacha20_poly1305} ||
      load_le<std::uint16_t>(bytes->data() + 2) != 0)
    return Error(Errc::corruption, "the keyring has no root record");
  RootRecord record;
  record.bucket_count = load_le<std::uint32_t>(bytes->data() + 4);
  record.epoch = load_le<std::uint64_t>(bytes->data() + 8);
  std::copy_n(bytes->begin() + 16, 16, record.root_id.begin());
  std::copy_n(bytes->begin() + 32, 16, record.store_id.begin());
  record.wrapped.assign(bytes->begin() + root_record_bytes, bytes->end());
  if (record.bucket_count == 0 || record.bucket_count > (1u << 30))
    return Error(Errc::corruption, "the keyring's root record has an impossible size");
  return record;
}

// version 1 | what 1 | zero 2 | tenant 4 | count 4 | handles 16 each
std::vector<std::byte> encode_reclaim(const Reclaim& reclaim) {
  std::vector<std::byte> out(reclaim_header_bytes + 16 * reclaim.handles.size());
  out[0] = std::byte{reclaim_version};
  out[1] = static_cast<std::byte>(reclaim.what);
  store_le(out.data() + 4, reclaim.tenant_number);
  store_le(out.data() + 8, static_cast<std::uint32_t>(reclaim.handles.size()));
  auto at = out.begin() + reclaim_header_bytes;
  for (const Handle& handle : reclaim.handles) at = std::copy(handle.begin(), handle.end(), at);
  return out;
}

Result<Reclaim> decode_reclaim(std::uint64_t sequence, Bytes bytes) {
  const Error damaged(Errc::corruption, "an entry of the reclaim queue makes no sense");
  if (bytes.size() < reclaim_header_bytes || bytes[0] != std::byte{reclaim_version}) return damaged;
  Reclaim reclaim;
  reclaim.sequence = sequence;
  reclaim.what = static_cast<Reclaim::What>(bytes[1]);
  if (reclaim.what < Reclaim::What::handles || reclaim.what > Reclaim::What::days) return damaged;
  reclaim.tenant_number = load_le<std::uint32_t>(bytes.data() + 4);
  const auto count = load_le<std::uint32_t>(bytes.data() + 8);
  if (bytes.size() != reclaim_header_bytes + std::size_t{count} * 16) return damaged;
  reclaim.handles.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(reclaim_header_bytes + 16 * i), 16,
                reclaim.handles[i].begin());
  return reclaim;
}

namespace {

Result<TreeRoot> find_root(const NodeReader& nodes, const Id16& region, const TreeRoot& top,
                           const TreeRef& tree) {
  const Label label = tree.kind == TreeKind::subjects ? subject_root : retention_root;
  TreeRoot root;
  root.bucket_count = 0;
  EFFACE_TRY(KeyTree(region, top_tree).find(nodes, top, tree.tenant.tag, [&](RowView row) {
    if (row.label() != label) return;
    root.key = crypto::SecretKey::copy_of(row.key());
    root.bucket_count = row.aux();
  }));
  if (root.key.empty()) return Error(Errc::tenant_unknown, "the region has no such tenant");
  if (root.bucket_count == 0 || root.bucket_count > (1u << 30))
    return Error(Errc::corruption, "a tenant's tree has an impossible size");
  return root;
}

}  // namespace

Result<TreeRoot> Keyring::root_of(const NodeReader& nodes, const TreeRoot& top,
                                  const TreeRef& tree) const {
  return find_root(nodes, options_.region, top, tree);
}

Result<TreeRoot> Keyring::Txn::root_of(const TreeRef& tree) const {
  return find_root(nodes_, region_, top_, tree);
}

Status Keyring::Txn::edit(const TreeRef& tree, std::span<const Tag> tags,
                          FunctionRef<Status(std::size_t, LeafEdit&)> change) {
  EFFACE_ASSIGN(TreeRoot root, root_of(tree));
  EFFACE_ASSIGN(const bool rekeyed,
                KeyTree(region_, tree_number(tree)).edit(nodes_, root, tags, change));
  if (rekeyed) wait(tree, std::move(root));
  return {};
}

Status Keyring::Txn::add(const TreeRef& tree, std::span<const Tag> tags,
                         FunctionRef<Status(std::size_t, LeafEdit&)> change) {
  EFFACE_ASSIGN(TreeRoot root, root_of(tree));
  EFFACE_ASSIGN(const bool rekeyed,
                KeyTree(region_, tree_number(tree)).add(nodes_, root, tags, change));
  if (rekeyed) wait(tree, std::move(root));
  return {};
}

void Keyring::Txn::wait(const TreeRef& tree, TreeRoot root) {
  const Label label = tree.kind == TreeKind::subjects ? subject_root : retention_root;
  waiting_.push_back({tree.tenant, label, std::move(root)});
}

Status Keyring::Txn::edit_top(std::span<const Tag> tags,
                              FunctionRef<Status(std::size_t, LeafEdit&)> change) {
  std::vector<Tag> all(tags.begin(), tags.end());
  for (const Waiting& w : waiting_) all.push_back(w.tenant.tag);
  for (const Held& h : held_) all.push_back(h.tenant.tag);
  if (all.empty()) return {};
  const auto each = [&](std::size_t i, LeafEdit& leaf) -> Status {
    if (i < tags.size()) return change(i, leaf);
    i -= tags.size();
    if (i >= waiting_.size()) {
      const Held& h = held_[i - waiting_.size()];
      std::optional<std::uint32_t> count;
      leaf.each(h.tenant.tag, [&](RowView row) {
        if (row.label() == pseudonym_key) count = added(row.aux(), h.more);
      });
      if (count) leaf.relabel(h.tenant.tag, pseudonym_key, pseudonym_key, 0, *count);
      return {};
    }
    const Waiting& w = waiting_[i];
    Row row;
    leaf.each(w.tenant.tag, [&](RowView old) {
      if (old.label() == w.label) row = old.copy();
    });
    if (row.key.empty()) return {};  // Its tenant goes in the same transaction.
    row.key = w.root.key.clone();
    row.aux = w.root.bucket_count;
    EFFACE_CHECK(leaf.replace(row));
    return {};
  };
  EFFACE_ASSIGN(const bool rekeyed,
                KeyTree(region_, top_tree).edit(nodes_, top_, all, each, &next_root_));
  top_rekeyed_ = top_rekeyed_ || rekeyed;
  waiting_.clear();
  held_.clear();
  return {};
}

Status Keyring::Txn::edit_top() {
  return edit_top({}, [](std::size_t, LeafEdit&) -> Status { return {}; });
}

Status Keyring::Txn::rekey_top() {
  EFFACE_TRY(KeyTree(region_, top_tree).rekey(nodes_, top_, &next_root_));
  top_rekeyed_ = changed_ = true;
  return {};
}

Result<TreeRoot> Keyring::Txn::create_tree(std::uint32_t number) {
  return KeyTree(region_, number).create(nodes_);
}

Result<Header> Keyring::Txn::header() const {
  EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn_.get(header_key));
  return Header::decode(bytes);
}

Status Keyring::Txn::notify(const TenantRef& tenant, Bytes notice) {
  EFFACE_ASSIGN(Header now, header());
  EFFACE_TRY(txn_.put(notice_key(tenant.number, now.next_reclaim++), notice));
  return set_header(now);
}

Status Keyring::Txn::queue(Reclaim reclaim) {
  EFFACE_ASSIGN(Header now, header());
  reclaim.sequence = now.next_reclaim++;
  EFFACE_TRY(txn_.put(reclaim_key(reclaim.sequence), encode_reclaim(reclaim)));
  return set_header(now);
}

}  // namespace efface::keyring
