#include "keyring/node.h"

#include <algorithm>

#include "base/check.h"

namespace efface::keyring {
namespace {

constexpr std::uint8_t kind_leaf = 0;
constexpr std::uint8_t kind_inner = 1;
constexpr std::size_t associated_bytes = node_header_bytes + 16 + 4 + 1 + 4;

std::uint8_t kind_of(NodeId id) noexcept { return id.level == 0 ? kind_leaf : kind_inner; }

std::array<std::byte, node_header_bytes> header_of(NodeId id) noexcept {
  return {std::byte{node_version}, std::byte{crypto::suite_xchacha20_poly1305},
          std::byte{kind_of(id)}, std::byte{0}};
}

std::array<std::byte, associated_bytes> associated_of(const Id16& region, NodeId id) noexcept {
  std::array<std::byte, associated_bytes> out;
  const auto header = header_of(id);
  std::byte* at = std::copy(header.begin(), header.end(), out.data());
  at = std::copy(region.begin(), region.end(), at);
  store_le(at, id.tree);
  store_le(at + 4, id.level);
  store_le(at + 5, id.index);
  return out;
}

bool size_fits(std::uint8_t kind, std::size_t plain_bytes) noexcept {
  if (kind == kind_inner) return plain_bytes == inner_bytes;
  if (plain_bytes < node_preamble_bytes + unit_bytes) return false;
  const std::size_t rows = plain_bytes - node_preamble_bytes;
  return rows % unit_bytes == 0 && rows / unit_bytes <= units_per_leaf_max;
}

}  // namespace

Node Node::empty_leaf() {
  return Node(crypto::SecretBuffer(node_preamble_bytes + unit_bytes), kind_leaf);
}

Node Node::empty_inner() { return Node(crypto::SecretBuffer(inner_bytes), kind_inner); }

Result<Node> Node::open(const Id16& region, NodeId id, crypto::KeyView key, Bytes sealed) {
  constexpr std::size_t overhead = node_header_bytes + crypto::seal_overhead_bytes;
  const auto header = header_of(id);
  if (sealed.size() < overhead || !std::equal(header.begin(), header.end(), sealed.begin()))
    return Error(Errc::corruption, "a keyring node has another header than its place");
  const std::size_t plain_bytes = sealed.size() - overhead;
  if (!size_fits(kind_of(id), plain_bytes))
    return Error(Errc::corruption, "a keyring node has a size that no node has");
  Node node(crypto::SecretBuffer(plain_bytes), kind_of(id));
  EFFACE_TRY(crypto::open(key, associated_of(region, id), sealed.subspan(node_header_bytes),
                          node.plain_.bytes()));
  const std::uint32_t limit = id.level == 0 ? node.units() * rows_per_unit : fan_out;
  if (node.count() > limit) return Error(Errc::corruption, "a keyring node counts beyond its end");
  return node;
}

std::vector<std::byte> Node::seal(const Id16& region, NodeId id, crypto::KeyView key) const {
  EFFACE_CHECK(kind_ == kind_of(id));
  std::vector<std::byte> out(node_header_bytes + plain_.size() + crypto::seal_overhead_bytes);
  const auto header = header_of(id);
  std::copy(header.begin(), header.end(), out.begin());
  crypto::seal(key, associated_of(region, id), plain_.bytes(),
               MutableBytes(out).subspan(node_header_bytes));
  return out;
}

Result<bool> Node::add(const Row& row) {
  const std::uint32_t n = count();
  const bool grows = n == units() * rows_per_unit;
  if (grows) {
    if (units() == units_per_leaf_max) return Error(Errc::full, "a keyring leaf is at its limit");
    resize(units() + 1);
  }
  write_row(at_row(n), row);
  set_count(n + 1);
  return grows;
}

void Node::replace(std::uint32_t i, const Row& row) noexcept {
  EFFACE_CHECK(i < count());
  write_row(at_row(i), row);
}

void Node::relabel(std::uint32_t i, Label label, std::uint16_t flags, std::uint32_t aux) noexcept {
  EFFACE_CHECK(i < count());
  write_label(at_row(i), label, flags, aux);
}

void Node::remove(std::uint32_t i) noexcept {
  EFFACE_CHECK(i < count());
  const std::uint32_t last = count() - 1;
  if (i != last) std::memcpy(at_row(i), at_row(last), row_bytes);
  crypto::wipe({at_row(last), row_bytes});
  set_count(last);
  if (units() > 1 && last <= (units() - 1) * rows_per_unit) resize(units() - 1);
}

crypto::KeyView Node::child(std::uint32_t slot) const noexcept {
  EFFACE_CHECK(slot < count());
  return crypto::KeyView(plain_.data() + node_preamble_bytes + slot * crypto::key_bytes,
                         crypto::key_bytes);
}

void Node::set_child(std::uint32_t slot, crypto::KeyView key) noexcept {
  EFFACE_CHECK(slot < fan_out && slot <= count());
  std::memcpy(plain_.data() + node_preamble_bytes + slot * crypto::key_bytes, key.data(),
              crypto::key_bytes);
  if (slot == count()) set_count(slot + 1);
}

void Node::resize(std::uint32_t units) {
  crypto::SecretBuffer next(node_preamble_bytes + std::size_t{units} * unit_bytes);
  std::memcpy(next.data(), plain_.data(), std::min(next.size(), plain_.size()));
  plain_ = std::move(next);
}

}  // namespace efface::keyring
