// Changing custody of a root key: the keyring opens with the one store or the other, and nothing is
// confirmed before the one that was left holds nothing.
#include <gtest/gtest.h>

#include "custody/several.h"

namespace efface::test {
namespace {

using keyring::ErasureOutcome;

class Custody : public testing::Test {
 protected:
  explicit Custody(Several kind = Several::replicated) : keyring(kind, 2) {
    EXPECT_TRUE(keyring.enrol("alice"));
    EXPECT_TRUE(keyring.enrol("bob"));
  }

  RootKeyStore& from() { return *keyring.stores.whole; }
  Result<ErasureOutcome> migrate(bool accept_lost = false) {
    return keyring->migrate_root({to, accept_lost});
  }
  bool opens_any_before(Epoch epoch) const { return keyring.stores.thief_opens_any_before(epoch); }
  void expect_all_there() {
    EXPECT_TRUE(*keyring.knows("alice"));
    EXPECT_TRUE(*keyring.knows("bob"));
  }

  SeveralKeyring keyring;
  std::shared_ptr<MemoryRootKeyStore> to_memory = std::make_shared<MemoryRootKeyStore>();
  RootKeysThatFail to{to_memory};
};

TEST_F(Custody, RotatingEndsAnEpochAndLosesNobody) {
  const Epoch before = keyring->epoch();
  const auto rotated = keyring->rotate_root();
  ASSERT_TRUE(rotated);
  EXPECT_EQ(rotated->epoch_before, before);
  EXPECT_GT(rotated->epoch_after, before);
  EXPECT_NE(rotated->root_hash_before, rotated->root_hash_after);
  EXPECT_EQ(rotated->replicas, (Replicas{2, 2}));
  EXPECT_FALSE(opens_any_before(rotated->epoch_after));
  ASSERT_TRUE(keyring.open());
  EXPECT_EQ(keyring->epoch(), rotated->epoch_after);
  expect_all_there();
  EXPECT_TRUE(keyring.erase("alice"));
}

TEST_F(Custody, MovesToAnotherStoreAndLeavesNothing) {
  const auto moved = migrate();
  ASSERT_TRUE(moved) << name(moved.error().code());
  EXPECT_GT(moved->epoch_after, moved->epoch_before);
  EXPECT_TRUE(from().list()->empty());
  EXPECT_FALSE(opens_any_before(moved->epoch_after));
  EXPECT_FALSE(keyring->pending());
  expect_all_there();
  ASSERT_TRUE(keyring.erase("alice"));
  EXPECT_EQ(code_of(keyring.open()), Errc::root_key_mismatch);
  ASSERT_TRUE(keyring.open_with(to));
  EXPECT_FALSE(keyring->pending());
  EXPECT_FALSE(*keyring.knows("alice"));
  EXPECT_TRUE(*keyring.knows("bob"));
  EXPECT_EQ(to.anchor()->epoch, keyring->epoch());
}

TEST_F(Custody, MovesOnlyToAStoreThatServesNoKeyring) {
  EXPECT_EQ(code_of(keyring->migrate_root({from()})), Errc::invalid_argument);
  ASSERT_TRUE(to.create(1, Anchor{1, {}, 0, {}}));
  EXPECT_EQ(code_of(migrate()), Errc::root_key_mismatch);
  EXPECT_EQ(to.list()->size(), 1u);
  ASSERT_TRUE(keyring.open());
  expect_all_there();
}

TEST_F(Custody, TakesAStoreThatAnEarlierAttemptHasLeftKeysIn) {
  ASSERT_TRUE(to.create(70, Anchor{}));
  ASSERT_TRUE(to.create(71, Anchor{}));
  const auto moved = migrate();
  ASSERT_TRUE(moved);
  EXPECT_GT(moved->epoch_after, 71u);
  EXPECT_EQ(to.list()->size(), 2u);
}

TEST_F(Custody, ConfirmsNoErasureWhileTheStoreThatWasLeftHoldsKeys) {
  keyring.stores.members[1]->arm({.at = 2, .for_ever = true});
  EXPECT_EQ(code_of(migrate()), Errc::erase_pending);
  keyring.stores.all_well();
  const Epoch moved = keyring->epoch();
  EXPECT_TRUE(opens_any_before(moved));  // It would open old copies.
  ASSERT_TRUE(keyring.open_with(to));
  EXPECT_TRUE(keyring->pending());
  EXPECT_EQ(code_of(keyring.erase("alice")), Errc::erase_pending);
  EXPECT_FALSE(*keyring.knows("alice"));
  EXPECT_EQ(code_of(keyring->rotate_root()), Errc::erase_pending);
  MemoryRootKeyStore third;
  EXPECT_EQ(code_of(keyring->migrate_root({third})), Errc::conflict);
  EXPECT_EQ(code_of(keyring->retire_root(third)), Errc::root_key_mismatch);
  ASSERT_TRUE(keyring->retire_root(from()));
  EXPECT_FALSE(keyring->pending());
  EXPECT_FALSE(opens_any_before(moved));
  EXPECT_TRUE(keyring.erase("bob"));
  EXPECT_EQ(code_of(keyring->retire_root(from())), Errc::root_key_mismatch);  // Done with it.
}

// Breaks off, or fails once, at every call there is, of the store that is left or of the other.
class CustodyFails : public testing::Test {
 protected:
  struct Case {
    std::size_t at;
    bool in_old;
    bool in_new;
    bool for_ever;
    bool has_done_it;
  };

