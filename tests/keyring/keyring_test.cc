#include <thread>

#include "keyring/keyring_fixture.h"

namespace efface::keyring::test {
namespace {

using KeyringClaim = KeyringTest;

TEST_F(KeyringClaim, HoldsTheEpochInForceAndOneSpare) {
  const auto held = root_keys_.list();
  ASSERT_EQ(held->size(), 2u);
  EXPECT_EQ(held->front(), keyring_->epoch());
}

TEST_F(KeyringClaim, AnErasureEndsOneEpochAndDestroysItsRootKey) {
  const TenantRef tenant = add_tenant("acme");
  const auto tags = some_tags(3);
  enrol(tenant, tags);
  const Epoch before = keyring_->epoch();
  const auto outcome = erase(tenant, tags[1]);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->epoch_before, before);
  EXPECT_GT(outcome->epoch_after, before);
  EXPECT_NE(outcome->root_hash_before, outcome->root_hash_after);
  const auto held = root_keys_.list();
  EXPECT_EQ(held->front(), outcome->epoch_after);
  EXPECT_FALSE(known(tenant, tags[1]));
  EXPECT_TRUE(known(tenant, tags[0]));
}

TEST_F(KeyringClaim, ErasingNobodyEndsNoEpoch) {
  const TenantRef tenant = add_tenant("acme");
  const Epoch before = keyring_->epoch();
  bool removed = true;
  const auto outcome = erase(tenant, some_tags(1)[0], &removed);
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(removed);
  EXPECT_EQ(outcome->epoch_after, before);
  EXPECT_EQ(keyring_->epoch(), before);
}

TEST_F(KeyringClaim, WhoWasEnrolledAgainIsNotErasedForTheOneBefore) {
  const TenantRef tenant = add_tenant("acme");
  const auto tags = some_tags(1);
  const Handle first = enrol(tenant, tags)[0];
  ASSERT_TRUE(erase(tenant, tags[0]));
  const Handle second = enrol(tenant, tags)[0];
  EXPECT_NE(first, second);
  Removal removal;
  removal.tenant = tenant;
  removal.tag = tags[0];
  removal.only_if_person = first;
  ASSERT_TRUE(keyring_->erase({&removal, 1}));
  EXPECT_FALSE(removal.removed);
  EXPECT_TRUE(known(tenant, tags[0]));
}

TEST_F(KeyringClaim, AScopeIsMadeOnlyBesideAPerson) {
  const TenantRef tenant = add_tenant("acme");
  Ensure row;
  row.tag = some_tags(1)[0];
  row.label = 4;
  row.needs_person = true;
  const auto held = keyring_->lock();
  ASSERT_TRUE(keyring_->ensure(*held, {tenant, TreeKind::subjects}, {&row, 1}));
  EXPECT_TRUE(row.person_missing);
  EXPECT_FALSE(row.created);
  EXPECT_FALSE(known(tenant, row.tag));
}

TEST_F(KeyringClaim, RemovingAScopeLeavesThePersonAndHerOtherScopes) {
  const TenantRef tenant = add_tenant("acme");
  const auto tags = some_tags(1);
  std::vector<Ensure> rows(3);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].tag = tags[0];
    rows[i].label = static_cast<Label>(i);
  }
  {
    const auto held = keyring_->lock();
    ASSERT_TRUE(keyring_->ensure(*held, {tenant, TreeKind::subjects}, rows));
  }
  Removal removal;
  removal.tenant = tenant;
  removal.what = Removal::What::scope;
  removal.tag = tags[0];
  removal.label = 1;
  ASSERT_TRUE(keyring_->erase({&removal, 1}));
  EXPECT_TRUE(removal.removed);
  const auto keys = *keyring_->keys({tenant, TreeKind::subjects}, tags[0]);
  EXPECT_NE(keys->find(0), nullptr);
  EXPECT_EQ(keys->find(1), nullptr);
  EXPECT_NE(keys->find(2), nullptr);
}

