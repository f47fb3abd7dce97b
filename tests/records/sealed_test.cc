#include "records/sealed.h"

#include <gtest/gtest.h>

#include "crypto/random.h"

namespace efface::records {
namespace {

// Keys that say where they are from, so that docs/format/sealed.md can be checked to the byte.
class SealedTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(crypto::initialise());
    std::vector<keyring::Row> rows;
    for (const keyring::Label purpose : {keyring::Label{3}, keyring::Label{4}}) {
      keyring::Row& row = rows.emplace_back();
      std::array<std::byte, crypto::key_bytes> key{};
      key.fill(std::byte{0x11});
      row.key = crypto::SecretKey::copy_of(key);
      row.handle.fill(std::byte{0x22});
      row.handle[0] = std::byte(purpose);
      row.label = keyring::scope_label(purpose, keyring::sealing_key);
      row.aux = 1;
    }
    keys_ = std::make_unique<keyring::Keys>(std::move(rows));
    std::array<std::byte, crypto::key_bytes> bucket{};
    bucket.fill(std::byte{0x33});
    bucket_key_ = crypto::SecretKey::copy_of(bucket);
    region_.fill(std::byte{0x44});
  }

  ScopeKeys keys(keyring::Label purpose = 3, Bucket bucket = never) const {
    return {region_, 9,
            *keys_,  *keys_->find(keyring::scope_label(purpose, keyring::sealing_key)),
            bucket,  bucket_key_.bytes()};
  }
  static std::string text_of(const Result<codec::Plaintext>& opened) {
    if (!opened) return std::string("error: ") + name(opened.error().code());
    return std::string(as_text(std::as_const(*opened).bytes()));
  }

  Id16 region_{};
  std::unique_ptr<keyring::Keys> keys_;
  crypto::SecretKey bucket_key_;
};

using Sealed = SealedTest;

TEST_F(Sealed, SaysInClearWhatItsFormatSays) {
  const auto sealed = seal_bytes(keys(3, 20'000), as_bytes("c"), as_bytes("value"));
  ASSERT_EQ(sealed.size(), sealed_overhead_bytes + 5);
  EXPECT_EQ(as_text(Bytes(sealed).first(16)),
            std::string_view("EFSB\1\1\3\0\1\0\0\0\x20\x4e\0\0", 16));
  const auto header = read_sealed_header(sealed);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->purpose, 3u);
  EXPECT_EQ(header->generation, 1u);
  EXPECT_EQ(header->bucket, 20'000u);
  EXPECT_TRUE(is_marked_for(keys(3).scope.handle, sealed));
  EXPECT_FALSE(is_marked_for(keys(4).scope.handle, sealed));
  EXPECT_EQ(text_of(open_bytes(keys(3, 20'000), as_bytes("c"), sealed)), "value");
}

TEST_F(Sealed, OpensUnderItsOwnKeysAndContextAlone) {
  const auto sealed = seal_bytes(keys(), as_bytes("c"), as_bytes("value"));
  EXPECT_EQ(text_of(open_bytes(keys(), as_bytes("c"), sealed)), "value");
  EXPECT_EQ(text_of(open_bytes(keys(), as_bytes(""), sealed)), "error: corruption");
  EXPECT_EQ(text_of(open_bytes(keys(4), as_bytes("c"), sealed)), "error: corruption");
  EXPECT_EQ(text_of(open_bytes(keys(3, 1), as_bytes("c"), sealed)), "error: corruption");
  ScopeKeys tenant = keys();
  tenant.tenant = 8;
  // The key for (label, bucket) is remembered, so that what fails here is what is bound beside it.
  EXPECT_EQ(text_of(open_bytes(tenant, as_bytes("c"), sealed)), "error: corruption");
  ScopeKeys region = keys();
  region.region[15] ^= std::byte{1};
  EXPECT_EQ(text_of(open_bytes(region, as_bytes("c"), sealed)), "error: corruption");
}

TEST_F(Sealed, IsNoneWithAnyBitChangedOrAnyByteMissing) {
  const auto sealed = seal_bytes(keys(), as_bytes("c"), as_bytes("value"));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto changed = sealed;
    changed[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(open_bytes(keys(), as_bytes("c"), changed)) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_EQ(text_of(open_bytes(keys(), as_bytes("c"), Bytes(sealed).first(size))),
              "error: corruption");
}

TEST_F(Sealed, OfALaterVersionIsSaidToBe) {
  auto sealed = seal_bytes(keys(), {}, as_bytes("value"));
  sealed[4] = std::byte{2};
  EXPECT_EQ(text_of(open_bytes(keys(), {}, sealed)), "error: format_new");
  sealed[4] = std::byte{0};
  EXPECT_EQ(text_of(open_bytes(keys(), {}, sealed)), "error: corruption");
}

}  // namespace
}  // namespace efface::records
