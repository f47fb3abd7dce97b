// A root key store that answers what none should: what a keyring says then.
#include "keyring/keyring_fixture.h"
#include "os/lock.h"

namespace efface::keyring::test {
namespace {

using efface::test::RootKeysOver;

// Answers as the one below it, unless a test says what else.
class OddRootKeys final : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;

  std::function<Result<std::vector<Epoch>>(Result<std::vector<Epoch>>)> listed;
  std::function<Status(Epoch)> destroying;
  std::function<Status(Epoch)> creating;
  std::optional<Errc> no_anchor;
  bool unwraps_another = false;
  std::function<void()> unwrapped;  // Called once.

  Result<std::vector<Epoch>> list() override {
    auto held = RootKeysOver::list();
    return listed ? listed(std::move(held)) : held;
  }
  Result<Anchor> anchor() override {
    if (no_anchor) return Error(*no_anchor, "told to fail");
    return RootKeysOver::anchor();
  }
  Status create(Epoch epoch, const Anchor& anchor) override {
    if (creating)
      if (Status answer = creating(epoch); !answer) return answer;
    return RootKeysOver::create(epoch, anchor);
  }
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override {
    if (Status done = RootKeysOver::unwrap(epoch, context, wrapped, out); !done) return done;
    if (unwraps_another) out[0] ^= std::byte{1};
    if (unwrapped) std::exchange(unwrapped, nullptr)();
    return {};
  }
  Status destroy(Epoch epoch) override {
    return destroying ? destroying(epoch) : RootKeysOver::destroy(epoch);
  }
};

Status told_to_fail(Epoch) { return Error(Errc::token_unavailable, "told to fail"); }

std::shared_ptr<RootKeyStore> borrowed(RootKeyStore& store) {
  return {&store, [](RootKeyStore*) {}};
}

class OddRootKeyStore : public KeyringTest {
 protected:
  void SetUp() override {
    KeyringTest::SetUp();
    options_.root_keys = &odd_;
    open();
  }
  TenantRef with_somebody(const Tag& tag) {
    const TenantRef tenant = add_tenant("acme");
    enrol(tenant, {&tag, 1});
    return tenant;
  }
  OddRootKeys odd_{borrowed(root_keys_)};
  void TearDown() override { keyring_.reset(); }

