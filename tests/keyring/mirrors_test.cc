#include "keyring/mirrors.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "crypto/child.h"
#include "crypto/prf.h"
#include "crypto/random.h"
#include "keyring/keyring.h"
#include "support/memory_root_key_store.h"
#include "support/temp_directory.h"

namespace efface::keyring::test {
namespace {

namespace fs = std::filesystem;
using efface::test::MemoryRootKeyStore;
using efface::test::TempDirectory;

template <class T>
std::string_view code_of(const Result<T>& result) {
  return result ? "" : name(result.error().code());
}

class MirrorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(crypto::initialise());
    options_.region = crypto::random_id();
    options_.root_keys = &root_keys_;
    options_.environment.map_bytes = std::size_t{1} << 20;
    make_directory(home_ / "region");
    make_directory(home_ / "region/keyring");
    ASSERT_TRUE(Keyring::create(os::Directory::open(home_ / "region/keyring").value(), options_));
    options_.mirrors = {home_ / "one", home_ / "two"};
    open();
    tenant_ = add_tenant();
  }

  static void make_directory(const fs::path& path) {
    fs::create_directory(path);
    fs::permissions(path, fs::perms::owner_all);
  }

  Result<std::unique_ptr<Keyring>> try_open() {
    keyring_.reset();
    return Keyring::open_newest(os::Directory::open(home_ / "region").value(), "keyring", options_);
  }
  void open() {
    auto opened = try_open();
    ASSERT_TRUE(opened) << name(opened.error().code()) << ": " << opened.error().note();
    keyring_ = *std::move(opened);
  }

  TenantRef add_tenant() {
    const auto held = keyring_->lock();
    return keyring_->add_tenant(*held, crypto::hash128({as_bytes("tenant")}), as_bytes("terms"))
        .value();
  }
  Tag enrol() {
    Ensure row;
    row.tag = crypto::random_id();
    const auto held = keyring_->lock();
    EXPECT_TRUE(keyring_->ensure(*held, {tenant_, TreeKind::subjects}, {&row, 1}));
    return row.tag;
  }
  Result<ErasureOutcome> erase(const Tag& tag) {
    Removal removal;
    removal.tenant = tenant_;
    removal.tag = tag;
    return keyring_->erase({&removal, 1});
  }
  static bool knows(Keyring& keyring, const TenantRef& tenant, const Tag& tag) {
    const auto keys = keyring.keys({tenant, TreeKind::subjects}, tag);
    EXPECT_TRUE(keys);
    return keys && !(*keys)->empty();
  }
  bool known(const Tag& tag) { return knows(*keyring_, tenant_, tag); }

  fs::path keyring() const { return home_ / "region/keyring"; }
  std::vector<MirrorState> states() const {
    std::vector<MirrorState> all;
    for (const MirrorStats& one : keyring_->mirrors()) all.push_back(one.state);
    return all;
  }
  static void damage(const fs::path& data) {
    std::fstream file(data, std::ios::binary | std::ios::in | std::ios::out);
    const std::string nonsense(8192, '\x5a');
    file.write(nonsense.data(), static_cast<std::streamsize>(nonsense.size()));
  }
  std::size_t set_aside() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(home_ / "region"))
      count += entry.path().filename().string().starts_with("keyring.damaged-") ? 1 : 0;
    return count;
  }
  TempDirectory home_{"mirrors"};
  MemoryRootKeyStore root_keys_;
  KeyringOptions options_;
  std::unique_ptr<Keyring> keyring_;
  TenantRef tenant_;
};

using enum MirrorState;
using testing::Each;
using testing::ElementsAre;
using SequenceClaim = MirrorTest;
using Mirror = MirrorTest;
using Survivor = MirrorTest;

TEST_F(SequenceClaim, GrowsByOneWithEveryCommitAndIsThereAfterReopening) {
  const std::uint64_t before = keyring_->sequence();
  const Tag her = enrol();
  EXPECT_EQ(keyring_->sequence(), before + 1);
  ASSERT_TRUE(erase(her));
  EXPECT_EQ(keyring_->sequence(), before + 2);
  ASSERT_TRUE(erase(her));  // Nothing is there.
  EXPECT_EQ(keyring_->sequence(), before + 2);
  const auto reclaim = keyring_->next_reclaim();
  ASSERT_TRUE(reclaim && *reclaim);
  ASSERT_TRUE(keyring_->finish_reclaim((**reclaim).sequence));
  EXPECT_EQ(keyring_->sequence(), before + 3);
  open();
  EXPECT_EQ(keyring_->sequence(), before + 3);
}

