// What a store asks of what it is given: root key stores, places and files; and of what was begun.
#include <fstream>

#include "crypto/child.h"
#include "support/bad_root_keys.h"
#include "support/two_regions.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<RootKeyStore> borrowed(RootKeyStore& store) {
  return {&store, [](RootKeyStore*) {}};
}

class OfLevel final : public RootKeysOver {
 public:
  OfLevel(RootKeyStore& store, AssuranceLevel level)
      : RootKeysOver(borrowed(store)), level_(level) {}
  Assurance assurance() const override { return {level_, "As a test says."}; }

 private:
  AssuranceLevel level_;
};

class Within final : public RootKeysOver {
 public:
  Within(RootKeyStore& store, const fs::path& directory)
      : RootKeysOver(borrowed(store)), directory_(directory.string()) {}
  Result<bool> lies_within(const std::string& directory) const override {
    return directory == directory_;
  }

 private:
  std::string directory_;
};

class Given : public StoreTest {
 protected:
  std::unique_ptr<FileRootKeyStore> other_keys(const char* called) {
    return FileRootKeyStore::create(root_key_options(home_ / called)).value();
  }
  OpenOptions with(RootKeyStore& root_keys) {
    OpenOptions out = options();
    out.regions[0].root_keys = &root_keys;
    return out;
  }
};

TEST_F(Given, RootKeysThatDestroyLogicallyAreRefusedUnlessTheyAreAccepted) {
  close();
  OfLevel logical(*root_keys_, AssuranceLevel::l0_logical);
  OfLevel overwritten(*root_keys_, AssuranceLevel::l1_overwritten);
  OpenOptions strict = with(logical);
  strict.accept_l0 = false;
  EXPECT_EQ(code_of(Store::open(strict)), Errc::assurance_too_low);
  const auto keys = other_keys("new.key");
  OfLevel fresh(*keys, AssuranceLevel::l0_logical);
  OpenOptions anew = strict;
  anew.directory = home_ / "new";
  anew.regions[0].root_keys = &fresh;
  EXPECT_EQ(code_of(Store::create(anew)), Errc::assurance_too_low);
  EXPECT_FALSE(fs::exists(anew.directory));
  Within inside(*keys, home_ / "store");
  OfLevel enough(inside, AssuranceLevel::l1_overwritten);
  OfLevel well(*keys, AssuranceLevel::l1_overwritten);
  strict.regions[0].root_keys = &overwritten;
  const auto store = Store::open(strict);
  ASSERT_TRUE(store) << name(store.error().code());
  const Region eu = store->region("eu").value();
  EXPECT_EQ(code_of(store->migrate_root(eu, fresh, Actor("test"))), Errc::assurance_too_low);
  EXPECT_EQ(code_of(store->migrate_root(eu, enough, Actor("test"))), Errc::unsafe_path);
  EXPECT_TRUE(store->migrate_root(eu, well, Actor("test"), {.accept_lost = true}));
  std::vector<std::string> details;
  ASSERT_TRUE(store->each_decision(eu, 0, [&](const Decision& decision) {
    if (decision.what == "root_migrated") details.emplace_back(decision.detail);
    return Flow::more;
  }));
  ASSERT_EQ(details.size(), 1u);
  EXPECT_NE(details[0].find("lost"), std::string::npos);
}

TEST_F(Given, RootKeysInARegionThatLiesElsewhereAreRefused) {
  const auto keys = other_keys("new.key");
  const fs::path elsewhere = home_ / "elsewhere";
  Within inside(*keys, elsewhere);
  OpenOptions anew = with(inside);
  anew.directory = home_ / "new";
  anew.regions[0].directory = elsewhere;
  EXPECT_EQ(code_of(Store::create(anew)), Errc::unsafe_path);
  fs::remove_all(elsewhere);
  fs::remove(home_ / "new.key");
  const auto good = other_keys("good.key");
  anew.regions[0].root_keys = good.get();
  ASSERT_TRUE(Store::create(anew));
  Within now_inside(*good, elsewhere);
  anew.regions[0].root_keys = &now_inside;
  EXPECT_EQ(code_of(Store::open(anew)), Errc::unsafe_path);
  anew.regions[0].root_keys = good.get();
  EXPECT_TRUE(Store::open(anew));
}

TEST_F(Given, APlaceForTheLedgersCopyMustBeOne) {
  close();
  OpenOptions asked = options();
  asked.regions[0].ledger_copy = home_ / "no/such/ledger";
  EXPECT_EQ(code_of(Store::open(asked)), Errc::store_missing);
  asked.regions[0].ledger_copy = home_ / "something";
  std::ofstream(home_ / "something") << std::string(64, 'x');
  fs::permissions(home_ / "something", fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(code_of(Store::open(asked)), Errc::corruption);
  asked.regions[0].ledger_copy = home_ / "copy";
  EXPECT_TRUE(Store::open(asked));
}

TEST_F(Given, ADescriptionOfARegionIsNotThatLong) {
  close();
  fs::resize_file(home_ / "store/eu/region.info", 5000);
  EXPECT_EQ(code_of(Store::open(options())), Errc::corruption);
}

// Who shares a region says of which namespace he is. Where that is cut off nobody can tell.
TEST_F(Given, ARegionThatIsSharedByNobodyKnowsWhomIsBusy) {
  close();
  root_keys_.reset();
  FileRootKeyStoreOptions of_file = root_key_options(home_ / "root.key");
  of_file.shared = true;
  root_keys_ = FileRootKeyStore::open(of_file).value();
  OpenOptions shared = options();
  shared.shared = true;
  EXPECT_EQ(code_of(Store::restore(shared, {})), Errc::unsupported);
  const auto store = Store::open(shared);
  ASSERT_TRUE(store) << name(store.error().code());
  const auto opens = [&] {
    return in_child(
        [&] { return static_cast<int>(code_of(Store::open(shared)).value_or(Errc{})); });
  };
  fs::resize_file(home_ / "store/eu/processes", 10);
  EXPECT_EQ(WEXITSTATUS(opens()), static_cast<int>(Errc::busy));
}

class HalfDeclared : public TwoRegionsTest {
 protected:
  void open() {
    tenant_.reset();
    eu_.reset();
    us_.reset();
    store_.reset();
    OpenOptions given = options();
    given.regions[1].root_keys = &*failing_;
    store_.emplace(Store::open(given).value());
    take_regions();
  }
  std::optional<Errc> declare(std::initializer_list<Region> regions) {
    return code_of(
        store_->declare_tenant("half", std::span(regions.begin(), regions.size()), Actor("test")));
  }
  void SetUp() override {
    TwoRegionsTest::SetUp();
    failing_.emplace(borrowed(*us_keys_));
  }
  void TearDown() override {
    tenant_.reset();
    eu_.reset();
    us_.reset();
    store_.reset();
  }
  std::optional<RootKeysThatFail> failing_;
};

TEST_F(HalfDeclared, ATenantIsMadeWholeByDeclaringItAgain) {
  open();
  failing_->arm({.at = 1, .for_ever = true});
  EXPECT_EQ(declare({*eu_, *us_}), Errc::token_unavailable);
  failing_->arm({});
  open();
  EXPECT_EQ(declare({*eu_}), Errc::exists);  // It was to be of both.
  EXPECT_EQ(declare({*us_, *eu_}), std::nullopt);
  EXPECT_EQ(declare({*us_, *eu_}), Errc::exists);
  Tenant half = store_->tenant("half", Actor("test")).value();
  EXPECT_TRUE(half.enrol(SubjectId("alice"), *us_));
}

}  // namespace
}  // namespace efface::test
