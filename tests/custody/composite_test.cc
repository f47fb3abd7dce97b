// Several root key stores, of which any one that forgets is enough.
#include <gtest/gtest.h>

#include "custody/several.h"

namespace efface::test {
namespace {

constexpr std::string_view context = "region and root";

class Composite : public testing::Test {
 protected:
  explicit Composite(std::size_t count = 2) : stores(Several::composite, count) {}

  void start(Epoch first = 1) {
    ASSERT_TRUE(whole().create(first, Anchor{}));
    ASSERT_TRUE(whole().create(first + 1, anchor(first)));
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

  SeveralStores stores;

 private:
  crypto::SecretKey key_ = crypto::SecretKey::random();
};

class CompositeOfThree : public Composite {
 protected:
  CompositeOfThree() : Composite(3) {}
};

using Epochs = std::vector<Epoch>;

TEST_F(CompositeOfThree, WrapsWithAllItsMembersAndUnwraps) {
  start();
  const auto wrapped = wrap(1);
  EXPECT_LE(wrapped.size(), RootKeyStore::wrapped_bytes_max);
  EXPECT_EQ(unwrap(1, wrapped), Errc{});
  EXPECT_EQ(unwrap(2, wrapped), Errc::corruption);
  EXPECT_EQ(unwrap(3, wrapped), Errc::root_key_missing);
  auto out = crypto::SecretKey::zeroed();
  EXPECT_EQ(code_of(whole().unwrap(1, as_bytes("another"), wrapped, out.bytes())),
            Errc::corruption);
}

TEST_F(CompositeOfThree, HasLostAnEpochWhenAnyMemberHas) {
  for (std::size_t i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    const Epoch epoch = 10 * (i + 1);
    ASSERT_TRUE(whole().create(epoch, i == 0 ? Anchor{} : anchor(epoch - 9)));
    if (i != 0) {
      ASSERT_TRUE(whole().destroy(epoch - 9));
    }
    const auto wrapped = wrap(epoch);
    EXPECT_EQ(unwrap(epoch, wrapped), Errc{});
    ASSERT_TRUE(whole().create(epoch + 1, anchor(epoch)));
    ASSERT_TRUE(member(i).destroy(epoch));
    EXPECT_EQ(unwrap(epoch, wrapped), Errc::root_key_missing);
    EXPECT_EQ(whole().list().value(), Epochs{epoch + 1});
  }
}

TEST_F(Composite, OfWhichOneMemberIsMissingCannotBeUnwrapped) {
  start();
  const auto wrapped = wrap(1);
  fail(0);
  EXPECT_EQ(unwrap(1, wrapped), Errc::token_unavailable);
  EXPECT_EQ(whole().list().value(), (Epochs{1, 2}));  // For all that is known.
  EXPECT_EQ(code_of(whole().anchor()), Errc::token_unavailable);
  ASSERT_TRUE(member(1).destroy(1));
  EXPECT_EQ(unwrap(1, wrapped), Errc::root_key_missing);  // That is known without the other.
}

TEST_F(Composite, HasDestroyedWhenOneMemberConfirms) {
  start();
  const auto wrapped = wrap(1);
  stores.memory[0]->level = AssuranceLevel::l3_token;
  EXPECT_EQ(whole().assurance().level, AssuranceLevel::l4_composite);
  fail(0);
  EXPECT_TRUE(whole().rotate(1, 3, anchor(2)));
  EXPECT_EQ(whole().replicas(), (Replicas{1, 2}));
  EXPECT_EQ(whole().assurance().level, AssuranceLevel::l1_overwritten);  // Of who confirmed.
  stores.all_well();
  EXPECT_EQ(unwrap(1, wrapped), Errc::root_key_missing);
  EXPECT_EQ(whole().list().value(), Epochs{2});
  EXPECT_EQ(member(0).list().value(), (Epochs{1, 2}));  // What is left.
}

TEST_F(Composite, DestroysWhatIsLeftBeforeItMakesAnother) {
  start();
  fail(0);
  ASSERT_TRUE(whole().rotate(1, 3, anchor(2)));
  EXPECT_EQ(code_of(whole().create(4, anchor(2))), Errc::token_unavailable);
  stores.all_well();
  ASSERT_TRUE(whole().create(4, anchor(2)));
  EXPECT_EQ(member(0).list().value(), (Epochs{2, 4}));
  EXPECT_EQ(member(1).list().value(), (Epochs{2, 4}));
  EXPECT_EQ(whole().replicas(), (Replicas{2, 2}));
}

TEST_F(Composite, ThatNobodyConfirmsHasDestroyedNothing) {
  start();
  const auto wrapped = wrap(1);
  fail(0);
  fail(1);
  EXPECT_EQ(code_of(whole().rotate(1, 3, anchor(2))), Errc::token_unavailable);
  EXPECT_EQ(code_of(whole().destroy(1)), Errc::token_unavailable);
  EXPECT_EQ(whole().replicas(), (Replicas{0, 2}));
  stores.all_well();
  EXPECT_EQ(unwrap(1, wrapped), Errc{});
}

TEST_F(Composite, GoesOnWithAnEpochThatWasMadeInPart) {
  ASSERT_TRUE(member(0).create(1, Anchor{}));
  EXPECT_EQ(whole().list().value(), Epochs{});
  ASSERT_TRUE(whole().create(1, Anchor{}));
  EXPECT_EQ(whole().list().value(), Epochs{1});
}

TEST_F(Composite, NeverMakesAnEpochAgainThatOneMemberHasDestroyed) {
  start();
  ASSERT_TRUE(member(1).destroy(1));
  EXPECT_EQ(code_of(whole().create(1, anchor(2))), Errc::exists);
  EXPECT_EQ(whole().list().value(), Epochs{2});
}

TEST_F(Composite, DestroysNothingUnaskedWhereAMemberIsNotWhatItWas) {
  start();  // In force is 2, and a member has lost it.
  ASSERT_TRUE(member(1).destroy(2));
  EXPECT_EQ(code_of(whole().create(3, anchor(2))), Errc::root_key_mismatch);
  EXPECT_EQ(member(0).list().value(), (Epochs{1, 2}));
  EXPECT_EQ(member(1).list().value(), Epochs{1});
}

TEST_F(Composite, IsTheSameInWhateverOrderItsMembersAreGiven) {
  RootKeyStore* const turned[] = {stores.members[1].get(), stores.members[0].get()};
  EXPECT_EQ(CompositeRootKeyStore::over(turned).value()->id(), whole().id());
  EXPECT_NE(ReplicatedRootKeyStore::over(turned).value()->id(), whole().id());
  MemoryRootKeyStore third;
  RootKeyStore* const other[] = {stores.members[1].get(), &third};
  EXPECT_NE(CompositeRootKeyStore::over(other).value()->id(), whole().id());
}

TEST_F(Composite, HasTwoToEightMembersAndEachOnce) {
  RootKeyStore* const one[] = {stores.members[0].get()};
  RootKeyStore* const twice[] = {stores.members[0].get(), stores.members[0].get()};
  RootKeyStore* const null[] = {stores.members[0].get(), nullptr};
  EXPECT_EQ(code_of(CompositeRootKeyStore::over(one)), Errc::invalid_argument);
  EXPECT_EQ(code_of(CompositeRootKeyStore::over(twice)), Errc::invalid_argument);
  EXPECT_EQ(code_of(CompositeRootKeyStore::over(null)), Errc::invalid_argument);
  SeveralStores eight(Several::composite, 8);
  ASSERT_TRUE(eight.whole->create(1, Anchor{}));
  const auto key = crypto::SecretKey::random();
  EXPECT_TRUE(eight.whole->wrap(1, as_bytes(context), key.bytes()));
  std::vector<MemoryRootKeyStore> many(9);
  std::vector<RootKeyStore*> all;
  for (MemoryRootKeyStore& store : many) all.push_back(&store);
  EXPECT_EQ(code_of(CompositeRootKeyStore::over(all)), Errc::invalid_argument);
}

TEST_F(Composite, IsL4OnlyWithATokenAndAnother) {
  start();
  EXPECT_EQ(whole().assurance().level, AssuranceLevel::l1_overwritten);
  stores.memory[1]->level = AssuranceLevel::l2_overwrite_verified;
  EXPECT_EQ(whole().assurance().level, AssuranceLevel::l2_overwrite_verified);
  stores.memory[1]->level = AssuranceLevel::l3_token;
  EXPECT_EQ(whole().assurance().level, AssuranceLevel::l4_composite);
  fail(0);
  ASSERT_TRUE(whole().destroy(1));
  EXPECT_EQ(whole().assurance().level, AssuranceLevel::l3_token);
}

TEST_F(Composite, AnswersTheNewestAnchor) {
  start();
  fail(0);
  ASSERT_TRUE(whole().rotate(1, 3, anchor(2)));
  stores.all_well();
  EXPECT_EQ(member(0).anchor()->epoch, 1u);
  EXPECT_EQ(*whole().anchor(), anchor(2));
}

TEST_F(Composite, OpensNoWrapOfWhichOneBitIsChangedOrAPartIsAnothers) {
  start();
  const auto first = wrap(1);
  auto second = wrap(1);
  for (std::size_t bit = 0; bit < 8 * first.size(); ++bit) {
    auto changed = first;
    changed[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(unwrap(1, changed), Errc{}) << bit;
  }
  for (std::size_t size = 0; size < first.size(); ++size)
    EXPECT_EQ(unwrap(1, Bytes(first).first(size)), Errc::corruption);
  const std::size_t half = 20 + (first.size() - 20) / 2;
  std::copy(first.begin() + static_cast<std::ptrdiff_t>(half), first.end(),
            second.begin() + static_cast<std::ptrdiff_t>(half));
  EXPECT_EQ(unwrap(1, second), Errc::corruption);
}

TEST_F(Composite, LiesWithinADirectoryWhenAMemberDoes) {
  class Within final : public RootKeysOver {
   public:
    using RootKeysOver::RootKeysOver;
    Result<bool> lies_within(const std::string&) const override { return true; }
  };
  Within within(std::make_shared<MemoryRootKeyStore>());
  RootKeyStore* const both[] = {stores.members[0].get(), &within};
  EXPECT_FALSE(*whole().lies_within("/data"));
  EXPECT_TRUE(*CompositeRootKeyStore::over(both).value()->lies_within("/data"));
}

TEST(CompositeKeyring, ForgetsAsLongAsOneMemberDoesNotLie) {
  SeveralKeyring keyring(Several::composite, 3);
  keyring.stores.memory[0]->lying = keyring.stores.memory[2]->lying = true;
  ASSERT_TRUE(keyring.enrol("alice"));
  const auto erased = keyring.erase("alice");
  ASSERT_TRUE(erased);
  EXPECT_FALSE(keyring.stores.thief_opens_any_before(erased->epoch_after));
}

TEST(CompositeKeyring, ForgetsNothingWhenAllItsMembersLie) {  // The control.
  SeveralKeyring keyring(Several::composite, 2);
  for (const auto& store : keyring.stores.memory) store->lying = true;
  ASSERT_TRUE(keyring.enrol("alice"));
  const auto erased = keyring.erase("alice");
  ASSERT_TRUE(erased);
  EXPECT_TRUE(keyring.stores.thief_opens_any_before(erased->epoch_after));
}

TEST(CompositeKeyring, ErasesWhileAMemberCannotDestroyAndOnceOnly) {
  SeveralKeyring keyring(Several::composite, 2);
  ASSERT_TRUE(keyring.enrol("alice"));
  ASSERT_TRUE(keyring.enrol("bob"));
  // It lists and wraps, and is gone when it comes to destroying.
  keyring.stores.members[1]->arm({.at = 4, .for_ever = true});
  const auto erased = keyring.erase("alice");
  ASSERT_TRUE(erased) << name(erased.error().code());
  EXPECT_EQ(erased->replicas, (Replicas{1, 2}));
  EXPECT_FALSE(keyring.stores.thief_opens_any_before(erased->epoch_after));
  EXPECT_EQ(code_of(keyring.erase("bob")), Errc::token_unavailable);
  EXPECT_TRUE(*keyring.knows("bob"));
  keyring.stores.all_well();
  const auto again = keyring.erase("bob");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->replicas, (Replicas{2, 2}));
}

TEST(CompositeKeyring, IsStaleWhenOneMemberIsReset) {
  SeveralKeyring keyring(Several::composite, 2);
  keyring.close();
  const std::vector<Epoch> held = keyring.stores.memory[0]->list().value();
  for (const Epoch epoch : held) ASSERT_TRUE(keyring.stores.memory[0]->destroy(epoch));
  EXPECT_EQ(code_of(keyring.open()), Errc::keyring_stale);
}

}  // namespace
}  // namespace efface::test
