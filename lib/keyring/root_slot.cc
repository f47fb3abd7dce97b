#include "keyring/root_slot.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/prf.h"

namespace efface::keyring {
namespace {

constexpr std::uint16_t format_version = 1;
constexpr std::size_t checksum_at = 496;

namespace header_at {
constexpr std::string_view magic = "effaceRK";
constexpr std::size_t version = 8;
constexpr std::size_t protection = 10;
constexpr std::size_t store_id = 16;
constexpr std::size_t salt = 32;
constexpr std::size_t passes = 48;
constexpr std::size_t memory = 52;
constexpr std::size_t check = 64;
}  // namespace header_at

namespace slot_at {
constexpr std::string_view magic{"effslot\0", 8};
constexpr std::size_t version = 8;
constexpr std::size_t state = 10;
constexpr std::size_t protection = 11;
constexpr std::size_t epoch = 16;
constexpr std::size_t highest_epoch = 24;
constexpr std::size_t written_at = 32;
constexpr std::size_t anchor_epoch = 40;
constexpr std::size_t anchor_root = 48;
constexpr std::size_t anchor_entries = 80;
constexpr std::size_t anchor_ledger = 88;
constexpr std::size_t key = 104;
}  // namespace slot_at
constexpr std::size_t sealed_key_bytes = crypto::key_bytes + crypto::seal_overhead_bytes;
static_assert(slot_at::key + sealed_key_bytes <= checksum_at);

constexpr std::byte state_empty{1};
constexpr std::byte state_live{2};
constexpr std::byte protection_none{0};
constexpr std::byte protection_passphrase{1};

Id16 header_checksum(RootSectorView sector) noexcept {
  return crypto::hash128({as_bytes("efface.root.header"), sector.first<checksum_at>()});
}

Id16 header_check_value(RootSectorView sector, const crypto::SecretKey& passphrase_key) noexcept {
  return crypto::prf128(passphrase_key.bytes(),
                        {as_bytes("efface.root.check"), sector.first<header_at::check>()});
}

Id16 slot_checksum(RootSectorView sector, const RootSlotPlace& place) noexcept {
  const std::array index{std::byte{place.index}};
  return crypto::hash128(
      {as_bytes("efface.root.slot"), place.store_id, index, sector.first<checksum_at>()});
}

std::array<std::byte, 32> slot_associated_data(RootSectorView sector,
                                               const RootSlotPlace& place) noexcept {
  const std::array index{std::byte{place.index}};
  return crypto::hash256(
      {as_bytes("efface.root.slot.key"), place.store_id, index, sector.first<slot_at::key>()});
}

void put(RootSector sector, std::size_t at, Bytes bytes) noexcept {
  std::ranges::copy(bytes, sector.begin() + static_cast<std::ptrdiff_t>(at));
}

template <std::size_t N>
std::array<std::byte, N> get(RootSectorView sector, std::size_t at) noexcept {
  std::array<std::byte, N> out;
  std::ranges::copy(sector.subspan(at, N), out.begin());
  return out;
}

bool starts_with(RootSectorView sector, std::string_view magic) noexcept {
  return as_text(sector.first(magic.size())) == magic;
}

bool all_zero(Bytes bytes) noexcept {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

void put_anchor(RootSector sector, const Anchor& anchor) noexcept {
  store_le(&sector[slot_at::anchor_epoch], anchor.epoch);
  put(sector, slot_at::anchor_root, anchor.root_hash);
  store_le(&sector[slot_at::anchor_entries], anchor.ledger_entries);
  put(sector, slot_at::anchor_ledger, anchor.ledger_hash);
}

Anchor get_anchor(RootSectorView sector) noexcept {
  return {.epoch = load_le<std::uint64_t>(&sector[slot_at::anchor_epoch]),
          .root_hash = get<32>(sector, slot_at::anchor_root),
          .ledger_entries = load_le<std::uint64_t>(&sector[slot_at::anchor_entries]),
          .ledger_hash = get<16>(sector, slot_at::anchor_ledger)};
}

// Of an empty slot: the zeros that were sealed, or stand there.
Result<crypto::SecretKey> get_key(RootSectorView sector, const RootSlotPlace& place) {
  const Bytes field = sector.subspan(slot_at::key, sealed_key_bytes);
  if (place.seal_key.empty()) {
    if (!all_zero(field.subspan(crypto::key_bytes)))
      return Error(Errc::corruption, "bytes behind a root key");
    return crypto::SecretKey::copy_of(field.first<crypto::key_bytes>());
  }
  crypto::SecretKey key = crypto::SecretKey::zeroed();
  EFFACE_TRY(crypto::open(place.seal_key.bytes(), slot_associated_data(sector, place), field,
                          key.bytes()));
  return key;
}

}  // namespace

void encode_header(const RootHeader& header, const crypto::SecretKey& passphrase_key,
                   RootSector out) noexcept {
  std::ranges::fill(out, std::byte{0});
  put(out, 0, as_bytes(header_at::magic));
  store_le(&out[header_at::version], format_version);
  put(out, header_at::store_id, header.store_id);
  if (header.passphrase) {
    out[header_at::protection] = protection_passphrase;
    put(out, header_at::salt, header.passphrase->salt);
    store_le(&out[header_at::passes], header.passphrase->cost.passes);
    store_le(&out[header_at::memory], header.passphrase->cost.memory_kib);
    put(out, header_at::check, header_check_value(out, passphrase_key));
  }
  put(out, checksum_at, header_checksum(out));
}

Result<RootHeader> decode_header(RootSectorView sector) {
  if (!starts_with(sector, header_at::magic)) return Error(Errc::corruption, "not a root key file");
  if (load_le<std::uint16_t>(&sector[header_at::version]) > format_version)
    return Error(Errc::format_new, "a root key file of a later version");
  if (header_checksum(sector) != get<16>(sector, checksum_at))
    return Error(Errc::corruption, "the header of a root key file does not verify");
  if (load_le<std::uint16_t>(&sector[header_at::version]) != format_version)
    return Error(Errc::corruption, "a root key file of no version");

  RootHeader header{.store_id = get<16>(sector, header_at::store_id), .passphrase = {}};
  const std::byte protection = sector[header_at::protection];
  if (protection != protection_none && protection != protection_passphrase)
    return Error(Errc::format_new, "a root key file with a protection of a later version");
  if (protection == protection_passphrase)
    header.passphrase = RootHeader::Passphrase{
        .salt = get<16>(sector, header_at::salt),
        .cost = {.passes = load_le<std::uint32_t>(&sector[header_at::passes]),
                 .memory_kib = load_le<std::uint32_t>(&sector[header_at::memory])}};
  return header;
}

Status check_passphrase_key(RootSectorView sector, const crypto::SecretKey& passphrase_key) {
  if (!crypto::equal(header_check_value(sector, passphrase_key),
                     sector.subspan<header_at::check, 16>()))
    return Error(Errc::passphrase_wrong, "the passphrase does not open this root key file");
  return {};
}

crypto::SecretKey derive_seal_key(const crypto::SecretKey& passphrase_key,
                                  const RootKeyStore::StoreId& store_id) {
  crypto::SecretKey out = crypto::SecretKey::zeroed();
  crypto::prf256(passphrase_key.bytes(), {as_bytes("efface.root.seal"), store_id}, out.bytes());
  return out;
}

void encode_slot(const RootSlot& slot, const RootSlotPlace& place, RootSector out) noexcept {
  EFFACE_CHECK(slot.live() == (slot.epoch != 0) && slot.epoch <= slot.highest_epoch);
  const bool sealed = !place.seal_key.empty();
  std::ranges::fill(out, std::byte{0});
  put(out, 0, as_bytes(slot_at::magic));
  store_le(&out[slot_at::version], format_version);
  out[slot_at::state] = slot.live() ? state_live : state_empty;
  out[slot_at::protection] = sealed ? protection_passphrase : protection_none;
  store_le(&out[slot_at::epoch], slot.epoch);
  store_le(&out[slot_at::highest_epoch], slot.highest_epoch);
  store_le(&out[slot_at::written_at], slot.written_at_bytes);
  put_anchor(out, slot.anchor);
  static constexpr std::array<std::byte, crypto::key_bytes> no_key{};
  const Bytes key = slot.live() ? Bytes(slot.key.bytes()) : Bytes(no_key);
  if (sealed)
    crypto::seal(place.seal_key.bytes(), slot_associated_data(out, place), key,
                 out.subspan(slot_at::key, sealed_key_bytes));
  else
    put(out, slot_at::key, key);
  put(out, checksum_at, slot_checksum(out, place));
}

Result<std::optional<RootSlot>> decode_slot(RootSectorView sector, const RootSlotPlace& place) {
  if (!starts_with(sector, slot_at::magic) ||
      !crypto::equal(slot_checksum(sector, place), sector.subspan<checksum_at, 16>()))
    return std::optional<RootSlot>();
  const std::byte expected = place.seal_key.empty() ? protection_none : protection_passphrase;
  const std::byte state = sector[slot_at::state];
  if (load_le<std::uint16_t>(&sector[slot_at::version]) != format_version ||
      sector[slot_at::protection] != expected || (state != state_empty && state != state_live))
    return Error(Errc::corruption, "a slot of a root key file of no known kind");

  RootSlot slot;
  slot.epoch = load_le<std::uint64_t>(&sector[slot_at::epoch]);
  slot.highest_epoch = load_le<std::uint64_t>(&sector[slot_at::highest_epoch]);
  slot.written_at_bytes = load_le<std::uint64_t>(&sector[slot_at::written_at]);
  slot.anchor = get_anchor(sector);
  if ((state == state_live) != (slot.epoch != 0) || slot.epoch > slot.highest_epoch)
    return Error(Errc::corruption, "a slot of a root key file contradicts itself");
  EFFACE_ASSIGN(crypto::SecretKey key, get_key(sector, place));
  if (state == state_live)
    slot.key = std::move(key);
  else if (!all_zero(key.bytes()))
    return Error(Errc::corruption, "an empty slot of a root key file that holds a key");
  return std::optional<RootSlot>(std::move(slot));
}

}  // namespace efface::keyring