TEST_F(KeyringClaim, OffBoardingTakesTheTenantAndLeavesTheOthers) {
  const TenantRef acme = add_tenant("acme");
  const TenantRef zeta = add_tenant("zeta");
  const auto tags = some_tags(200);
  enrol(acme, tags);
  enrol(zeta, tags);
  Removal removal;
  removal.tenant = acme;
  removal.what = Removal::What::tenant;
  ASSERT_TRUE(keyring_->erase({&removal, 1}));
  EXPECT_TRUE(removal.removed);
  EXPECT_EQ(keyring_->keys({acme, TreeKind::subjects}, tags[0]).error().code(),
            Errc::tenant_unknown);
  EXPECT_TRUE(known(zeta, tags[0]));
  const auto tenants = keyring_->tenants();
  ASSERT_TRUE(tenants);
  ASSERT_EQ(tenants->size(), 1u);
  EXPECT_EQ(tenants->front().tenant, zeta);
}

TEST_F(KeyringClaim, ATenantsNumberIsNeverUsedAgain) {
  const TenantRef first = add_tenant("acme");
  Removal removal;
  removal.tenant = first;
  removal.what = Removal::What::tenant;
  ASSERT_TRUE(keyring_->erase({&removal, 1}));
  EXPECT_GT(add_tenant("acme").number, first.number);
}

TEST_F(KeyringClaim, AnOldKeyringIsRefusedAfterAnErasure) {
  const TenantRef tenant = add_tenant("acme");
  const auto tags = some_tags(2);
  enrol(tenant, tags);
  keyring_.reset();
  std::filesystem::copy(home_ / "keyring", home_ / "old");
  open();
  ASSERT_TRUE(erase(tenant, tags[0]));
  keyring_.reset();
  std::filesystem::remove_all(home_ / "keyring");
  std::filesystem::rename(home_ / "old", home_ / "keyring");
  std::filesystem::permissions(home_ / "keyring", std::filesystem::perms::owner_all);
  const auto opened = Keyring::open(directory(), options_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::keyring_stale);
}

TEST_F(KeyringClaim, ARootKeyStoreOfAnotherKeyringIsRefused) {
  keyring_.reset();
  MemoryRootKeyStore other;
  ASSERT_TRUE(other.create(1, {}));
  KeyringOptions wrong = options_;
  wrong.root_keys = &other;
  EXPECT_EQ(Keyring::open(directory(), wrong).error().code(), Errc::root_key_mismatch);
}

// An attempt before was cut off between the two.
TEST_F(KeyringClaim, IsMadeUnderTheEpochThatARootKeyStoreHasAlready) {
  std::filesystem::create_directory(home_ / "second");
  std::filesystem::permissions(home_ / "second", std::filesystem::perms::owner_all);
  MemoryRootKeyStore store;
  ASSERT_TRUE(store.create(7, Anchor{}));
  KeyringOptions options = options_;
  options.root_keys = &store;
  const auto second = os::Directory::open(home_ / "second");
  ASSERT_TRUE(Keyring::create(*second, options));
  const auto opened = Keyring::open(*second, options);
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->epoch(), 7u);
}

TEST_F(KeyringClaim, ARootKeyStoreServesOneKeyring) {
  std::filesystem::create_directory(home_ / "second");
  std::filesystem::permissions(home_ / "second", std::filesystem::perms::owner_all);
  const auto second = os::Directory::open(home_ / "second");
  EXPECT_EQ(Keyring::create(*second, options_).error().code(), Errc::root_key_mismatch);
}

TEST_F(KeyringClaim, AStoreThatDoesNotConfirmLeavesTheErasurePendingAndTheNextOneFinishesIt) {
  const TenantRef tenant = add_tenant("acme");
  const auto tags = some_tags(2);
  enrol(tenant, tags);
  const Epoch before = keyring_->epoch();
  root_keys_.fail_next_rotate = true;
  const auto outcome = erase(tenant, tags[0]);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Errc::erase_pending);
  EXPECT_FALSE(known(tenant, tags[0]));  // Forgotten here all the same.
  EXPECT_TRUE(keyring_->stats()->erase_pending);
  EXPECT_EQ(root_keys_.list()->front(), before);
  ASSERT_TRUE(keyring_->settle());
  EXPECT_FALSE(keyring_->stats()->erase_pending);
  EXPECT_GT(root_keys_.list()->front(), before);
  ASSERT_TRUE(erase(tenant, tags[1]));
}

