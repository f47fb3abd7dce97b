#include "records/envelope.h"

#include <gtest/gtest.h>

#include "codec/compress.h"
#include "crypto/random.h"

namespace efface::records {
namespace {

class EnvelopeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(crypto::initialise());
    region_ = crypto::random_id();
    std::vector<keyring::Row> rows;
    for (keyring::Label label = 0; label < 3; ++label)
      rows.push_back({Id16{}, crypto::SecretKey::random(), crypto::random_id(), label, 0, 1});
    keys_ = std::make_unique<keyring::Keys>(std::move(rows));
    bucket_key_ = crypto::SecretKey::random();
  }

  ScopeKeys scope(keyring::Label label = 1, Bucket bucket = never) {
    return {region_, 9, *keys_, *keys_->find(label), bucket, std::as_const(bucket_key_).bytes()};
  }

  std::vector<std::byte> sealed(std::string_view value, bool compress = true) {
    codec::RecordFields fields;
    fields.name = as_bytes("name");
    fields.value = as_bytes(value);
    tag_ = name_tag(scope().scope, "name");
    return seal_record(scope(), tag_, fields, compress);
  }

  static std::optional<Errc> code(const Result<OpenRecord>& result) {
    if (result) return std::nullopt;
    return result.error().code();
  }

  Id16 region_{};
  Id16 tag_{};
  std::unique_ptr<keyring::Keys> keys_;
  crypto::SecretKey bucket_key_;
};

using Envelope = EnvelopeTest;

TEST_F(Envelope, GivesBackWhatWasSealed) {
  const auto bytes = sealed("value");
  const auto open = open_record(scope(), tag_, bytes);
  ASSERT_TRUE(open);
  EXPECT_EQ(as_text(open->fields.name), "name");
  EXPECT_EQ(as_text(open->fields.value), "value");
}

TEST_F(Envelope, GivesBackWhatWasCompressed) {
  const std::string text(10'000, 'z');
  const auto bytes = sealed(text);
  EXPECT_LT(bytes.size(), 500u);
  EXPECT_NE(read_header(bytes)->flags & flag_compressed, 0);
  const auto open = open_record(scope(), tag_, bytes);
  ASSERT_TRUE(open);
  EXPECT_TRUE(as_text(open->fields.value) == text);
}

// What stands around a small value would compress, and cost more time than the whole sealing.
TEST_F(Envelope, LeavesASmallValueUncompressed) {
  const auto bytes = sealed(std::string(codec::compress_floor_bytes - 1, 'z'));
  EXPECT_EQ(read_header(bytes)->flags & flag_compressed, 0);
}

TEST_F(Envelope, NeverSealsTheSameBytesTwiceAlike) {
  const auto first = sealed("value");
  const auto second = sealed("value");
  EXPECT_FALSE(std::ranges::equal(nonce_of(first), nonce_of(second)));
  EXPECT_NE(first, second);
}

TEST_F(Envelope, EveryFlippedBitIsRefused) {
  const auto bytes = sealed("value");
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    auto flipped = bytes;
    flipped[i / 8] ^= static_cast<std::byte>(1 << (i % 8));
    ASSERT_FALSE(open_record(scope(), tag_, flipped)) << i;
  }
}

TEST_F(Envelope, IsRefusedInAnyOtherPlaceThanItsOwn) {
  const auto bytes = sealed("value");
  EXPECT_EQ(code(open_record(scope(2), tag_, bytes)), Errc::corruption);
  EXPECT_EQ(code(open_record(scope(1, 100), tag_, bytes)), Errc::corruption);
  EXPECT_EQ(code(open_record(scope(), crypto::random_id(), bytes)), Errc::corruption);
  ScopeKeys elsewhere = scope();
  elsewhere.region = crypto::random_id();
  // The derived key is remembered by scope, so the associated data alone must refuse these.
  EXPECT_EQ(code(open_record(elsewhere, tag_, bytes)), Errc::corruption);
  ScopeKeys another = scope();
  another.tenant = 10;
  EXPECT_EQ(code(open_record(another, tag_, bytes)), Errc::corruption);
}

TEST_F(Envelope, NeedsTheKeyOfItsBucketToo) {
  const auto bytes = sealed("value");
  // Keys read afresh, so that no derived key is remembered.
  std::vector<keyring::Row> rows;
  for (const keyring::Row& row : keys_->rows())
    rows.push_back({row.tag, row.key.clone(), row.handle, row.label, row.flags, row.aux});
  const keyring::Keys fresh(std::move(rows));
  const crypto::SecretKey other = crypto::SecretKey::random();
  const ScopeKeys wrong{region_, 9, fresh, *fresh.find(1), never, other.bytes()};
  EXPECT_EQ(code(open_record(wrong, tag_, bytes)), Errc::corruption);
  std::vector<keyring::Row> same;
  for (const keyring::Row& row : keys_->rows())
    same.push_back({row.tag, row.key.clone(), row.handle, row.label, row.flags, row.aux});
  const keyring::Keys right(std::move(same));
  const ScopeKeys good{region_,        9,     right,
                       *right.find(1), never, std::as_const(bucket_key_).bytes()};
  EXPECT_TRUE(open_record(good, tag_, bytes));
}

TEST_F(Envelope, ShowsNothingOfNameOrValueInClear) {
  const auto bytes = sealed("a value that would be seen", false);
  const std::string_view all = as_text(bytes);
  EXPECT_EQ(all.find("a value"), std::string_view::npos);
  EXPECT_EQ(all.find("name"), std::string_view::npos);
}

TEST_F(Envelope, NamesAreTagsThatDependOnTheScopesKey) {
  EXPECT_EQ(name_tag(scope(1).scope, "a"), name_tag(scope(1).scope, "a"));
  EXPECT_NE(name_tag(scope(1).scope, "a"), name_tag(scope(1).scope, "b"));
  EXPECT_NE(name_tag(scope(1).scope, "a"), name_tag(scope(2).scope, "a"));
}

TEST_F(Envelope, WhatIsTooShortOrOfAnotherVersionIsRefused) {
  auto bytes = sealed("value");
  EXPECT_EQ(read_header(std::span(bytes).first(55)).error().code(), Errc::corruption);
  bytes[0] = std::byte{2};
  EXPECT_EQ(read_header(bytes).error().code(), Errc::format_new);
  bytes[0] = std::byte{0};
  EXPECT_EQ(read_header(bytes).error().code(), Errc::corruption);
}

}  // namespace
}  // namespace efface::records
