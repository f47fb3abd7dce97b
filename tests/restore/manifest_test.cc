// A backup whose manifest says what none says, under the hash of what it says.
#include <fstream>
#include <functional>

#include "codec/backup_codec.h"
#include "codec/manifest_codec.h"
#include "crypto/hasher.h"
#include "support/file_content.h"
#include "support/two_regions.h"

namespace efface::test {
namespace {

class Manifests : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    ASSERT_TRUE(store_->backup({.target = home_ / "backup"}));
  }
  std::filesystem::path path() const { return home_ / "backup/manifest"; }
  codec::BackupFields fields() const {
    const std::string bytes = file_content(path());
    codec::Plaintext encoded(bytes.size() - sizeof(codec::FileHash));
    std::ranges::copy(as_bytes(bytes).first(encoded.bytes().size()), encoded.data());
    return codec::decode_backup(std::as_const(encoded).bytes()).value();
  }
  std::optional<Errc> verified_with(Bytes encoded) const {
    crypto::Hasher hasher;
    hasher.add(encoded);
    const codec::FileHash hash = hasher.finish();
    std::ofstream(path(), std::ios::binary) << as_text(encoded) << as_text(hash);
    return code_of(Store::verify_backup(home_ / "backup"));
  }
  std::optional<Errc> verified_with(const std::function<void(codec::BackupFields&)>& change) const {
    codec::BackupFields changed = before_;
    change(changed);
    const codec::Plaintext encoded = codec::encode(changed);
    return verified_with(encoded.bytes());
  }
  codec::BackupFields before_;
};

TEST_F(Manifests, SayOneFormatAndEachRegionOnce) {
  before_ = fields();
  EXPECT_EQ(verified_with([](codec::BackupFields&) {}), std::nullopt);
  EXPECT_EQ(verified_with([](codec::BackupFields& f) { ++f.format; }), Errc::format_new);
  EXPECT_EQ(verified_with([](codec::BackupFields& f) { f.format = 0; }), Errc::format_old);
  EXPECT_EQ(verified_with([](codec::BackupFields& f) { f.regions[0].name = "../eu"; }),
            Errc::corruption);
  EXPECT_EQ(verified_with([](codec::BackupFields& f) { f.regions.push_back(f.regions[0]); }),
            Errc::corruption);
  EXPECT_EQ(verified_with([](codec::BackupFields& f) { ++f.regions[0].data_bytes; }),
            Errc::corruption);
  EXPECT_EQ(verified_with([](codec::BackupFields& f) { f.store_hash[0] ^= std::byte{1}; }),
            Errc::corruption);
  EXPECT_EQ(verified_with(as_bytes("neither this nor that")), Errc::corruption);
  EXPECT_EQ(verified_with([](codec::BackupFields&) {}), std::nullopt);
}

class Descriptions : public StoreTest {
 protected:
  // What opening says while that is in the file.
  template <class Fields>
  std::optional<Errc> opened_with(const char* file, const Fields& fields) {
    const auto path = home_ / "store" / file;
    const std::string before = file_content(path);
    const codec::Plaintext encoded = codec::encode(fields);
    std::ofstream(path, std::ios::binary) << as_text(encoded.bytes());
    const auto answer = code_of(Store::open(options()));
    std::ofstream(path, std::ios::binary) << before;
    return answer;
  }
};

TEST_F(Descriptions, SayOneFormatAndWhereARegionLies) {
  const Id16 id = [&] {
    const auto path = home_ / "store/eu/region.info";
    const std::string bytes = file_content(path);
    codec::Plaintext encoded(bytes.size());
    std::ranges::copy(as_bytes(bytes), encoded.data());
    return codec::decode_region_info(std::as_const(encoded).bytes()).value().id;
  }();
  close();
  using Store = codec::StoreFields;
  using Region = codec::RegionInfoFields;
  const auto store = [&](const Store& fields) { return opened_with("store.info", fields); };
  const auto region = [&](const Region& fields) { return opened_with("eu/region.info", fields); };
  EXPECT_EQ(store({1, {{"eu", "eu"}}}), std::nullopt);
  EXPECT_EQ(store({2, {{"eu", "eu"}}}), Errc::format_new);
  EXPECT_EQ(store({0, {{"eu", "eu"}}}), Errc::format_old);
  EXPECT_EQ(store({1, {{"E U", "eu"}}}), Errc::corruption);
  EXPECT_EQ(store({1, {{"eu", "us"}}}), Errc::corruption);
  EXPECT_EQ(region({1, id, "eu"}), std::nullopt);
  EXPECT_EQ(region({2, id, "eu"}), Errc::format_new);
  EXPECT_EQ(region({0, id, "eu"}), Errc::format_old);
  EXPECT_EQ(region({1, id, "us"}), Errc::region_mismatch);
}

}  // namespace
}  // namespace efface::test