TEST_F(Mirror, IsMadePrivateAndInStep) {
  EXPECT_THAT(states(), ElementsAre(in_step, in_step));
  for (const char* path : {"one", "one/keyring"}) {
    struct stat found{};
    ASSERT_EQ(::stat((home_ / path).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777U, 0700u);
  }
}

TEST_F(Mirror, HasEveryCommitWhenItIsAnswered) {
  const Tag kept = enrol();
  const Tag gone = enrol();
  ASSERT_TRUE(erase(gone));
  for (const MirrorStats& one : keyring_->mirrors())
    EXPECT_EQ(one, (MirrorStats{in_step, keyring_->sequence()}));
  // As it stands, without closing anything.
  fs::copy(home_ / "one", home_ / "copy", fs::copy_options::recursive);
  auto read = Keyring::open_to_read(os::Directory::open(home_ / "copy/keyring").value(), options_);
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)->sequence(), keyring_->sequence());
  EXPECT_TRUE(knows(**read, tenant_, kept));
  EXPECT_FALSE(knows(**read, tenant_, gone));
}

TEST_F(Mirror, FollowsWhatMakesItsMapGrow) {
  std::vector<Ensure> rows(6000);
  for (Ensure& row : rows) row.tag = crypto::random_id();
  {
    const auto held = keyring_->lock();
    ASSERT_TRUE(keyring_->ensure(*held, {tenant_, TreeKind::subjects}, rows));
  }
  EXPECT_THAT(states(), Each(in_step));
  EXPECT_GT(keyring_->stats()->environment.map_bytes, std::uint64_t{1} << 20);
  fs::remove_all(keyring());
  open();
  EXPECT_TRUE(known(rows.back().tag));
}

TEST_F(Mirror, OpenedToBeReadIsNotChanged) {
  keyring_.reset();
  const auto before = root_keys_.list().value();
  auto read = Keyring::open_to_read(os::Directory::open(home_ / "one/keyring").value(), options_);
  ASSERT_TRUE(read);
  EXPECT_EQ(code_of((*read)->lock()), "closed");
  Removal removal;
  removal.tenant = tenant_;
  EXPECT_EQ(code_of((*read)->erase({&removal, 1})), "closed");
  EXPECT_EQ(root_keys_.list().value(), before);
}

// Another process writes to the mirror, so that it is not where the keyring was.
void disturb(const fs::path& directory, const storage::EnvironmentOptions& options) {
  ASSERT_TRUE(efface::test::ended_well(efface::test::in_child([&] {
    const auto opened = os::Directory::open(directory);
    const auto environment = storage::Environment::open(*opened, options);
    auto txn = environment->write(storage::Space::ordinary);
    return advance_sequence(*txn) && std::move(*txn).commit() ? 0 : 1;
  })));
}

TEST_F(Mirror, ThatFailsIsBehindAndForgettingGoesOn) {
  const Tag gone = enrol();
  disturb(home_ / "two/keyring", options_.environment);
  const std::uint64_t before = keyring_->sequence();
  ASSERT_TRUE(erase(gone));
  EXPECT_FALSE(known(gone));
  EXPECT_THAT(keyring_->mirrors(),
              ElementsAre(MirrorStats{in_step, before + 1}, MirrorStats{behind, before}));
  const Tag kept = enrol();
  EXPECT_THAT(states(), ElementsAre(in_step, behind));
  ASSERT_TRUE(keyring_->catch_up_mirrors());
  EXPECT_THAT(states(), Each(in_step));
  keyring_.reset();
  fs::remove_all(keyring());
  fs::remove_all(home_ / "one");
  open();
  EXPECT_TRUE(known(kept));
  EXPECT_FALSE(known(gone));
}

TEST_F(Mirror, ThatWasAwayIsWrittenAnewAtOpen) {
  keyring_.reset();
  fs::rename(home_ / "two", home_ / "away");
  options_.mirrors = {home_ / "one"};
  open();
  const Tag kept = enrol();
  const Tag gone = enrol();
  ASSERT_TRUE(erase(gone));
  keyring_.reset();
  fs::rename(home_ / "away", home_ / "two");
  options_.mirrors = {home_ / "one", home_ / "two"};
  open();
  EXPECT_THAT(states(), Each(in_step));
  keyring_.reset();
  fs::remove_all(keyring());
  fs::remove_all(home_ / "one");
  open();
  EXPECT_TRUE(known(kept));
  EXPECT_FALSE(known(gone));
}

TEST_F(Mirror, ThatCannotBeReachedIsAbsentUntilItCan) {
  options_.mirrors = {home_ / "unmounted/mirror"};
  open();
  EXPECT_THAT(states(), ElementsAre(absent));
  const Tag her = enrol();
  ASSERT_TRUE(erase(her));
  ASSERT_TRUE(keyring_->catch_up_mirrors());
  EXPECT_THAT(states(), ElementsAre(absent));
  make_directory(home_ / "unmounted");
  ASSERT_TRUE(keyring_->catch_up_mirrors());
  EXPECT_THAT(keyring_->mirrors(), ElementsAre(MirrorStats{in_step, keyring_->sequence()}));
}