TEST_F(KeyringClaim, APendingDestructionIsFinishedOnOpen) {
  const TenantRef tenant = add_tenant("acme");
  const auto tags = some_tags(2);
  enrol(tenant, tags);
  const Epoch before = keyring_->epoch();
  root_keys_.fail_next_rotate = true;
  ASSERT_FALSE(erase(tenant, tags[0]));
  open();
  EXPECT_GT(root_keys_.list()->front(), before);
  EXPECT_FALSE(known(tenant, tags[0]));
  EXPECT_TRUE(known(tenant, tags[1]));
}

TEST_F(KeyringClaim, OpeningReplacesTheSpareBecauseAnAttemptMayHaveUsedIt) {
  const auto before = *root_keys_.list();
  open();
  const auto after = *root_keys_.list();
  EXPECT_EQ(after.front(), before.front());
  EXPECT_GT(after.back(), before.back());
}

TEST_F(KeyringClaim, ErasuresThatWaitAtTheSameTimeAreFewerEpochs) {
  const TenantRef tenant = add_tenant("acme");
  const auto tags = some_tags(64);
  enrol(tenant, tags);
  const std::size_t before = root_keys_.rotations;
  {
    // All of them wait behind this writer.
    auto held = keyring_->lock();
    ASSERT_TRUE(held);
    std::vector<std::jthread> threads;
    for (const Tag& tag : tags) threads.emplace_back([&, tag] { EXPECT_TRUE(erase(tenant, tag)); });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    held->unlock();
  }
  for (const Tag& tag : tags) EXPECT_FALSE(known(tenant, tag));
  EXPECT_LT(root_keys_.rotations - before, tags.size());
}

TEST_F(KeyringClaim, ErasedHandlesQueueForReclaimInTheSameCommit) {
  const TenantRef tenant = add_tenant("acme");
  const auto tags = some_tags(3);
  const auto handles = enrol(tenant, tags);
  ASSERT_TRUE(erase(tenant, tags[2]));
  const auto next = keyring_->next_reclaim();
  ASSERT_TRUE(next);
  ASSERT_TRUE(*next);
  EXPECT_EQ((*next)->handles, std::vector<Handle>{handles[2]});
  ASSERT_TRUE(keyring_->finish_reclaim((*next)->sequence));
  EXPECT_FALSE(*keyring_->next_reclaim());
}

TEST_F(KeyringClaim, ReadersSeeAPersonOrNobodyWhileOthersAreErased) {
  const TenantRef tenant = add_tenant("acme");
  const auto tags = some_tags(300);
  enrol(tenant, tags);
  std::atomic<std::size_t> erased{0};
  std::jthread reader([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      const std::size_t first_alive = erased;
      EXPECT_TRUE(known(tenant, tags[299]));
      if (first_alive == 0) continue;
      EXPECT_FALSE(known(tenant, tags[first_alive - 1]));
    }
  });
  for (std::size_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(erase(tenant, tags[i]));
    erased = i + 1;
  }
}

TEST_F(KeyringClaim, TermsAreReadBackAndReplaced) {
  const TenantRef tenant = add_tenant("acme");
  {
    const auto held = keyring_->lock();
    ASSERT_TRUE(keyring_->set_terms(*held, tenant, as_bytes("other terms")));
  }
  open();
  const auto tenants = keyring_->tenants();
  ASSERT_TRUE(tenants);
  EXPECT_EQ(as_text(tenants->at(0).terms), "other terms");
}

}  // namespace
}  // namespace efface::keyring::test
