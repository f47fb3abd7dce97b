#include "codec/manifest_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <span>

#include "codec/flat.h"
#include "codec/sample.h"
#include "crypto/hex.h"

namespace efface::codec {
namespace {

using test::copy_of;

TenantFields sample_tenant() {
  return {.name = "acme",
          .regions = {"eu-west", "eu-north"},
          .purposes = {{.number = 1, .name = "billing", .basis = 2, .retention_days = 3650},
                       {.number = 300,
                        .name = "newsletter",
                        .basis = 1,
                        .retention_days = 0,
                        .compress = false,
                        .pad = true}}};
}
StoreFields sample_store() {
  return {.format = 1, .regions = {{"eu-west", "regions/eu-west"}, {"eu-north", "north"}}};
}
RegionInfoFields sample_region() {
  RegionInfoFields fields{.format = 1, .id = {}, .name = "eu-west"};
  for (std::size_t i = 0; i < fields.id.size(); ++i) fields.id[i] = static_cast<std::byte>(i);
  return fields;
}

template <class T>
Errc code(const Result<T>& result) {
  return result ? Errc{} : result.error().code();
}

TEST(ManifestCodec, GivesBackEveryField) {
  const auto tenant = decode_tenant(encode(sample_tenant()).bytes());
  ASSERT_TRUE(tenant);
  EXPECT_EQ(*tenant, sample_tenant());
  const auto store = decode_store(encode(sample_store()).bytes());
  ASSERT_TRUE(store);
  EXPECT_EQ(*store, sample_store());
  const auto region = decode_region_info(encode(sample_region()).bytes());
  ASSERT_TRUE(region);
  EXPECT_EQ(*region, sample_region());
}

TEST(ManifestCodec, GivesBackWhatHasNothingInIt) {
  const auto tenant = decode_tenant(encode(TenantFields{}).bytes());
  ASSERT_TRUE(tenant);
  EXPECT_EQ(*tenant, TenantFields{});
  const auto store = decode_store(encode(StoreFields{}).bytes());
  ASSERT_TRUE(store);
  EXPECT_EQ(*store, StoreFields{});
  const auto region = decode_region_info(encode(RegionInfoFields{}).bytes());
  ASSERT_TRUE(region);
  EXPECT_EQ(*region, RegionInfoFields{});
}

TEST(ManifestCodec, TakesNoneForAnother) {
  const Plaintext tenant = encode(sample_tenant());
  const Plaintext store = encode(sample_store());
  const Plaintext region = encode(sample_region());
  EXPECT_EQ(code(decode_tenant(store.bytes())), Errc::corruption);
  EXPECT_EQ(code(decode_tenant(region.bytes())), Errc::corruption);
  EXPECT_EQ(code(decode_store(tenant.bytes())), Errc::corruption);
  EXPECT_EQ(code(decode_store(region.bytes())), Errc::corruption);
  EXPECT_EQ(code(decode_region_info(tenant.bytes())), Errc::corruption);
  EXPECT_EQ(code(decode_region_info(store.bytes())), Errc::corruption);
  EXPECT_EQ(code(decode_tenant({})), Errc::corruption);
  EXPECT_EQ(code(decode_store({})), Errc::corruption);
  EXPECT_EQ(code(decode_region_info({})), Errc::corruption);
}

// The same table as RegionInfo, laid out by hand with an id of another size.
TEST(ManifestCodec, RefusesARegionWhoseIdIsNotSixteenBytes) {
  for (const std::size_t size : {0U, 15U, 16U, 17U}) {
    FlatBuilder flat(256);
    const auto id = flat.bytes(test::unrepeated(size).bytes());
    const auto name = flat.text("eu-west");
    const auto start = flat->StartTable();
    flat->AddOffset(flatbuffers::FieldIndexToOffset(1), id);
    flat->AddOffset(flatbuffers::FieldIndexToOffset(2), name);
    const flatbuffers::Offset<flatbuffers::Table> table(flat->EndTable(start));
    const Plaintext bytes = flat.finish(table, "EFG1");
    EXPECT_EQ(code(decode_region_info(bytes.bytes())), size == 16 ? Errc{} : Errc::corruption);
  }
}

TEST(ManifestCodec, SurvivesEveryFlippedBitAndEveryTruncation) {
  const auto decode_all = [](Bytes bytes) {
    code(decode_tenant(bytes));
    code(decode_store(bytes));
    code(decode_region_info(bytes));
  };
  for (const Plaintext& plain :
       {encode(sample_tenant()), encode(sample_store()), encode(sample_region())}) {
    for (std::size_t bit = 0; bit < 8 * plain.size(); ++bit) {
      Plaintext flipped = copy_of(plain.bytes());
      flipped.data()[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
      decode_all(flipped.bytes());
    }
    for (std::size_t size = 0; size < plain.size(); ++size)
      decode_all(copy_of(plain.bytes().first(size)).bytes());
  }
}

RC_GTEST_PROP(ManifestCodec, RoundTripsAnyTenant,
              (const std::string& name, const std::vector<std::string>& regions,
               const std::vector<std::string>& purposes)) {
  TenantFields fields{.name = name, .regions = regions, .purposes = {}};
  for (const std::string& purpose : purposes)
    fields.purposes.push_back({.number = *rc::gen::arbitrary<std::uint16_t>(),
                               .name = purpose,
                               .basis = *rc::gen::arbitrary<std::uint8_t>(),
                               .retention_days = *rc::gen::arbitrary<std::uint32_t>(),
                               .compress = *rc::gen::arbitrary<bool>(),
                               .pad = *rc::gen::arbitrary<bool>()});
  const auto back = decode_tenant(encode(fields).bytes());
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == fields);
}

RC_GTEST_PROP(ManifestCodec, RoundTripsAnyStore,
              (std::uint32_t format,
               const std::vector<std::pair<std::string, std::string>>& regions)) {
  StoreFields fields{.format = format, .regions = {}};
  for (const auto& [name, directory] : regions) fields.regions.push_back({name, directory});
  const auto back = decode_store(encode(fields).bytes());
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == fields);
}

RC_GTEST_PROP(ManifestCodec, NeverCrashesOnRandomBytes, (const std::vector<std::uint8_t>& bytes)) {
  const Plaintext plain = copy_of(std::as_bytes(std::span(bytes)));
  code(decode_tenant(plain.bytes()));
  code(decode_store(plain.bytes()));
  code(decode_region_info(plain.bytes()));
}

}  // namespace
}  // namespace efface::codec