TEST_F(Mirror, ThatIsDamagedIsWrittenAnew) {
  keyring_.reset();
  damage(home_ / "one/keyring/data.mdb");
  open();
  EXPECT_THAT(states(), Each(in_step));
}

TEST_F(Mirror, WhoseExchangeWasCutIsWhole) {
  const Tag her = enrol();
  keyring_.reset();
  // The old one is moved away, the new one not yet in its place.
  fs::rename(home_ / "one/keyring", home_ / "one/keyring.new");
  make_directory(home_ / "one/keyring.old");
  fs::remove_all(keyring());
  fs::remove_all(home_ / "two");
  open();
  EXPECT_TRUE(known(her));
  EXPECT_FALSE(fs::exists(home_ / "one/keyring.old"));
  EXPECT_FALSE(fs::exists(home_ / "one/keyring.new"));
}

TEST_F(Mirror, OfAnotherRegionIsRefused) {
  keyring_.reset();
  const auto mirrors =
      Mirrors::open(std::vector{home_ / "one"}, crypto::random_id(), options_.environment);
  EXPECT_EQ(code_of(mirrors), "region_mismatch");
}

TEST_F(Mirror, OfAnotherRegionIsRefusedAlsoBeforeAnythingElseIsThere) {
  keyring_.reset();
  fs::remove_all(home_ / "one/keyring");
  const auto of_another = [&] {
    return code_of(
        Mirrors::open(std::vector{home_ / "one"}, crypto::random_id(), options_.environment));
  };
  EXPECT_EQ(of_another(), "region_mismatch");
  fs::resize_file(home_ / "one/mirror.info", 5);  // A crash cut it: it is nobody's.
  EXPECT_EQ(of_another(), "");
  EXPECT_EQ(code_of(try_open()), "region_mismatch");
}

TEST_F(Mirror, WhoseCopyIsGoneIsWrittenAnewBesideWhatWasMovedAway) {
  const Tag her = enrol();
  for (const char* left : {"keyring.old", "keyring.new"}) {
    keyring_.reset();
    fs::rename(home_ / "one/keyring", home_ / "one" / left);
    open();
    EXPECT_THAT(states(), Each(in_step));
    EXPECT_FALSE(fs::exists(home_ / "one" / left));
  }
  keyring_.reset();
  fs::remove_all(keyring());
  fs::remove_all(home_ / "two");
  open();
  EXPECT_TRUE(known(her));
}

TEST_F(Mirror, InAPlaceThatHasNoNameIsRefused) {
  for (const fs::path& nameless : {fs::path(), fs::path("/"), home_ / "one" / ".."}) {
    options_.mirrors = {nameless};
    EXPECT_EQ(code_of(try_open()), "invalid_argument") << nameless;
  }
}

TEST_F(Mirror, IsNotMadeWhereSomethingElseStands) {
  make_directory(home_ / "other");
  make_directory(home_ / "other/keyring");
  options_.mirrors = {home_ / "other"};
  EXPECT_EQ(code_of(try_open()), "region_mismatch");
}

TEST_F(Mirror, ThatOthersMayReadIsRefused) {
  keyring_.reset();
  fs::permissions(home_ / "one", fs::perms::owner_all | fs::perms::others_read);
  EXPECT_EQ(code_of(try_open()), "unsafe_path");
}

TEST_F(Mirror, NamedTwiceIsRefused) {
  options_.mirrors = {home_ / "one", home_ / "one"};
  EXPECT_EQ(code_of(try_open()), "busy");
}

TEST_F(Survivor, TakesThePlaceOfAKeyringThatIsMissing) {
  const Tag kept = enrol();
  const Tag gone = enrol();
  ASSERT_TRUE(erase(gone));
  const std::uint64_t sequence = keyring_->sequence();
  keyring_.reset();
  fs::remove_all(keyring());
  open();
  EXPECT_EQ(keyring_->sequence(), sequence);
  EXPECT_TRUE(known(kept));
  EXPECT_FALSE(known(gone));
  EXPECT_THAT(states(), Each(in_step));
  ASSERT_TRUE(erase(kept));
  EXPECT_FALSE(known(kept));
}

TEST_F(Survivor, TakesThePlaceOfAKeyringThatIsDamagedWhichIsSetAside) {
  const Tag her = enrol();
  keyring_.reset();
  damage(keyring() / "data.mdb");
  open();
  EXPECT_TRUE(known(her));
  EXPECT_EQ(set_aside(), 1u);
}

