#include "keyring/root_slot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "crypto/prf.h"
#include "crypto/root_wrap.h"

namespace efface::keyring {
namespace {

using Sector = std::array<std::byte, root_sector_bytes>;

struct Field {
  std::size_t at;
  std::string_view hex;
};

constexpr int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// The fields at their offsets, and zeros between them.
Sector sector_of(std::initializer_list<Field> fields) {
  Sector out{};
  for (const Field& field : fields)
    for (std::size_t i = 0; i < field.hex.size() / 2; ++i)
      out[field.at + i] =
          static_cast<std::byte>(digit(field.hex[2 * i]) * 16 + digit(field.hex[2 * i + 1]));
  return out;
}

template <std::size_t N>
constexpr std::array<std::byte, N> counting(std::uint8_t first) {
  std::array<std::byte, N> out;
  for (std::size_t i = 0; i < N; ++i) out[i] = static_cast<std::byte>(first + i);
  return out;
}

constexpr RootKeyStore::StoreId store_id = counting<16>(0xa0);
constexpr RootKeyStore::StoreId other_store_id = counting<16>(0xa1);
const std::array<std::byte, 32> slot_key = counting<32>(0x40);

crypto::SecretKey passphrase_key() { return crypto::SecretKey::copy_of(counting<32>(0)); }
crypto::SecretKey seal_key() { return derive_seal_key(passphrase_key(), store_id); }

RootSlot example_slot(bool live) {
  RootSlot slot;
  if (live) {
    slot.key = crypto::SecretKey::copy_of(slot_key);
    slot.epoch = 0x0102030405060708;
  }
  slot.highest_epoch = 0x0102030405060709;
  slot.written_at_bytes = 0x123456789000;
  slot.anchor.epoch = 7;
  slot.anchor.root_hash.fill(std::byte{0xc1});
  slot.anchor.ledger_entries = 9;
  slot.anchor.ledger_hash.fill(std::byte{0xd2});
  return slot;
}

// The bytes below were made by another implementation of docs/format/root-key-file.md.
const Sector golden_header = sector_of({{0, "656666616365524b"},
                                        {8, "0100"},
                                        {16, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"},
                                        {496, "693e9390933f2e0072171689414f45b6"}});
const Sector golden_passphrase_header = sector_of({{0, "656666616365524b"},
                                                   {8, "0100"},
                                                   {10, "01"},
                                                   {16, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"},
                                                   {32, "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"},
                                                   {48, "03000000"},
                                                   {52, "00000400"},
                                                   {64, "5beb69e732413d08f04c507552c9ab25"},
                                                   {496, "808145ea71c051111b25da877d32e86d"}});
const Sector golden_live_slot =
    sector_of({{0, "656666736c6f7400"},
               {8, "0100"},
               {10, "02"},
               {16, "0807060504030201"},
               {24, "0907060504030201"},
               {32, "0090785634120000"},
               {40, "0700000000000000"},
               {48, "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1"},
               {80, "0900000000000000"},
               {88, "d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2"},
               {104, "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"},
               {496, "99ff72abd97c6ef18b7acc9b4f3e60db"}});
const Sector golden_empty_slot =
    sector_of({{0, "656666736c6f7400"},
               {8, "0100"},
               {10, "01"},
               {24, "0907060504030201"},
               {32, "0090785634120000"},
               {40, "0700000000000000"},
               {48, "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1"},
               {80, "0900000000000000"},
               {88, "d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2"},
               {496, "b1112deb68dcd58a3e2732deed82974d"}});
const Sector golden_sealed_slot =
    sector_of({{0, "656666736c6f7400"},
               {8, "0100"},
               {10, "02"},
               {11, "01"},
               {16, "0807060504030201"},
               {24, "0907060504030201"},
               {32, "0090785634120000"},
               {40, "0700000000000000"},
               {48, "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1"},
               {80, "0900000000000000"},
               {88, "d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2"},
               {104, "e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3"},
               {128, "e8ccb8deda4b767f1d03fefb2a3d10bd99ad8fcb2df4efb352907aa1bece4c5f"},
               {160, "0b632789a7ad56003fe7bfc843e115fe"},
               {496, "fe8283febf187a34bbb7406e3f69c181"}});

void expect_example(const RootSlot& slot, bool live) {
  const RootSlot expected = example_slot(live);
  EXPECT_EQ(slot.epoch, expected.epoch);
  EXPECT_EQ(slot.highest_epoch, expected.highest_epoch);
  EXPECT_EQ(slot.written_at_bytes, expected.written_at_bytes);
  EXPECT_EQ(slot.anchor, expected.anchor);
  ASSERT_EQ(slot.live(), live);
  if (live) {
    EXPECT_TRUE(std::ranges::equal(slot.key.bytes(), slot_key));
  }
}

// A checksum that fits, as somebody would put there who changed a slot on purpose.
void repair_slot(Sector& sector, std::uint8_t index) {
  const std::array place{std::byte{index}};
  const Id16 sum = crypto::hash128(
      {as_bytes("efface.root.slot"), store_id, place, std::span(sector).first<496>()});
  std::ranges::copy(sum, sector.begin() + 496);
}

TEST(RootHeader, HasItsGoldenBytes) {
  Sector clear;
  encode_header({.store_id = store_id, .passphrase = {}}, {}, clear);
  EXPECT_TRUE(clear == golden_header);

  Sector with_passphrase;
  encode_header({.store_id = store_id,
                 .passphrase = RootHeader::Passphrase{.salt = counting<16>(0xb0),
                                                      .cost = {.passes = 3, .memory_kib = 262144}}},
                passphrase_key(), with_passphrase);
  EXPECT_TRUE(with_passphrase == golden_passphrase_header);
}

TEST(RootHeader, IsReadBackFromItsGoldenBytes) {
  const Result<RootHeader> clear = decode_header(golden_header);
  ASSERT_TRUE(clear);
  EXPECT_EQ(clear->store_id, store_id);
  EXPECT_FALSE(clear->passphrase);

  const Result<RootHeader> with_passphrase = decode_header(golden_passphrase_header);
  ASSERT_TRUE(with_passphrase);
  ASSERT_TRUE(with_passphrase->passphrase);
  EXPECT_EQ(with_passphrase->passphrase->salt, counting<16>(0xb0));
  EXPECT_EQ(with_passphrase->passphrase->cost.passes, 3u);
  EXPECT_EQ(with_passphrase->passphrase->cost.memory_kib, 262144u);
  EXPECT_TRUE(check_passphrase_key(golden_passphrase_header, passphrase_key()));
}

TEST(RootHeader, IsRefusedWithAnyBitFlipped) {
  for (std::size_t bit = 0; bit < 8 * root_sector_bytes; ++bit) {
    Sector flipped = golden_passphrase_header;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    const Result<RootHeader> read = decode_header(flipped);
    ASSERT_FALSE(read) << "bit " << bit;
    // A later version cannot be told from a damaged version field.
    const bool in_version = bit / 8 == 8 || bit / 8 == 9;
    ASSERT_TRUE(read.error().code() == Errc::corruption ||
                (in_version && read.error().code() == Errc::format_new))
        << "bit " << bit;
  }
}

TEST(RootHeader, OfALaterVersionIsToldApart) {
  Sector later = golden_header;
  later[8] = std::byte{2};
  EXPECT_EQ(decode_header(later).error().code(), Errc::format_new);
}

TEST(RootHeader, TellsAWrongPassphraseKey) {
  EXPECT_EQ(
      check_passphrase_key(golden_passphrase_header, crypto::SecretKey::copy_of(counting<32>(1)))
          .error()
          .code(),
      Errc::passphrase_wrong);
}

TEST(RootSlot, HasItsGoldenBytes) {
  const crypto::SecretKey clear;
  Sector sector;
  encode_slot(example_slot(true), {store_id, clear, 1}, sector);
  EXPECT_TRUE(sector == golden_live_slot);
  encode_slot(example_slot(false), {store_id, clear, 1}, sector);
  EXPECT_TRUE(sector == golden_empty_slot);
}

TEST(RootSlot, IsReadBackFromItsGoldenBytes) {
  const crypto::SecretKey clear;
  const Result<std::optional<RootSlot>> live = decode_slot(golden_live_slot, {store_id, clear, 1});
  ASSERT_TRUE(live && *live);
  expect_example(**live, true);
  const Result<std::optional<RootSlot>> empty =
      decode_slot(golden_empty_slot, {store_id, clear, 1});
  ASSERT_TRUE(empty && *empty);
  expect_example(**empty, false);
  const crypto::SecretKey seal = seal_key();
  const Result<std::optional<RootSlot>> sealed =
      decode_slot(golden_sealed_slot, {store_id, seal, 1});
  ASSERT_TRUE(sealed && *sealed);
  expect_example(**sealed, true);
}

TEST(RootSlot, SealedIsReadBackAndShowsNoKey) {
  const crypto::SecretKey seal = seal_key();
  for (const bool live : {true, false}) {
    Sector sector;
    encode_slot(example_slot(live), {store_id, seal, 0}, sector);
    EXPECT_TRUE(std::ranges::search(sector, slot_key).empty());
    const Result<std::optional<RootSlot>> read = decode_slot(sector, {store_id, seal, 0});
    ASSERT_TRUE(read && *read);
    expect_example(**read, live);
  }
}

TEST(RootSlot, CountsAsTornWithAnyBitFlipped) {
  const crypto::SecretKey seal = seal_key();
  for (std::size_t bit = 0; bit < 8 * root_sector_bytes; ++bit) {
    Sector flipped = golden_sealed_slot;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    const Result<std::optional<RootSlot>> read = decode_slot(flipped, {store_id, seal, 1});
    ASSERT_TRUE(read && !*read) << "bit " << bit;
  }
}

TEST(RootSlot, CountsAsTornInAnotherPlaceOrFile) {
  const crypto::SecretKey clear;
  const Result<std::optional<RootSlot>> other_place =
      decode_slot(golden_live_slot, {store_id, clear, 0});
  EXPECT_TRUE(other_place && !*other_place);
  const Result<std::optional<RootSlot>> other_file =
      decode_slot(golden_live_slot, {other_store_id, clear, 1});
  EXPECT_TRUE(other_file && !*other_file);
}

TEST(RootSlot, SealedIsCorruptWhenAnyFieldWasChangedOnPurpose) {
  const crypto::SecretKey seal = seal_key();
  for (std::size_t at = 10; at < 176; ++at) {
    Sector changed = golden_sealed_slot;
    changed[at] ^= std::byte{1};
    repair_slot(changed, 1);
    const Result<std::optional<RootSlot>> read = decode_slot(changed, {store_id, seal, 1});
    ASSERT_FALSE(read) << "byte " << at;
    ASSERT_EQ(read.error().code(), Errc::corruption) << "byte " << at;
  }
}

TEST(RootSlot, IsCorruptWhenItContradictsItself) {
  const crypto::SecretKey clear;
  const auto code_of = [&](Sector sector, std::size_t at, std::uint8_t value) {
    sector[at] = std::byte{value};
    repair_slot(sector, 1);
    const Result<std::optional<RootSlot>> read = decode_slot(sector, {store_id, clear, 1});
    return read ? Errc{} : read.error().code();
  };
  EXPECT_EQ(code_of(golden_live_slot, 8, 2), Errc::corruption) << "version";
  EXPECT_EQ(code_of(golden_live_slot, 10, 0), Errc::corruption) << "no state";
  EXPECT_EQ(code_of(golden_live_slot, 10, 1), Errc::corruption) << "empty with an epoch";
  EXPECT_EQ(code_of(golden_empty_slot, 10, 2), Errc::corruption) << "live without an epoch";
  EXPECT_EQ(code_of(golden_live_slot, 11, 1), Errc::corruption) << "sealed in a clear file";
  EXPECT_EQ(code_of(golden_live_slot, 24, 7), Errc::corruption) << "epoch over the highest";
  EXPECT_EQ(code_of(golden_live_slot, 140, 1), Errc::corruption) << "bytes behind the key";
  EXPECT_EQ(code_of(golden_empty_slot, 104, 1), Errc::corruption) << "a key in an empty slot";
}

TEST(RootWrap, IsReadBackFromItsGoldenBytes) {
  const Sector sector =
      sector_of({{0, "0101"},
                 {2, "e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3"},
                 {26, "f9715ded5fe2ae67a8593c399484e62d5eee127b8c0bb042440782fd3c6b98a3"},
                 {58, "4e61e8afe9936309ef190fde2bd88452"}});
  crypto::SecretKey root = crypto::SecretKey::zeroed();
  ASSERT_TRUE(crypto::unwrap_root(slot_key, {store_id, 3}, as_bytes("region"),
                                  std::span(sector).first<74>(), root.bytes()));
  EXPECT_TRUE(std::ranges::equal(root.bytes(), counting<32>(0x70)));
}

TEST(RootWrap, IsCorruptWithAnyBitFlippedOrAnotherLength) {
  const std::vector<std::byte> wrapped =
      crypto::wrap_root(slot_key, {store_id, 3}, as_bytes("region"), counting<32>(0x70));
  ASSERT_EQ(wrapped.size(), 74u);
  crypto::SecretKey root = crypto::SecretKey::zeroed();
  const auto code_of = [&](Bytes bytes) {
    const Status opened =
        crypto::unwrap_root(slot_key, {store_id, 3}, as_bytes("region"), bytes, root.bytes());
    return opened ? Errc{} : opened.error().code();
  };
  ASSERT_EQ(code_of(wrapped), Errc{});
  for (std::size_t bit = 0; bit < 8 * wrapped.size(); ++bit) {
    std::vector<std::byte> flipped = wrapped;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    ASSERT_EQ(code_of(flipped), Errc::corruption) << "bit " << bit;
  }
  for (std::size_t size = 0; size < wrapped.size(); ++size)
    ASSERT_EQ(code_of(Bytes(wrapped).first(size)), Errc::corruption) << "size " << size;
}

}  // namespace
}  // namespace efface::keyring
