// Several root key stores, of which any one opens the keyring and all have to forget.
#include <gtest/gtest.h>

#include "custody/several.h"

namespace efface::test {
namespace {

constexpr std::string_view context = "region and root";
using Epochs = std::vector<Epoch>;

bool holds(RootKeyStore& store, Epoch epoch) {
  return std::ranges::count(store.list().value(), epoch) != 0;
}

class Replicated : public testing::Test {
 protected:
  void start() {
    ASSERT_TRUE(whole().create(1, Anchor{}));
    ASSERT_TRUE(whole().create(2, anchor(1)));
  }
  static Anchor anchor(Epoch epoch) { return {epoch, {}, epoch, {}}; }
  RootKeyStore& whole() { return *stores.whole; }
  RootKeyStore& member(std::size_t i) { return *stores.memory[i]; }
  std::vector<std::byte> wrap(Epoch epoch) {
    return whole().wrap(epoch, as_bytes(context), std::as_const(key_).bytes()).value();
  }
  Errc unwrap(Epoch epoch, Bytes wrapped) {
    auto out = crypto::SecretKey::zeroed();
    const Status opened = whole().unwrap(epoch, as_bytes(context), wrapped, out.bytes());
    if (opened) {
      EXPECT_TRUE(crypto::equal(out.bytes(), key_.bytes()));
    }
    return code_of(opened);
  }
  void fail(std::size_t i, RootKeysThatFail::Plan plan = {.at = 1, .for_ever = true}) {
    stores.members[i]->arm(plan);
  }

  SeveralStores stores{Several::replicated, 3};

