#include <gtest/gtest.h>

#include <algorithm>

#include "codec/allocation_count.h"
#include "codec/export_codec.h"
#include "codec/export_sample.h"
#include "codec/sample.h"
#include "crypto/hex.h"

namespace efface::codec {
namespace {

using test::Collected;
using Octets = std::vector<std::byte>;

Octets flat_of(Status (*write)(ExportWriter&)) {
  Collected out;
  const auto writer = flat_export_writer(out.sink());
  EXPECT_TRUE(write(*writer));
  return out.bytes;
}
Octets joined(std::initializer_list<Bytes> parts) {
  Octets out;
  for (const Bytes part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// What a reader makes of it, said in JSON.
struct Read {
  Result<std::uint64_t> people;
  std::string text;
};
Read read(Bytes stream, std::size_t piece_bytes = SIZE_MAX) {
  Collected out;
  const auto writer = json_export_writer(out.sink());
  auto source = test::source_of(stream, piece_bytes);
  auto people = read_flat_export(source, *writer);
  return {std::move(people), out.text()};
}
Errc refusal(Bytes stream) {
  const Read back = read(stream);
  return back.people ? Errc{} : back.people.error().code();
}

std::string json_of(Status (*write)(ExportWriter&)) {
  Collected out;
  const auto writer = json_export_writer(out.sink());
  EXPECT_TRUE(write(*writer));
  return out.text();
}

// Where each message begins, and where the last one ends.
std::vector<std::size_t> borders(Bytes stream) {
  std::vector<std::size_t> out{0};
  while (out.back() < stream.size())
    out.push_back(out.back() + 4 + load_le<std::uint32_t>(stream.data() + out.back()));
  return out;
}

TEST(FlatExport, GivesBackAllThatJsonSays) {
  const Octets stream = flat_of(test::write_alice);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, SIZE_MAX}) {
    const Read back = read(stream, piece);
    ASSERT_TRUE(back.people);
    EXPECT_EQ(*back.people, 1U);
    EXPECT_EQ(back.text, json_of(test::write_alice));
  }
}

TEST(FlatExport, GivesBackManyPeople) {
  const Octets alice = flat_of(test::write_alice);
  const Octets bob = flat_of(test::write_bob);
  const Read back = read(joined({alice, bob, alice}));
  ASSERT_TRUE(back.people);
  EXPECT_EQ(*back.people, 3U);
  EXPECT_EQ(back.text,
            json_of(test::write_alice) + json_of(test::write_bob) + json_of(test::write_alice));
  const Read nobody = read({});
  EXPECT_TRUE(nobody.people && *nobody.people == 0 && nobody.text.empty());
}

TEST(FlatExport, IsAMessageForEachThingWithItsIdentifier) {
  const Octets stream = flat_of(test::write_alice);
  const auto at = borders(stream);
  EXPECT_EQ(at.size() - 1, 8U);  // The person, two of each, the end.
  EXPECT_EQ(at.back(), stream.size());
  for (std::size_t i = 0; i + 1 < at.size(); ++i)
    EXPECT_EQ(as_text(Bytes(stream).subspan(at[i] + 8, 4)), "EFX1");
}

// Exports outlive programs: these bytes are what version 1 wrote, and they must stay readable.
TEST(FlatExport, ReadsTheBytesOfTheFirstVersion) {
  constexpr std::string_view first_version =
      "a8000000100000004546583108000e000700080008000000000000011c0000000000160020000a00"
      "0c001000140018000700080009001c00160000000000000101010100140000001c00000020000000"
      "28000000030000000400000073686f7000000000020000006575000005000000616c696365000000"
      "020000001800000004000000080000006465766963652d370000000011000000616c696365406578"
      "616d706c652e6f7267000000fc000000100000004546583108000e00070008000800000000000002"
      "2000000000001a00340008000c001000140024002c0018001c002000060007001a00000000000101"
      "2c0000003400000040000000980000004400000054000000780000000068e5cf8b01000001505c18"
      "a3010000060000006f7264657273000008000000636f6e74726163740000000006000000652d6d61"
      "696c00000c0000007369676e2d757020666f726d000000000200000018000000040000000a000000"
      "6e6577736c6574746572000004000000706f73740000000001000000040000000700000062696c6c"
      "696e670011000000616c696365406578616d706c652e6f72670000007c0000001400000045465831"
      "0000000008000e000700080008000000000000021400000000000e001c00040008000c0010001400"
      "0e00000018000000200000002c000000340000000068e5cf8b010000060000006f72646572730000"
      "08000000636f6e74726163740000000007000000706963747572650004000000ffd800018c000000"
      "100000004546583108000c0007000800080000000000000314000000100020000400080018000c00"
      "10001400100000001c0000002c000000380000003c00000040000000e7836e87740100000f000000"
      "636f6e73656e745f6772616e746564000a0000006e6577736c657474657200000200000076330000"
      "0300000077656200070000007369676e2d7570006400000014000000454658310000000008000c00"
      "0700080008000000000000031400000010001800040000000c000000000008001000000014000000"
      "2000000000f4a92b80010000000000000a000000726573747269637465640000040000006465736b"
      "0000000074000000100000004546583108000e000700080008000000000000041400000000000e00"
      "2400040008000c00100018000e000000010000001c000000280000000068e5cf8b01000000505c18"
      "a3010000000000000a0000006c697469676174696f6e00000c000000636173652031322f32303236"
      "000000005c00000014000000454658310000000008000c0007000800080000000000000410000000"
      "0c001c00040008000c0010000c00000004000000140000001c000000010000000000000000000000"
      "050000006175646974000000010000007200000044000000100000004546583108000e0007000800"
      "08000000000000051000000000000a001c0004000c0014000a000000020000000000000002000000"
      "000000000200000000000000";
  const Read back = read(test::from_hex(first_version));
  ASSERT_TRUE(back.people);
  EXPECT_EQ(back.text, json_of(test::write_alice));
}

TEST(FlatExport, RefusesEveryTruncation) {
  const Octets stream = flat_of(test::write_alice);
  for (std::size_t size = 1; size < stream.size(); ++size)
    EXPECT_EQ(refusal(Bytes(stream).first(size)), Errc::corruption);
}

TEST(FlatExport, SurvivesEveryFlippedBit) {
  const Octets stream = flat_of(test::write_alice);
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < 8 * stream.size(); ++bit) {
    Octets flipped = stream;
    flipped[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const Read back = read(flipped);
    refused += back.people ? 0 : 1;
    EXPECT_LE(back.text.size(), 20 * stream.size());
  }
  EXPECT_GT(refused, stream.size());
}

TEST(FlatExport, RefusesMessagesThatAreMissingRepeatedOrSwapped) {
  const Octets stream = flat_of(test::write_alice);
  const auto at = borders(stream);
  const auto built = [&](std::initializer_list<std::size_t> order) {
    Octets out;
    for (const std::size_t i : order)
      out.insert(out.end(), stream.begin() + static_cast<std::ptrdiff_t>(at[i]),
                 stream.begin() + static_cast<std::ptrdiff_t>(at[i + 1]));
    return out;
  };
  ASSERT_EQ(refusal(built({0, 1, 2, 3, 4, 5, 6, 7})), Errc{});
  EXPECT_EQ(refusal(built({1, 2, 3, 4, 5, 6, 7})), Errc::corruption);        // no person
  EXPECT_EQ(refusal(built({0, 0, 1, 2, 3, 4, 5, 6, 7})), Errc::corruption);  // two
  EXPECT_EQ(refusal(built({0, 1, 3, 4, 5, 6, 7})), Errc::corruption);        // a record less
  EXPECT_EQ(refusal(built({0, 1, 2, 2, 3, 4, 5, 6, 7})), Errc::corruption);  // one more
  EXPECT_EQ(refusal(built({0, 1, 2, 3, 5, 6, 7})), Errc::corruption);        // an event less
  EXPECT_EQ(refusal(built({0, 1, 2, 3, 4, 6, 7})), Errc::corruption);        // a hold less
  EXPECT_EQ(refusal(built({0, 1, 3, 2, 4, 5, 6, 7})), Errc::corruption);     // another order
  EXPECT_EQ(refusal(built({0, 1, 2, 3, 4, 5, 6})), Errc::corruption);        // no end
  EXPECT_EQ(refusal(built({0, 1, 2, 3, 4, 5, 6, 7, 7})), Errc::corruption);  // two
}

TEST(FlatExport, RefusesASizeThatNoMessageHas) {
  for (const std::uint32_t size :
       {0U, 1U, 11U, static_cast<std::uint32_t>(export_message_bytes_max + 1), 0xffff'ffffU}) {
    Octets stream(100);
    store_le(stream.data(), size);
    EXPECT_EQ(refusal(stream), Errc::corruption);
  }
}

TEST(FlatExport, HoldsALargeValueOnceAndTheBufferBesideIt) {
  const Plaintext value = test::unrepeated(16 << 20);
  Octets out;
  out.reserve(17 << 20);
  const auto writer = flat_export_writer([&](Bytes more) -> Status {
    out.insert(out.end(), more.begin(), more.end());
    return {};
  });
  ASSERT_TRUE(writer->begin({.tenant = "shop", .region = "eu", .id = "alice"}));
  for (int i = 0; i < 2; ++i) {
    out.clear();
    const std::size_t before = test::allocation_count();
    ASSERT_TRUE(writer->record(
        {.purpose = "p", .legal_basis = "contract", .name = "n", .value = value.bytes()}));
    EXPECT_EQ(test::allocation_count() - before, 1U);
    EXPECT_LE(out.size(), value.size() + export_buffer_bytes);
  }
}

TEST(FlatExport, ReadsTheLargestValueAndRefusesToWriteALargerMessage) {
  const Plaintext value = test::unrepeated(16 << 20);
  Collected out;
  const auto writer = flat_export_writer(out.sink());
  ASSERT_TRUE(writer->begin({.tenant = "shop", .region = "eu", .id = "alice"}));
  ASSERT_TRUE(writer->record(
      {.purpose = "p", .legal_basis = "contract", .name = "n", .value = value.bytes()}));
  ASSERT_TRUE(writer->end());
  EXPECT_TRUE(read(out.bytes).people);

  const Plaintext larger = test::unrepeated(export_message_bytes_max);
  ASSERT_TRUE(writer->begin({.tenant = "shop", .region = "eu", .id = "alice"}));
  const Status refused = writer->record(
      {.purpose = "p", .legal_basis = "contract", .name = "n", .value = larger.bytes()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::too_large);
}

TEST(FlatExport, RefusesTextsThatAreNotUtf8) {
  const auto writer = flat_export_writer([](Bytes) -> Status { return {}; });
  const Status refused = writer->begin({.tenant = "shop", .region = "eu", .id = "\xff"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::corruption);
  // Nor does the reader take one.
  Octets stream = flat_of(test::write_bob);
  const auto bob = std::ranges::search(stream, as_bytes("bob"));
  bob[0] = std::byte{0xff};
  EXPECT_EQ(refusal(stream), Errc::corruption);
}

TEST(FlatExport, AnswersTheErrorsOfSourceWriterAndSink) {
  const auto json = json_export_writer([](Bytes) -> Status { return Error(Errc::no_space, "f"); });
  auto broken = [](MutableBytes) -> Result<std::size_t> { return Error(Errc::io, "broken"); };
  const auto unread = read_flat_export(broken, *json);
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().code(), Errc::io);
  const Octets stream = flat_of(test::write_alice);
  auto source = test::source_of(stream);
  const auto unwritten = read_flat_export(source, *json);
  ASSERT_FALSE(unwritten);
  EXPECT_EQ(unwritten.error().code(), Errc::no_space);
}

}  // namespace
}  // namespace efface::codec
