#include "keyring/book.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace efface::keyring {
namespace {

constexpr std::array<std::byte, 2> head_key{std::byte{'m'}, std::byte{'l'}};
constexpr std::uint8_t head_version = 1;
constexpr std::size_t head_bytes = 40;
constexpr std::size_t row_header_bytes = 40;

using SubtreeKey = std::array<std::byte, 10>;
SubtreeKey subtree_key(unsigned level, std::uint64_t index) noexcept {
  SubtreeKey key;
  key[0] = std::byte{'h'};
  key[1] = static_cast<std::byte>(level);
  store_be(std::span(key).subspan<2, 8>(), index);
  return key;
}

// version 1 | zero 3 | horizon 4 | entries 8 | copy bytes 8 | chain 16 | peaks 32 each
std::vector<std::byte> encode_head(const BookHead& head) {
  std::vector<std::byte> out(head_bytes + 32 * head.tree.peaks.size());
  out[0] = std::byte{head_version};
  store_le(out.data() + 4, head.horizon_day);
  store_le(out.data() + 8, head.tree.size);
  store_le(out.data() + 16, head.copy_bytes);
  auto at = std::copy(head.chain.begin(), head.chain.end(), out.begin() + 24);
  for (const ledger::Hash& peak : head.tree.peaks) at = std::ranges::copy(peak, at).out;
  return out;
}

Result<BookHead> decode_head(std::optional<Bytes> bytes, const Id16& region) {
  BookHead head;
  if (!bytes) {
    head.chain = first_chain(region);
    head.copy_bytes = LedgerCopy::header_bytes;
    return head;
  }
  const Error damaged(Errc::corruption, "the head of the ledger makes no sense");
  if (bytes->size() < head_bytes || (*bytes)[0] != std::byte{head_version}) return damaged;
  head.horizon_day = load_le<std::uint32_t>(bytes->data() + 4);
  head.tree.size = load_le<std::uint64_t>(bytes->data() + 8);
  head.copy_bytes = load_le<std::uint64_t>(bytes->data() + 16);
  std::copy_n(bytes->begin() + 24, 16, head.chain.begin());
  const auto peaks = static_cast<std::size_t>(std::popcount(head.tree.size));
  if (bytes->size() != head_bytes + 32 * peaks) return damaged;
  head.tree.peaks.resize(peaks);
  for (std::size_t i = 0; i < peaks; ++i)
    std::copy_n(bytes->begin() + static_cast<std::ptrdiff_t>(head_bytes + 32 * i), 32,
                head.tree.peaks[i].begin());
  return head;
}

std::vector<std::byte> encode_row(const BookRow& row) {
  std::vector<std::byte> out(row_header_bytes + row.entry.size());
  store_le(out.data(), row.copy_offset);
  store_le(out.data() + 8, row.reclaim);
  store_le(out.data() + 16, row.horizon_day);
  std::ranges::copy(row.entry, std::ranges::copy(row.chain, out.begin() + 24).out);
  return out;
}

}  // namespace

std::array<std::byte, 9> book_key(std::uint64_t index) noexcept {
  std::array<std::byte, 9> key;
  key[0] = std::byte{'l'};
  store_be(std::span(key).subspan<1, 8>(), index);
  return key;
}

std::array<std::byte, 17> request_key(const Id16& request) noexcept {
  std::array<std::byte, 17> key;
  key[0] = std::byte{'i'};
  std::ranges::copy(request, key.begin() + 1);
  return key;
}

Result<BookHead> read_head(const storage::ReadTxn& txn, const Id16& region) {
  EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(head_key));
  return decode_head(bytes, region);
}

Result<BookHead> read_head(const storage::WriteTxn& txn, const Id16& region) {
  EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(head_key));
  return decode_head(bytes, region);
}

Result<BookRow> read_row(const storage::ReadTxn& txn, std::uint64_t index) {
  EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(book_key(index)));
  if (!bytes || bytes->size() < row_header_bytes)
    return Error(Errc::corruption, "an entry of the ledger is missing");
  BookRow row;
  row.copy_offset = load_le<std::uint64_t>(bytes->data());
  row.reclaim = load_le<std::uint64_t>(bytes->data() + 8);
  row.horizon_day = load_le<std::uint32_t>(bytes->data() + 16);
  std::copy_n(bytes->begin() + 24, 16, row.chain.begin());
  row.entry = bytes->subspan(row_header_bytes);
  return row;
}

Status add_to_book(storage::WriteTxn& txn, BookHead& head, std::span<const ledger::Entry> entries,
                   std::uint64_t next_reclaim, std::vector<std::byte>& frames) {
  for (const ledger::Entry& entry : entries) {
    const std::vector<std::byte> bytes = ledger::encode(entry);
    const std::uint64_t index = head.tree.size;
    head.chain = next_chain(head.chain, bytes);
    EFFACE_TRY(txn.put(book_key(index), encode_row({head.copy_bytes, next_reclaim, head.horizon_day,
                                                    head.chain, bytes})));
    if (entry.request) {
      std::array<std::byte, 8> value;
      store_be(std::span(value), index);
      EFFACE_TRY(txn.put(request_key(*entry.request), value));
    }
    add_frame(frames, head.chain, bytes);
    head.copy_bytes += frame_overhead_bytes + bytes.size();
    std::vector<std::pair<SubtreeKey, ledger::Hash>> whole;
    head.tree.add(ledger::leaf_hash(bytes),
                  [&](unsigned level, std::uint64_t at, const ledger::Hash& hash) {
                    if (is_kept(level)) whole.emplace_back(subtree_key(level, at), hash);
                  });
    for (const auto& [key, hash] : whole) EFFACE_TRY(txn.put(key, hash));
    if (entry.kind == ledger::Kind::capsule_made && entry.day)
      head.horizon_day = std::max(head.horizon_day, *entry.day);
  }
  return txn.put(head_key, encode_head(head));
}

Result<ledger::Hash> subtree_of(const storage::ReadTxn& txn, unsigned level, std::uint64_t index) {
  if (level == 0) {
    EFFACE_ASSIGN(const BookRow row, read_row(txn, index));
    return ledger::leaf_hash(row.entry);
  }
  if (is_kept(level)) {
    EFFACE_ASSIGN(const std::optional<Bytes> kept, txn.get(subtree_key(level, index)));
    if (!kept || kept->size() != 32)
      return Error(Errc::corruption, "a subtree of the ledger is missing");
    ledger::Hash hash;
    std::ranges::copy(*kept, hash.begin());
    return hash;
  }
  EFFACE_ASSIGN(const ledger::Hash left, subtree_of(txn, level - 1, 2 * index));
  EFFACE_ASSIGN(const ledger::Hash right, subtree_of(txn, level - 1, 2 * index + 1));
  return ledger::node_hash(left, right);
}

}  // namespace efface::keyring