 private:
  crypto::SecretKey key_ = crypto::SecretKey::random();
};

TEST_F(Replicated, UnwrapsWithAnyReplicaThatAnswers) {
  start();
  const auto wrapped = wrap(1);
  EXPECT_LE(wrapped.size(), RootKeyStore::wrapped_bytes_max);
  for (std::size_t one = 0; one < 3; ++one) {
    stores.all_well();
    for (std::size_t i = 0; i < 3; ++i)
      if (i != one) fail(i);
    EXPECT_EQ(unwrap(1, wrapped), Errc{});
    EXPECT_EQ(whole().list().value(), (Epochs{1, 2}));
    EXPECT_EQ(whole().anchor().value(), anchor(1));
  }
  fail(0), fail(1), fail(2);
  EXPECT_EQ(unwrap(1, wrapped), Errc::token_unavailable);
  EXPECT_EQ(code_of(whole().list()), Errc::token_unavailable);
}

TEST_F(Replicated, SaysThatAnEpochIsMissingOnlyWhenAllHaveBeenAsked) {
  start();
  const auto wrapped = wrap(1);
  ASSERT_TRUE(member(0).destroy(1));
  ASSERT_TRUE(member(1).destroy(1));
  fail(2);
  EXPECT_EQ(unwrap(1, wrapped), Errc::token_unavailable);
  stores.all_well();
  EXPECT_EQ(unwrap(1, wrapped), Errc{});
  ASSERT_TRUE(member(2).destroy(1));
  EXPECT_EQ(unwrap(1, wrapped), Errc::root_key_missing);
}

TEST_F(Replicated, HasDestroyedOnlyWhenAllConfirm) {
  start();
  const auto wrapped = wrap(1);
  fail(1);
  EXPECT_EQ(code_of(whole().rotate(1, 3, anchor(2))), Errc::token_unavailable);
  EXPECT_EQ(whole().replicas(), (Replicas{2, 3}));
  stores.all_well();
  EXPECT_FALSE(holds(member(0), 1));
  EXPECT_FALSE(holds(member(2), 1));      // It went on after the failure.
  EXPECT_EQ(unwrap(1, wrapped), Errc{});  // The one still opens it: the control of this.
  EXPECT_EQ(whole().list().value(), (Epochs{1, 2, 3}));
  ASSERT_TRUE(whole().destroy(1));
  ASSERT_TRUE(whole().rotate(3, 4, anchor(2)));
  EXPECT_EQ(whole().replicas(), (Replicas{3, 3}));
  EXPECT_EQ(unwrap(1, wrapped), Errc::root_key_missing);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(member(i).list().value(), (Epochs{2, 4}));
}

TEST_F(Replicated, MakesAndWrapsWithAllOfThemOrNot) {
  start();
  fail(2);
  EXPECT_EQ(code_of(whole().wrap(1, as_bytes(context), crypto::SecretKey::random().bytes())),
            Errc::token_unavailable);
  ASSERT_EQ(code_of(whole().rotate(1, 3, anchor(2))), Errc::token_unavailable);
  EXPECT_EQ(code_of(whole().create(4, anchor(2))), Errc::token_unavailable);
}

TEST_F(Replicated, NoticesAReplicaThatConfirmsAndListsWhatItDestroyed) {
  auto kept = std::make_shared<MemoryRootKeyStore>();
  RootKeysThatAreKept liar(kept);
  RootKeyStore* const both[] = {stores.memory[0].get(), &liar};
  const auto joined = ReplicatedRootKeyStore::over(both).value();
  ASSERT_TRUE(joined->create(1, Anchor{}));
  ASSERT_TRUE(joined->create(2, anchor(1)));
  EXPECT_EQ(code_of(joined->rotate(1, 3, anchor(2))), Errc::io);
  EXPECT_EQ(joined->replicas(), (Replicas{1, 2}));
}

TEST_F(Replicated, RefusesAReplicaOfWhichAnOldCopyWasPutBack) {
  start();
  for (Epoch epoch = 1; epoch < 3; ++epoch)
    ASSERT_TRUE(whole().rotate(epoch, epoch + 2, anchor(epoch + 1)));
  for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(member(i).rotate(3, 5, anchor(4)));
  EXPECT_EQ(member(2).list().value(), (Epochs{3, 4}));  // One step behind, as after a crash.
  EXPECT_EQ(whole().anchor().value(), anchor(4));
  for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(member(i).rotate(4, 6, anchor(5)));
  EXPECT_EQ(code_of(whole().anchor()), Errc::root_key_mismatch);
  EXPECT_EQ(code_of(whole().rotate(4, 7, anchor(5))), Errc::root_key_mismatch);
  EXPECT_TRUE(holds(member(0), 5));  // Nothing goes but what was named.
}

TEST_F(Replicated, WithOneAbsentIsTheSameStore) {
  start();
  const auto wrapped = wrap(2);
  const RootKeyStore::StoreId id = whole().id();
  const std::size_t away[] = {1};
  stores.reopen(away);
  EXPECT_EQ(whole().id(), id);
  EXPECT_EQ(whole().replicas(), (Replicas{2, 3}));
  EXPECT_EQ(unwrap(2, wrapped), Errc{});
  EXPECT_EQ(code_of(whole().rotate(1, 3, anchor(2))), Errc::token_unavailable);
  EXPECT_EQ(code_of(whole().destroy(1)), Errc::token_unavailable);
}

TEST_F(Replicated, WithoutOneIsAnotherStore) {
  RootKeyStore* const two[] = {stores.memory[0].get(), stores.memory[1].get()};
  EXPECT_NE(ReplicatedRootKeyStore::over(two).value()->id(), whole().id());
}

TEST_F(Replicated, IsAsGoodAsItsWorst) {
  stores.memory[0]->level = AssuranceLevel::l3_token;
  EXPECT_EQ(whole().assurance().level, AssuranceLevel::l1_overwritten);
  stores.memory[1]->level = AssuranceLevel::l0_logical;
  EXPECT_EQ(whole().assurance().level, AssuranceLevel::l0_logical);
}

TEST_F(Replicated, MayBeAMemberOfAComposite) {
  MemoryRootKeyStore token;
  RootKeyStore* const both[] = {stores.whole.get(), &token};
  const auto joined = CompositeRootKeyStore::over(both).value();
  ASSERT_TRUE(joined->create(1, Anchor{}));
  const auto key = crypto::SecretKey::random();
  const auto wrapped = joined->wrap(1, as_bytes(context), key.bytes());
  ASSERT_TRUE(wrapped);
  fail(0);
  auto out = crypto::SecretKey::zeroed();
  EXPECT_TRUE(joined->unwrap(1, as_bytes(context), *wrapped, out.bytes()));
  EXPECT_TRUE(crypto::equal(out.bytes(), key.bytes()));
  ASSERT_TRUE(token.destroy(1));
  EXPECT_EQ(code_of(joined->unwrap(1, as_bytes(context), *wrapped, out.bytes())),
            Errc::root_key_missing);
}

TEST(ReplicatedKeyring, ErasesWithAllReplicas) {
  SeveralKeyring keyring(Several::replicated, 2);
  ASSERT_TRUE(keyring.enrol("alice"));
  const auto erased = keyring.erase("alice");
  ASSERT_TRUE(erased);
  EXPECT_EQ(erased->replicas, (Replicas{2, 2}));
  EXPECT_FALSE(keyring.stores.thief_opens_any_before(erased->epoch_after));
}

TEST(ReplicatedKeyring, OfWhichOneReplicaLiesIsFoundOut) {  // The control.
  SeveralKeyring keyring(Several::replicated, 2);
  keyring.stores.memory[1]->lying = true;
  ASSERT_TRUE(keyring.enrol("alice"));
  const auto erased = keyring.erase("alice");
  ASSERT_TRUE(erased);
  EXPECT_TRUE(keyring.stores.thief_opens_any_before(erased->epoch_after));
}

TEST(ReplicatedKeyring, LeavesAnErasurePendingUntilAllHaveConfirmed) {
  SeveralKeyring keyring(Several::replicated, 2);
  ASSERT_TRUE(keyring.enrol("alice"));
  ASSERT_TRUE(keyring.enrol("bob"));
  const Epoch before = keyring->epoch();
  keyring.stores.members[1]->arm({.at = 4, .for_ever = true});  // Lists, wraps, and is gone.
  EXPECT_EQ(code_of(keyring.erase("alice")), Errc::erase_pending);
  EXPECT_TRUE(keyring->pending());
  EXPECT_FALSE(*keyring.knows("alice"));  // Forgotten here all the same.
  EXPECT_TRUE(keyring.stores.thief_opens_any_before(before + 1));
  EXPECT_EQ(code_of(keyring.erase("bob")), Errc::token_unavailable);  // Nobody else meanwhile.
  EXPECT_TRUE(*keyring.knows("bob"));
  EXPECT_NE(code_of(keyring->settle()), Errc{});
  keyring.stores.all_well();
  EXPECT_TRUE(keyring->settle());
  EXPECT_FALSE(keyring->pending());
  EXPECT_FALSE(keyring.stores.thief_opens_any_before(before + 1));
  EXPECT_TRUE(keyring.erase("bob"));
}

TEST(ReplicatedKeyring, IsReadWithAReplicaAbsentAndErasesWhenItIsBack) {
  SeveralKeyring keyring(Several::replicated, 3);
  ASSERT_TRUE(keyring.enrol("alice"));
  const std::size_t away[] = {2};
  ASSERT_TRUE(keyring.open(away));
  EXPECT_TRUE(keyring->pending());
  EXPECT_EQ(keyring->replicas(), (Replicas{2, 3}));
  EXPECT_TRUE(*keyring.knows("alice"));
  EXPECT_EQ(code_of(keyring.erase("alice")), Errc::token_unavailable);
  EXPECT_TRUE(*keyring.knows("alice"));
  ASSERT_TRUE(keyring.open(away));  // As often as one likes.
  ASSERT_TRUE(keyring.open());
  EXPECT_FALSE(keyring->pending());
  const auto erased = keyring.erase("alice");
  ASSERT_TRUE(erased);
  EXPECT_EQ(erased->replicas, (Replicas{3, 3}));
  EXPECT_FALSE(keyring.stores.thief_opens_any_before(erased->epoch_after));
}

TEST(ReplicatedKeyring, ResumesAnErasureThatAReplicaMissedAfterTheProcessHasEnded) {
  SeveralKeyring keyring(Several::replicated, 2);
  ASSERT_TRUE(keyring.enrol("alice"));
  keyring.stores.members[0]->arm({.at = 4, .for_ever = true});
  EXPECT_EQ(code_of(keyring.erase("alice")), Errc::erase_pending);
  const Epoch now = keyring->epoch();
  keyring.stores.all_well();
  ASSERT_TRUE(keyring.open());
  EXPECT_FALSE(keyring->pending());
  EXPECT_EQ(keyring->epoch(), now);
  EXPECT_FALSE(keyring.stores.thief_opens_any_before(now));
}

}  // namespace
}  // namespace efface::test
