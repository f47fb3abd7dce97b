#include "codec/record_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>

#include "codec/allocation_count.h"
#include "codec/manifest_codec.h"
#include "codec/sample.h"
#include "crypto/hex.h"

namespace efface::codec {
namespace {

using test::copy_of;

RecordFields full_record() {
  return {.name = as_bytes("e-mail"),
          .value = as_bytes("alice@example.org"),
          .written_ms = 1'700'000'000'000,
          .expires_ms = 1'800'000'000'000,
          .permitted = {2, 7, 65'535},
          .origin = "sign-up form",
          .recipients = {"post", "newsletter"},
          .automated_decision = true};
}

bool same(const RecordFields& a, const RecordFields& b) {
  return std::ranges::equal(a.name, b.name) && std::ranges::equal(a.value, b.value) &&
         a.written_ms == b.written_ms && a.expires_ms == b.expires_ms &&
         a.permitted == b.permitted && a.origin == b.origin && a.recipients == b.recipients &&
         a.automated_decision == b.automated_decision;
}

Errc refusal(const Plaintext& plain) {
  const auto record = decode_record(plain.bytes());
  return record ? Errc{} : record.error().code();
}

TEST(RecordCodec, GivesBackEveryField) {
  const RecordFields fields = full_record();
  const Plaintext plain = encode(fields);
  const auto back = decode_record(plain.bytes());
  ASSERT_TRUE(back);
  EXPECT_TRUE(same(*back, fields));
}

TEST(RecordCodec, GivesBackARecordWithNothingInIt) {
  const Plaintext plain = encode(RecordFields{});
  const auto back = decode_record(plain.bytes());
  ASSERT_TRUE(back);
  EXPECT_TRUE(same(*back, RecordFields{}));
}

TEST(RecordCodec, AnswersViewsIntoThePlaintext) {
  const Plaintext plain = encode(full_record());
  const auto back = decode_record(plain.bytes());
  ASSERT_TRUE(back);
  const auto inside = [&](const void* at) {
    const auto* const byte = static_cast<const std::byte*>(at);
    return byte >= plain.data() && byte < plain.data() + plain.size();
  };
  EXPECT_TRUE(inside(back->name.data()));
  EXPECT_TRUE(inside(back->value.data()));
  EXPECT_TRUE(inside(back->origin.data()));
  EXPECT_TRUE(inside(back->recipients[1].data()));
}

TEST(RecordCodec, AllocatesOnceToEncodeAndNeverToDecodeAPlainRecord) {
  RecordFields fields = full_record();
  fields.permitted.clear();
  fields.recipients.clear();
  const Plaintext value = test::repetitive(100'000);
  for (const std::size_t size : {0U, 1U, 7U, 1000U, 100'000U}) {
    fields.value = value.bytes().first(size);
    const std::size_t before = test::allocation_count();
    const Plaintext plain = encode(fields);
    const std::size_t encoded = test::allocation_count();
    const auto back = decode_record(plain.bytes());
    const std::size_t decoded = test::allocation_count();
    EXPECT_EQ(encoded - before, 1U);
    EXPECT_EQ(decoded, encoded);
    EXPECT_TRUE(back && same(*back, fields));
  }
}

TEST(RecordCodec, IgnoresPaddingAfterTheRecord) {
  const RecordFields fields = full_record();
  const Plaintext plain = encode(fields);
  Plaintext padded(plain.size() + 100);
  crypto::wipe(padded.bytes());
  std::memcpy(padded.data(), plain.data(), plain.size());
  const auto back = decode_record(padded.bytes());
  ASSERT_TRUE(back);
  EXPECT_TRUE(same(*back, fields));
}

// Records outlive programs: these bytes are what version 1 wrote, and they must stay readable.
TEST(RecordCodec, ReadsTheBytesOfTheFirstVersion) {
  const Plaintext plain = copy_of(test::from_hex(
      "1c000000454652311400300008000c001c0024001000140018000700140000000000000170000000"
      "780000005c00000044000000180000000068e5cf8b01000000505c18a30100000000000002000000"
      "18000000040000000a0000006e6577736c6574746572000004000000706f7374000000000c000000"
      "7369676e2d757020666f726d000000000300000002000700ffff000006000000652d6d61696c0000"
      "11000000616c696365406578616d706c652e6f7267000000"));
  const auto back = decode_record(plain.bytes());
  ASSERT_TRUE(back);
  EXPECT_TRUE(same(*back, full_record()));
}

TEST(RecordCodec, RefusesNoBytesAndBytesOfAnotherKind) {
  EXPECT_EQ(refusal(Plaintext()), Errc::corruption);
  EXPECT_EQ(refusal(test::repetitive(500)), Errc::corruption);
  EXPECT_EQ(refusal(encode(TenantFields{})), Errc::corruption);
}

TEST(RecordCodec, RefusesEveryTruncationThatCutsIntoIt) {
  const RecordFields fields = full_record();
  const Plaintext plain = encode(fields);
  std::size_t refused = 0;
  for (std::size_t size = 0; size < plain.size(); ++size) {
    const Plaintext cut = copy_of(plain.bytes().first(size));
    if (const auto back = decode_record(cut.bytes()))
      EXPECT_TRUE(same(*back, fields));  // Only padding was cut off.
    else
      ++refused;
  }
  EXPECT_GE(refused, plain.size() - 8);
}

TEST(RecordCodec, SurvivesEveryFlippedBit) {
  const Plaintext plain = encode(full_record());
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < 8 * plain.size(); ++bit) {
    Plaintext flipped = copy_of(plain.bytes());
    flipped.data()[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const auto back = decode_record(flipped.bytes());
    if (!back) {
      ++refused;
      continue;
    }
    EXPECT_LE(back->name.size() + back->value.size(), 2 * plain.size());
  }
  EXPECT_GT(refused, 0U);
}

RC_GTEST_PROP(RecordCodec, RoundTripsAnything,
              (const std::string& name, const std::string& value, std::int64_t written,
               std::int64_t expires, const std::vector<std::uint16_t>& permitted,
               const std::string& origin, const std::vector<std::string>& recipients,
               bool automated)) {
  RecordFields fields{.name = as_bytes(name),
                      .value = as_bytes(value),
                      .written_ms = written,
                      .expires_ms = expires,
                      .permitted = permitted,
                      .origin = origin,
                      .recipients = {recipients.begin(), recipients.end()},
                      .automated_decision = automated};
  const Plaintext plain = encode(fields);
  const auto back = decode_record(plain.bytes());
  RC_ASSERT(back.has_value());
  RC_ASSERT(same(*back, fields));
}

RC_GTEST_PROP(RecordCodec, NeverCrashesOnRandomBytes, (const std::vector<std::uint8_t>& bytes)) {
  refusal(copy_of(std::as_bytes(std::span(bytes))));
}

RC_GTEST_PROP(RecordCodec, NeverCrashesOnARecordWithRandomBytesInIt, ()) {
  Plaintext plain = encode(full_record());
  const auto changes = *rc::gen::inRange(1, 12);
  for (int i = 0; i < changes; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, plain.size());
    plain.data()[at] = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
  }
  refusal(plain);
}

}  // namespace
}  // namespace efface::codec