  // Answers whether the call came.
  static bool run(const Case& c) {
    SCOPED_TRACE(testing::Message() << c.at << c.in_old << c.in_new << c.for_ever << c.has_done_it);
    SeveralKeyring keyring(Several::replicated, 2);
    EXPECT_TRUE(keyring.enrol("alice"));
    EXPECT_TRUE(keyring.enrol("bob"));
    const auto memory = std::make_shared<MemoryRootKeyStore>();
    RootKeysThatFail to(memory);
    const auto calls = std::make_shared<std::size_t>(0);
    const RootKeysThatFail::Plan plan{
        .at = c.at, .for_ever = c.for_ever, .has_done_it = c.has_done_it};
    if (c.in_old)
      for (const auto& member : keyring.stores.members) member->arm(plan, calls);
    if (c.in_new) to.arm(plan, calls);
    const auto moved = keyring->migrate_root({to});
    to.arm({});
    keyring.stores.all_well();
    if (moved) {
      EXPECT_TRUE(keyring.stores.whole->list()->empty());
      EXPECT_FALSE(keyring.stores.thief_opens_any_before(moved->epoch_after));
    }
    const bool with_old = keyring.open().has_value();
    const bool with_new = !with_old && keyring.open_with(to).has_value();
    EXPECT_TRUE(with_old || with_new);
    if (!keyring.is_open()) return false;
    if (with_old) {
      EXPECT_FALSE(moved);
      EXPECT_FALSE(keyring.open_with(to));
      EXPECT_TRUE(keyring.open());
      EXPECT_TRUE(keyring->migrate_root({to}));
    } else if (keyring->pending()) {
      EXPECT_FALSE(moved);
      EXPECT_TRUE(keyring->retire_root(*keyring.stores.whole));
    }
    EXPECT_FALSE(keyring->pending());
    EXPECT_FALSE(keyring.stores.thief_opens_any_before(keyring->epoch()));
    EXPECT_TRUE(keyring.stores.whole->list()->empty());
    EXPECT_TRUE(*keyring.knows("alice"));
    EXPECT_TRUE(keyring.erase("bob"));
    EXPECT_TRUE(keyring.open_with(to));
    return *calls >= c.at;
  }

  static void sweep(bool in_old, bool in_new) {
    for (const bool for_ever : {false, true})
      for (const bool has_done_it : {false, true}) {
        std::size_t at = 1;
        while (run({at, in_old, in_new, for_ever, has_done_it}) && !HasFailure()) ++at;
        EXPECT_GT(at, 5u);
      }
  }
};

TEST_F(CustodyFails, InTheStoreThatIsLeftAndTheKeyringOpensWithOneOfThem) { sweep(true, false); }

TEST_F(CustodyFails, InTheStoreThatComesAndTheKeyringOpensWithOneOfThem) { sweep(false, true); }

TEST_F(CustodyFails, InAllAtOnceAndTheKeyringOpensWithOneOfThem) { sweep(true, true); }

TEST_F(Custody, LeavesAStoreOfWhichAPartIsLostOnlyWhenThatIsAccepted) {
  const std::size_t lost[] = {1};
  ASSERT_TRUE(keyring.open(lost));
  EXPECT_EQ(code_of(migrate()), Errc::token_unavailable);
  expect_all_there();
  ASSERT_TRUE(migrate(true));
  EXPECT_FALSE(keyring->pending());
  expect_all_there();
  ASSERT_TRUE(keyring.erase("alice"));
  ASSERT_TRUE(keyring.open_with(to));
  EXPECT_FALSE(keyring->pending());
  EXPECT_TRUE(keyring.stores.memory[0]->list()->empty());
  EXPECT_FALSE(keyring.stores.memory[1]->list()->empty());  // That is what was accepted.
}

class CustodyOfAComposite : public Custody {
 protected:
  CustodyOfAComposite() : Custody(Several::composite) {}
};

TEST_F(CustodyOfAComposite, MovesToReplicasAndBack) {
  SeveralStores replicas(Several::replicated, 2);
  ASSERT_TRUE(keyring->migrate_root({*replicas.whole}));
  EXPECT_TRUE(from().list()->empty());
  SeveralStores parts(Several::composite, 3);
  ASSERT_TRUE(keyring->migrate_root({*parts.whole}));
  EXPECT_TRUE(replicas.whole->list()->empty());
  ASSERT_TRUE(keyring.open_with(*parts.whole));
  expect_all_there();
}

}  // namespace
}  // namespace efface::test