  MemoryRootKeyStore next_keys_;
  OddRootKeys next_{borrowed(next_keys_)};
};

TEST_F(OddRootKeyStore, ThatUnwrapsAnotherKeyAfterACommitLatchesTheKeyring) {
  const Tag her = crypto::random_id();
  const TenantRef tenant = with_somebody(her);
  odd_.unwraps_another = true;
  EXPECT_EQ(said(erase(tenant, her)), "outcome_unknown");
  EXPECT_EQ(said(keyring_->lock()), "closed");
  EXPECT_EQ(said(keyring_->keys({tenant, TreeKind::subjects}, her)), "closed");
  EXPECT_EQ(said(keyring_->next_reclaim()), "closed");
  EXPECT_EQ(said(erase(tenant, her)), "closed");
  odd_.unwraps_another = false;
  open();
  EXPECT_FALSE(known(tenant, her));
}

TEST_F(OddRootKeyStore, ThatHoldsNothingAndRemembersNothingHasLostTheKey) {
  odd_.listed = [](auto) { return std::vector<Epoch>(); };
  EXPECT_EQ(said(try_open()), "keyring_stale");  // It remembers an epoch.
  MemoryRootKeyStore none;
  class Namesake final : public RootKeysOver {
   public:
    Namesake(std::shared_ptr<RootKeyStore> store, StoreId id)
        : RootKeysOver(std::move(store)), id_(id) {}
    StoreId id() const override { return id_; }

   private:
    StoreId id_;
  } namesake(borrowed(none), odd_.id());
  options_.root_keys = &namesake;
  EXPECT_EQ(said(try_open()), "root_key_missing");
}

TEST_F(OddRootKeyStore, ThatLosesTheKeyInForceMeanwhileIsNoticedBeforeAnEpochEnds) {
  const Tag her = crypto::random_id();
  const TenantRef tenant = with_somebody(her);
  odd_.listed = [](auto held) {
    held->erase(held->begin());
    return held;
  };
  EXPECT_EQ(said(erase(tenant, her)), "keyring_stale");
  EXPECT_EQ(said(keyring_->rotate_root()), "keyring_stale");
  EXPECT_TRUE(known(tenant, her));
}

TEST_F(OddRootKeyStore, ThatDoesNotSayWhatItHoldsLeavesEverythingAsItIs) {
  const Tag her = crypto::random_id();
  const TenantRef tenant = with_somebody(her);
  odd_.listed = [](auto) -> Result<std::vector<Epoch>> { return told_to_fail(0).error(); };
  EXPECT_EQ(said(erase(tenant, her)), "token_unavailable");
  EXPECT_EQ(said(keyring_->rotate_root()), "token_unavailable");
  EXPECT_EQ(said(keyring_->migrate_root({next_})), "token_unavailable");
  EXPECT_EQ(said(try_open()), "token_unavailable");
  odd_.listed = nullptr;
  odd_.no_anchor = Errc::token_unavailable;
  EXPECT_EQ(said(try_open()), "token_unavailable");
  odd_.no_anchor.reset();
  open();
  EXPECT_TRUE(known(tenant, her));
  odd_.no_anchor = Errc::token_unavailable;
  EXPECT_EQ(said(keyring_->check([](std::uint64_t) {})), "token_unavailable");
}

TEST_F(OddRootKeyStore, ThatIsMovedToIsCleanFirst) {
  ASSERT_TRUE(next_keys_.create(4, Anchor{}));  // Of an attempt that came to nothing.
  next_.destroying = told_to_fail;
  EXPECT_EQ(said(keyring_->migrate_root({next_})), "token_unavailable");
  next_.destroying = nullptr;
  next_.listed = [](auto) -> Result<std::vector<Epoch>> { return told_to_fail(0).error(); };
  EXPECT_EQ(said(keyring_->migrate_root({next_})), "token_unavailable");
  next_.listed = nullptr;
  next_.no_anchor = Errc::token_unavailable;
  EXPECT_EQ(said(keyring_->migrate_root({next_})), "token_unavailable");
  next_.no_anchor.reset();
  next_.creating = told_to_fail;
  EXPECT_EQ(said(keyring_->migrate_root({next_})), "token_unavailable");
  next_.creating = [](Epoch) -> Status { return Error(Errc::exists, "told to have seen it"); };
  EXPECT_EQ(said(keyring_->migrate_root({next_})), "root_key_mismatch");
  int seen = 3;
  next_.creating = [&](Epoch) -> Status {
    if (seen-- > 0) return Error(Errc::exists, "told to have seen it");
    return {};
  };
  ASSERT_EQ(said(keyring_->migrate_root({next_})), "");
  const auto held = next_keys_.list();
  EXPECT_EQ(std::ranges::count(*held, Epoch{4}), 0);
  options_.root_keys = &next_;
  open();
}

TEST_F(OddRootKeyStore, ThatWasLeftIsRetiredOnceItHoldsNothing) {
  odd_.destroying = [](Epoch) -> Status { return {}; };  // And it has done nothing.
  EXPECT_EQ(said(keyring_->migrate_root({next_})), "erase_pending");
  EXPECT_EQ(said(keyring_->retire_root(next_)), "root_key_mismatch");
  EXPECT_EQ(said(keyring_->retire_root(odd_)), "io");
  odd_.destroying = told_to_fail;
  EXPECT_EQ(said(keyring_->retire_root(odd_)), "token_unavailable");
  odd_.listed = [](auto) -> Result<std::vector<Epoch>> { return told_to_fail(0).error(); };
  EXPECT_EQ(said(keyring_->retire_root(odd_)), "token_unavailable");
  next_.listed = odd_.listed;
  EXPECT_EQ(said(keyring_->retire_root(odd_)), "token_unavailable");
  next_.listed = nullptr;
  EXPECT_EQ(said(keyring_->migrate_root({odd_})), "conflict");
  EXPECT_EQ(said(keyring_->rotate_root()), "erase_pending");
  options_.root_keys = &next_;
  open();  // What is left to do is known after reopening too.
  odd_.destroying = nullptr;
  odd_.listed = nullptr;
  ASSERT_TRUE(keyring_->retire_root(odd_));
  EXPECT_EQ(said(keyring_->retire_root(odd_)), "root_key_mismatch");
  EXPECT_TRUE(root_keys_.list()->empty());
  ASSERT_TRUE(keyring_->rotate_root());
}

// As on a disk that gives another root's id the second time: whoever learns a root asks the store.
TEST_F(OddRootKeyStore, ThatIsBeingAskedIsNotWaitedForWhenTheRecordMakesNoSense) {
  keyring_.reset();
  ASSERT_TRUE(os::File::create(directory(), "processes"));
  options_.processes = os::ByteLocks::open(directory(), "processes").value();
  odd_.unwrapped = [&] {
    tamper_beside([](storage::WriteTxn& txn) {
      const Bytes found = **txn.get(root_record_key);
      std::vector<std::byte> record(found.begin(), found.end());
      record[16] ^= std::byte{1};
      EXPECT_TRUE(txn.put(root_record_key, record));
    });
  };
  open();
  EXPECT_EQ(said(keyring_->tenants()), "corruption");
}

// Of several stores, which are one, some have destroyed what others have not.
TEST_F(OddRootKeyStore, ThatHoldsMoreThanASpareDestroysIt) {
  const Epoch in_force = keyring_->epoch();
  std::vector<Epoch> destroyed;
  odd_.listed = [&](auto held) {
    held->push_back(held->back() + 1);
    return held;
  };
  odd_.destroying = [&](Epoch epoch) -> Status {
    destroyed.push_back(epoch);
    return {};
  };
  static_cast<void>(try_open());
  ASSERT_FALSE(destroyed.empty());
  EXPECT_EQ(std::ranges::count(destroyed, in_force), 0);
  odd_.destroying = told_to_fail;
  EXPECT_EQ(said(try_open()), "token_unavailable");
}

}  // namespace
}  // namespace efface::keyring::test
