#include "custody/token_record.h"

#include <algorithm>

#include "crypto/prf.h"

namespace efface::custody {
namespace {

constexpr std::array magic{std::byte{'e'}, std::byte{'f'}, std::byte{'f'}, std::byte{'a'},
                           std::byte{'c'}, std::byte{'e'}, std::byte{'T'}, std::byte{'K'}};
constexpr std::uint16_t version = 1;
constexpr std::size_t version_at = 8;
constexpr std::size_t store_id_at = 16;
constexpr std::size_t highest_at = 32;
constexpr std::size_t sequence_at = 40;
constexpr std::size_t paced_at = 48;
constexpr std::size_t anchor_at = 56;
constexpr std::size_t root_hash_at = anchor_at + 8;
constexpr std::size_t entries_at = root_hash_at + 32;
constexpr std::size_t ledger_hash_at = entries_at + 8;
constexpr std::size_t checksum_at = ledger_hash_at + 16;
static_assert(checksum_at + sizeof(Id16) == token_record_bytes);

Id16 checksum_of(Bytes bytes) noexcept {
  return crypto::hash128({as_bytes("efface.token.record"), bytes.first(checksum_at)});
}

bool holds(Bytes bytes, std::size_t at, Bytes what) noexcept {
  return std::ranges::equal(bytes.subspan(at, what.size()), what);
}

}  // namespace

TokenRecordBytes encode(const TokenRecord& record) noexcept {
  TokenRecordBytes out{};
  std::byte* const at = out.data();
  std::ranges::copy(magic, at);
  store_le(at + version_at, version);
  std::ranges::copy(record.store_id, at + store_id_at);
  store_le(at + highest_at, record.highest_epoch);
  store_le(at + sequence_at, record.sequence);
  store_le(at + paced_at, record.paced_until_s);
  store_le(at + anchor_at, record.anchor.epoch);
  std::ranges::copy(record.anchor.root_hash, at + root_hash_at);
  store_le(at + entries_at, record.anchor.ledger_entries);
  std::ranges::copy(record.anchor.ledger_hash, at + ledger_hash_at);
  std::ranges::copy(checksum_of(out), at + checksum_at);
  return out;
}

Result<std::optional<TokenRecord>> decode_token_record(Bytes bytes) {
  using Nothing = std::optional<TokenRecord>;
  if (bytes.size() != token_record_bytes || !holds(bytes, 0, magic)) return Nothing();
  if (!holds(bytes, checksum_at, checksum_of(bytes))) return Nothing();
  const std::byte* const at = bytes.data();
  if (load_le<std::uint16_t>(at + version_at) != version)
    return Error(Errc::format_new, "the token's record is of a later version");
  TokenRecord record;
  std::copy_n(at + store_id_at, record.store_id.size(), record.store_id.begin());
  record.highest_epoch = load_le<Epoch>(at + highest_at);
  record.sequence = load_le<std::uint64_t>(at + sequence_at);
  record.paced_until_s = load_le<std::uint64_t>(at + paced_at);
  record.anchor.epoch = load_le<Epoch>(at + anchor_at);
  std::copy_n(at + root_hash_at, record.anchor.root_hash.size(), record.anchor.root_hash.begin());
  record.anchor.ledger_entries = load_le<std::uint64_t>(at + entries_at);
  std::copy_n(at + ledger_hash_at, record.anchor.ledger_hash.size(),
              record.anchor.ledger_hash.begin());
  return std::optional(record);
}

}  // namespace efface::custody
