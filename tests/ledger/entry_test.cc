#include "ledger/entry.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "crypto/hex.h"
#include "ledger/tree.h"

namespace efface::ledger {
namespace {

using test::filled;
using Octets = std::vector<std::byte>;

Entry everything() {
  Entry entry = test::sample_erasure();
  entry.purpose = 3;
  entry.day = 20'454;
  entry.sealed = Octets(20, std::byte{9});
  entry.detail = "us-east";
  return entry;
}

Errc code_of(const Octets& bytes) {
  const auto entry = decode(bytes);
  return entry ? Errc{} : entry.error().code();
}

TEST(Entry, IsWrittenAsTheFormatSays) {
  Entry entry;
  entry.kind = Kind::consent_withdrawn;
  entry.time_ms = 0x0102030405060708;
  entry.tenant = 0x0a0b0c0d;
  entry.purpose = 0x0e0f;
  entry.day = 7;
  entry.actor = "desk";
  EXPECT_EQ(test::to_hex(encode(entry)),
            "01070000"
            "0807060504030201"
            "0d0c0b0a"
            "0102000f0e"
            "03040007000000"
            "0c04006465736b");
}

TEST(Entry, ComesBackWithAllOfItsFields) {
  const Entry entry = everything();
  const auto back = decode(encode(entry));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, entry);
  const Entry bare{.kind = Kind::region_created, .time_ms = 5};
  EXPECT_EQ(decode(encode(bare)).value(), bare);
  EXPECT_EQ(encode(bare).size(), 16U);
}

TEST(Entry, TellsNoneFromZero) {
  Entry entry{.kind = Kind::enrolled};
  const Octets without = encode(entry);
  entry.count = 0;
  EXPECT_NE(encode(entry), without);
  EXPECT_EQ(decode(encode(entry))->count, 0U);
}

TEST(Entry, WithAnyBitChangedIsAnotherOrNone) {
  const Octets bytes = encode(everything());
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    Octets changed = bytes;
    changed[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const auto entry = decode(changed);
    if (!entry) continue;
    EXPECT_NE(*entry, everything());
    EXPECT_EQ(encode(*entry), changed);
  }
}

TEST(Entry, IsRefusedWhenItIsCutOrLonger) {
  const Entry entry = everything();
  const Octets bytes = encode(entry);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = decode(Bytes(bytes).first(size));
    EXPECT_FALSE(cut && *cut == entry);  // Where a field ends, it is one with less in it.
  }
  Octets longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_EQ(code_of(longer), Errc::corruption);
}

RC_GTEST_PROP(Entry, IsReadFromNothingButWhatItWouldWrite, (std::vector<std::uint8_t> tail)) {
  Octets bytes = encode(Entry{.kind = Kind::erased});
  for (std::size_t i = 0; i < tail.size(); ++i) {
    // Small ids and lengths, so that many of them are fields.
    const auto byte = static_cast<std::byte>(tail[i] % (i % 3 == 2 ? 1 : 14));
    bytes.push_back(byte);
  }
  const auto entry = decode(bytes);
  if (entry) {
    RC_ASSERT(encode(*entry) == bytes);
  }
}

TEST(Entry, HasNoOtherWayToBeWritten) {
  const std::string head = "01070000" + std::string(16, '0') + "01000000";
  const auto with = [&](std::string_view fields) {
    return code_of(test::from_hex(head + std::string(fields)));
  };
  EXPECT_EQ(with(""), Errc{});
  EXPECT_EQ(with("010200010003040007"), Errc::corruption);             // Cut.
  EXPECT_EQ(with("030400070000000102000100"), Errc::corruption);       // Not ascending.
  EXPECT_EQ(with("01020001000102000100"), Errc::corruption);           // Twice.
  EXPECT_EQ(with("010100ff"), Errc::corruption);                       // Too narrow.
  EXPECT_EQ(with("010300010000"), Errc::corruption);                   // Too wide.
  EXPECT_EQ(with("0c0000"), Errc::corruption);                         // An empty text is none.
  EXPECT_EQ(with("0b0000"), Errc::corruption);                         // Nothing sealed likewise.
  EXPECT_EQ(with("0c0100ff"), Errc::corruption);                       // Not UTF-8.
  EXPECT_EQ(with("000000"), Errc::corruption);                         // No field has the number 0.
  EXPECT_EQ(with("0a1000" + std::string(32, '0')), Errc::corruption);  // Zeros are no hash.
  EXPECT_EQ(with("0c4100" + std::string(130, '6')), Errc::corruption);  // Too long an actor.
  EXPECT_EQ(code_of(test::from_hex("01070100" + std::string(24, '0'))), Errc::corruption);
}

TEST(Entry, OfALaterVersionIsToldFromADamagedOne) {
  const std::string rest = std::string(24, '0');
  const auto code = [&](const std::string& digits) { return code_of(test::from_hex(digits)); };
  EXPECT_EQ(code("02070000" + rest), Errc::format_new);
  EXPECT_EQ(code("00070000" + rest), Errc::corruption);
  EXPECT_EQ(code("01210000" + rest), Errc::format_new);  // Kind 33.
  EXPECT_EQ(code("01000000" + rest), Errc::corruption);
  EXPECT_EQ(code("01070000" + rest + "0e010000"), Errc::format_new);  // Field 14.
}

TEST(Entry, OfEveryKindHasAName) {
  std::set<std::string> names;
  for (unsigned kind = 1; kind <= 32; ++kind) names.insert(name(static_cast<Kind>(kind)));
  EXPECT_EQ(names.size(), 32U);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_STREQ(name(Kind::region_created), "region_created");
  EXPECT_STREQ(name(Kind::erased), "erased");
  EXPECT_STREQ(name(Kind::swept), "swept");
  EXPECT_STREQ(name(Kind{33}), "unknown");
  EXPECT_STREQ(name(Kind{0}), "unknown");
}

TEST(Commitment, BindsSaltTenantAndPerson) {
  const auto salt = filled<32>(1);
  const Hash hash = commitment_to(salt, "acme", as_bytes("ada"));
  EXPECT_EQ(commitment_to(salt, "acme", as_bytes("ada")), hash);
  EXPECT_NE(commitment_to(filled<32>(2), "acme", as_bytes("ada")), hash);
  EXPECT_NE(commitment_to(salt, "acm", as_bytes("eada")), hash);  // Lengths count.
  EXPECT_NE(commitment_to(salt, "acme", as_bytes("adb")), hash);
}

TEST(RowHash, TellsHandlesApart) {
  EXPECT_NE(hash_of_row(filled<16>(1)), hash_of_row(filled<16>(2)));
  EXPECT_EQ(hash_of_row(filled<16>(1)), hash_of_row(filled<16>(1)));
}

}  // namespace
}  // namespace efface::ledger
