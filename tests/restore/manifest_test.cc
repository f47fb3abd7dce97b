// A backup whose manifest says what none says, under the hash of what it says.
#include <fstream>
#include <functional>
#include <iterator>

#include "codec/backup_codec.h"
#include "crypto/hasher.h"
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
    std::ifstream in(path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
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

}  // namespace
}  // namespace efface::test
