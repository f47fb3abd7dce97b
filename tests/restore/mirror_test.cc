// A store that goes on after its keyring is lost.
#include <gmock/gmock.h>

#include "support/store_fixture.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

template <class T>
std::string_view code_of(const Result<T>& result) {
  return result ? "" : name(result.error().code());
}

class MirroredStore : public StoreTest {
 protected:
  OpenOptions mirrored(std::vector<fs::path> mirrors) {
    OpenOptions out = options();
    out.regions[0].keyring_mirrors = std::move(mirrors);
    return out;
  }
  Status reopen_with(std::vector<fs::path> mirrors) {
    close();
    auto store = Store::open(mirrored(std::move(mirrors)));
    if (!store) return store.error();
    store_.emplace(*std::move(store));
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
    return {};
  }
  std::vector<MirrorStats> mirrors() { return store_->stats()->regions[0].mirrors; }
  std::uint64_t sequence() { return store_->stats()->regions[0].keyring_sequence; }
};

TEST_F(MirroredStore, LosesItsKeyringAndNothingElse) {
  ASSERT_TRUE(reopen_with({home_ / "mirror"}));
  ASSERT_TRUE(activity().put(SubjectId("kept"), region(), RecordName("film"), as_bytes("good")));
  static_cast<void>(enrol("gone"));
  ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId("gone")).value()));
  EXPECT_THAT(mirrors(), ElementsAre(MirrorStats{MirrorState::in_step, sequence()}));
  close();
  fs::remove_all(home_ / "store/eu/keyring");
  ASSERT_TRUE(reopen_with({home_ / "mirror"}));
  EXPECT_EQ(
      text_of(activity().get(tenant_->subject(SubjectId("kept")).value(), RecordName("film"))),
      "good");
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("gone"))), "subject_unknown");
}

TEST_F(MirroredStore, WithoutAMirrorLosesEverythingWithItsKeyring) {
  close();
  fs::remove_all(home_ / "store/eu/keyring");
  EXPECT_EQ(code_of(Store::open(options())), "store_missing");
}

TEST_F(MirroredStore, IsMirroredFromItsCreationOn) {
  close();
  root_keys_.reset();
  auto made = FileRootKeyStore::create(root_key_options(home_ / "other.key"));
  ASSERT_TRUE(made);
  root_keys_ = *std::move(made);
  OpenOptions other = mirrored({home_ / "mirror"});
  other.directory = home_ / "other";
  const auto store = Store::create(other);
  ASSERT_TRUE(store);
  EXPECT_THAT(store->stats()->regions[0].mirrors,
              ElementsAre(MirrorStats{MirrorState::in_step, 1}));
}

TEST_F(MirroredStore, BringsAMirrorBackInStepByMaintaining) {
  ASSERT_TRUE(reopen_with({home_ / "volume/mirror"}));
  EXPECT_EQ(mirrors()[0].state, MirrorState::absent);
  static_cast<void>(enrol("alice"));
  fs::create_directory(home_ / "volume");
  fs::permissions(home_ / "volume", fs::perms::owner_all);
  ASSERT_TRUE(store_->maintain());
  EXPECT_THAT(mirrors(), ElementsAre(MirrorStats{MirrorState::in_step, sequence()}));
}

TEST_F(MirroredStore, RefusesAMirrorInsideItsDataOrAroundItsRootKeys) {
  EXPECT_EQ(code_of(reopen_with({home_ / "store/mirror"})), "unsafe_path");
  EXPECT_EQ(code_of(reopen_with({home_ / "store/eu/mirror"})), "unsafe_path");
  EXPECT_EQ(code_of(reopen_with({home_.path()})), "unsafe_path");
}

// A volume that was put back from an image: an epoch has not ended since, so both would open.
TEST_F(MirroredStore, DoesNotGoBackToAKeyringThatWasPutBack) {
  ASSERT_TRUE(reopen_with({home_ / "mirror"}));
  close();
  fs::copy(home_ / "store/eu/keyring", home_ / "image", fs::copy_options::recursive);
  ASSERT_TRUE(reopen_with({home_ / "mirror"}));
  static_cast<void>(enrol("alice"));
  close();
  fs::remove_all(home_ / "store/eu/keyring");
  fs::copy(home_ / "image", home_ / "store/eu/keyring", fs::copy_options::recursive);
  fs::permissions(home_ / "store/eu/keyring", fs::perms::owner_all);
  ASSERT_TRUE(reopen_with({home_ / "mirror"}));
  EXPECT_TRUE(tenant_->subject(SubjectId("alice")));
}

}  // namespace
}  // namespace efface::test