TEST_F(Survivor, TakesThePlaceOfAnOlderCopyThatWasPutBack) {
  const Tag early = enrol();
  keyring_.reset();
  fs::copy(keyring(), home_ / "copy", fs::copy_options::recursive);
  open();
  const Tag late = enrol();
  keyring_.reset();
  fs::remove_all(keyring());
  fs::rename(home_ / "copy", keyring());  // It opens: no epoch has ended.
  open();
  EXPECT_TRUE(known(early));
  EXPECT_TRUE(known(late));
  EXPECT_EQ(set_aside(), 1u);
}

TEST_F(Survivor, TakesThePlaceOfAStaleCopyThatWasPutBack) {
  const Tag kept = enrol();
  const Tag gone = enrol();
  keyring_.reset();
  fs::copy(keyring(), home_ / "copy", fs::copy_options::recursive);
  open();
  ASSERT_TRUE(erase(gone));
  keyring_.reset();
  fs::remove_all(keyring());
  fs::rename(home_ / "copy", keyring());
  options_.mirrors = {};
  EXPECT_EQ(code_of(try_open()), "keyring_stale");
  options_.mirrors = {home_ / "one"};
  open();
  EXPECT_TRUE(known(kept));
  EXPECT_FALSE(known(gone));
}

// What a newer version wrote is not lost: it is for that one to open.
void change_format(const fs::path& directory, const storage::EnvironmentOptions& options, int by) {
  const auto environment =
      storage::Environment::open(os::Directory::open(directory).value(), options).value();
  auto txn = environment.write(storage::Space::ordinary).value();
  const Bytes found = **txn.get(as_bytes("m"));
  std::vector<std::byte> header(found.begin(), found.end());
  header[8] = static_cast<std::byte>(std::to_integer<int>(header[8]) + by);
  ASSERT_TRUE(txn.put(as_bytes("m"), header));
  ASSERT_TRUE(std::move(txn).commit());
}

TEST_F(Survivor, IsNotNeededWhereANewerVersionWrote) {
  const Tag her = enrol();
  keyring_.reset();
  change_format(keyring(), options_.environment, 1);
  EXPECT_EQ(code_of(try_open()), "format_new");
  EXPECT_EQ(set_aside(), 0u);
  change_format(keyring(), options_.environment, -1);
  options_.mirrors = {home_ / "one"};
  change_format(home_ / "one/keyring", options_.environment, 1);
  fs::rename(keyring(), home_ / "away");
  EXPECT_EQ(code_of(try_open()), "format_new");
  fs::rename(home_ / "away", keyring());
  open();  // It does not need that one, and writes it anew.
  EXPECT_TRUE(known(her));
}

TEST_F(Survivor, IsNotOneFromBeforeAnErasure) {
  const Tag gone = enrol();
  keyring_.reset();
  fs::copy(home_ / "one", home_ / "copy", fs::copy_options::recursive);
  open();
  ASSERT_TRUE(erase(gone));
  keyring_.reset();
  fs::remove_all(keyring());
  fs::remove_all(home_ / "one");
  fs::remove_all(home_ / "two");
  fs::rename(home_ / "copy", home_ / "one");
  EXPECT_EQ(code_of(try_open()), "store_missing");
}

TEST_F(Survivor, IsTheNewestOfSeveral) {
  keyring_.reset();
  options_.mirrors = {home_ / "two"};  // One is left behind.
  open();
  const Tag her = enrol();
  keyring_.reset();
  fs::remove_all(keyring());
  options_.mirrors = {home_ / "one", home_ / "two"};
  open();
  EXPECT_TRUE(known(her));
  EXPECT_THAT(states(), Each(in_step));
}

TEST_F(Survivor, IsNotLookedForWhileTheKeyringIsTheNewest) {
  const Tag her = enrol();
  open();
  EXPECT_TRUE(known(her));
  EXPECT_EQ(set_aside(), 0u);
}

// The commit stands in the keyring, and was cut before it reached a mirror.
TEST_F(Survivor, IsBroughtInStepBeforeTheOldEpochIsDestroyed) {
  const Tag kept = enrol();
  const Tag gone = enrol();
  options_.mirrors = {};
  open();
  root_keys_.fail_next_rotate = true;
  EXPECT_EQ(code_of(erase(gone)), "erase_pending");
  keyring_.reset();
  options_.mirrors = {home_ / "one"};
  open();
  EXPECT_THAT(states(), Each(in_step));
  keyring_.reset();
  fs::remove_all(keyring());
  open();
  EXPECT_TRUE(known(kept));
  EXPECT_FALSE(known(gone));
}

}  // namespace
}  // namespace efface::keyring::test
