// What every root key store that destroys keeps: claimed of a file, of a PKCS#11 token, and of the
// NV memory of a TPM alike.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <set>

#include "custody/token_stands.h"

namespace efface::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <class Stand>
class RootKeys : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* what = Stand::missing()) GTEST_SKIP() << "needs " << what;
    stand_ = std::make_unique<Stand>();
    take(stand_->create());
  }

  void take(Result<std::unique_ptr<RootKeyStore>> made) {
    ASSERT_TRUE(made) << name(made.error().code()) << ": " << made.error().note();
    store_ = std::move(*made);
  }
  void reopen() {
    store_.reset();
    take(stand_->open());
  }
  void hold(std::initializer_list<Epoch> epochs) {
    for (const Epoch epoch : epochs) ASSERT_EQ(code_of(store_->create(epoch, {})), Errc{});
  }

  std::unique_ptr<Stand> stand_;
  std::unique_ptr<RootKeyStore> store_;
};
using AllKinds = testing::Types<FileStand, Pkcs11Stand, TpmStand>;
TYPED_TEST_SUITE(RootKeys, AllKinds, StandNames);

TYPED_TEST(RootKeys, BeginWithNoneAndAnUnusedAnchor) {
  EXPECT_THAT(*this->store_->list(), IsEmpty());
  EXPECT_EQ(*this->store_->anchor(), Anchor());
}

TYPED_TEST(RootKeys, AreMadeOnceInAPlace) {
  this->hold({1});
  this->store_.reset();
  EXPECT_EQ(code_of(this->stand_->create()), Errc::exists);
  this->take(this->stand_->open());
  EXPECT_THAT(*this->store_->list(), ElementsAre(1));
}

TYPED_TEST(RootKeys, UnwrapWhatTheyWrapped) {
  this->hold({1, 2});
  RootKeyStore& store = *this->store_;
  const auto under_1 = wrapped_by(store, 1);
  const auto under_2 = wrapped_by(store, 2);
  EXPECT_LE(under_1.size(), RootKeyStore::wrapped_bytes_max);
  EXPECT_EQ(unwrap_code(store, 1, under_1), Errc{});
  EXPECT_EQ(unwrap_code(store, 2, under_2), Errc{});
  EXPECT_EQ(unwrap_code(store, 2, under_1), Errc::corruption);
  EXPECT_EQ(unwrap_code(store, 3, under_1), Errc::root_key_missing);
  EXPECT_NE(under_1, wrapped_by(store, 1));
}

TYPED_TEST(RootKeys, RefuseAnotherContextAndEveryChangedByte) {
  this->hold({1});
  const auto wrapped = wrapped_by(*this->store_, 1);
  EXPECT_EQ(unwrap_code(*this->store_, 1, wrapped, "elsewhere"), Errc::corruption);
  EXPECT_EQ(unwrap_code(*this->store_, 1, Bytes(wrapped).first(wrapped.size() - 1)),
            Errc::corruption);
  EXPECT_EQ(unwrap_code(*this->store_, 1, {}), Errc::corruption);
  for (std::size_t i = 0; i < wrapped.size(); i += 3) {
    auto changed = wrapped;
    changed[i] ^= std::byte{1};
    EXPECT_EQ(unwrap_code(*this->store_, 1, changed), Errc::corruption) << "byte " << i;
  }
  EXPECT_EQ(unwrap_code(*this->store_, 1, wrapped), Errc{});
}

TYPED_TEST(RootKeys, OutliveTheirStoreWithTheAnchor) {
  const RootKeyStore::StoreId id = this->store_->id();
  this->hold({1});
  ASSERT_TRUE(this->store_->create(2, anchor_of(2)));
  ASSERT_TRUE(this->store_->rotate(1, 3, anchor_of(3)));
  const auto under_2 = wrapped_by(*this->store_, 2);
  const auto under_3 = wrapped_by(*this->store_, 3);
  this->reopen();
  EXPECT_EQ(this->store_->id(), id);
  EXPECT_THAT(*this->store_->list(), ElementsAre(2, 3));
  EXPECT_EQ(*this->store_->anchor(), anchor_of(3));
  EXPECT_EQ(unwrap_code(*this->store_, 2, under_2), Errc{});
  EXPECT_EQ(unwrap_code(*this->store_, 3, under_3), Errc{});
}

TYPED_TEST(RootKeys, OnceDestroyedUnwrapNothingHereAndAfterOpeningAnew) {
  this->hold({1, 2});
  const auto under_1 = wrapped_by(*this->store_, 1);
  const auto under_2 = wrapped_by(*this->store_, 2);
  ASSERT_TRUE(this->store_->rotate(1, 3, anchor_of(2)));
  EXPECT_EQ(unwrap_code(*this->store_, 1, under_1), Errc::root_key_missing);
  ASSERT_TRUE(this->store_->destroy(3));
  EXPECT_TRUE(this->store_->destroy(3));
  this->reopen();
  EXPECT_THAT(*this->store_->list(), ElementsAre(2));
  EXPECT_EQ(unwrap_code(*this->store_, 1, under_1), Errc::root_key_missing);
  EXPECT_EQ(code_of(this->store_->wrap(1, {}, some_root())), Errc::root_key_missing);
  EXPECT_EQ(unwrap_code(*this->store_, 2, under_2), Errc{});
}

TYPED_TEST(RootKeys, AreAtMostTwo) {
  this->hold({1, 2});
  EXPECT_EQ(code_of(this->store_->create(3, {})), Errc::exists);
  EXPECT_EQ(code_of(this->store_->rotate(9, 10, {})), Errc::exists);
  EXPECT_THAT(*this->store_->list(), ElementsAre(1, 2));
}

TYPED_TEST(RootKeys, NeverReturnUnderTheirNumber) {
  EXPECT_EQ(code_of(this->store_->create(0, {})), Errc::invalid_argument);
  this->hold({5});
  EXPECT_EQ(code_of(this->store_->create(4, {})), Errc::exists);
  EXPECT_EQ(code_of(this->store_->rotate(5, 5, {})), Errc::exists);
  ASSERT_TRUE(this->store_->destroy(5));
  EXPECT_EQ(code_of(this->store_->create(5, {})), Errc::exists);
  this->reopen();
  EXPECT_EQ(code_of(this->store_->create(5, {})), Errc::exists);
  ASSERT_TRUE(this->store_->create(7, {}));
  ASSERT_TRUE(this->store_->rotate(7, 8, {}));
  this->reopen();
  EXPECT_EQ(code_of(this->store_->create(7, {})), Errc::exists);
  EXPECT_THAT(*this->store_->list(), ElementsAre(8));
}

TYPED_TEST(RootKeys, RotateWhatIsNotHeldByMakingTheOther) {
  this->hold({1});
  EXPECT_TRUE(this->store_->rotate(9, 10, anchor_of(9)));
  EXPECT_THAT(*this->store_->list(), ElementsAre(1, 10));
  EXPECT_EQ(*this->store_->anchor(), anchor_of(9));
}

TYPED_TEST(RootKeys, AreNotHadWithAWrongSecret) {
  this->hold({1});
  const auto wrapped = wrapped_by(*this->store_, 1);
  this->store_.reset();
  EXPECT_EQ(code_of(this->stand_->open_wrongly()), Errc::passphrase_wrong);
  this->take(this->stand_->open());
  EXPECT_EQ(unwrap_code(*this->store_, 1, wrapped), Errc{});
}

TYPED_TEST(RootKeys, ThatWereNeverMadeAreMissing) {
  this->store_.reset();
  TypeParam elsewhere;
  EXPECT_EQ(code_of(elsewhere.open()), Errc::root_key_missing);
}

TYPED_TEST(RootKeys, AreNotForAChildProcess) {
  this->hold({1});
  const auto wrapped = wrapped_by(*this->store_, 1);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool refused = code_of(this->store_->list()) == Errc::forked &&
                         code_of(this->store_->create(2, {})) == Errc::forked &&
                         unwrap_code(*this->store_, 1, wrapped) == Errc::forked;
    this->store_.reset();  // Takes nothing from the parent.
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(unwrap_code(*this->store_, 1, wrapped), Errc{});
}

// A token may break off before or after any of its own changes. What it holds then is what list()
// says; no number returns; and the same call, or the next one, gets through.
template <class Stand>
class BrokenOff : public RootKeys<Stand> {
 protected:
  // Tells it where, does something, opens the store again, and answers whether it broke.
  template <class F>
  bool break_off(int step, F&& body) {
    TokenFault& fault = this->stand_->fault();
    fault.changes_left = step / 2;
    fault.after_the_change = step % 2 == 1;
    const Status done = body();
    const bool broke = fault.broken;
    EXPECT_TRUE(broke || done);
    if (broke) {
      EXPECT_EQ(code_of(done), Errc::token_unavailable);
      EXPECT_EQ(code_of(this->store_->list()), Errc::token_unavailable);
    }
    fault = {};
    this->reopen();
    return broke;
  }

  // What list() says is so.
  void check_list() {
    const auto held = this->store_->list();
    ASSERT_TRUE(held);
    EXPECT_LE(held->size(), 2u);
    for (const auto& [epoch, bytes] : wrapped_) {
      const bool listed = std::ranges::find(*held, epoch) != held->end();
      EXPECT_EQ(unwrap_code(*this->store_, epoch, bytes), listed ? Errc{} : Errc::root_key_missing);
      if (!listed) gone_.insert(epoch);
    }
    for (const Epoch epoch : *held) {
      EXPECT_FALSE(gone_.contains(epoch));
      EXPECT_EQ(unwrap_code(*this->store_, epoch, wrapped_by(*this->store_, epoch)), Errc{});
    }
    for (const Epoch epoch : gone_)
      EXPECT_EQ(code_of(this->store_->create(epoch, {})), Errc::exists);
    while (gone_.size() > 2) {  // Enough to look at, each time.
      wrapped_.erase(*gone_.begin());
      gone_.erase(gone_.begin());
    }
  }
  void remember(Epoch epoch) { wrapped_[epoch] = wrapped_by(*this->store_, epoch); }

  std::map<Epoch, std::vector<std::byte>> wrapped_;
  std::set<Epoch> gone_;
};
using Tokens = testing::Types<Pkcs11Stand, TpmStand>;
TYPED_TEST_SUITE(BrokenOff, Tokens, StandNames);

TYPED_TEST(BrokenOff, ARotationIsFinishedByTheNextOne) {
  this->hold({1, 2});
  Epoch in_force = 1;
  Epoch spare = 2;
  int step = 0;
  for (bool broke = true; broke; ++step) {
    this->remember(in_force);
    this->remember(spare);
    Epoch next = spare + 1;
    broke = this->break_off(step,
                            [&] { return this->store_->rotate(in_force, next, anchor_of(spare)); });
    this->check_list();
    // As a keyring does on opening: the spare has come into force, any other epoch goes.
    const auto held = this->store_->list();
    ASSERT_TRUE(held);
    EXPECT_THAT(*held, testing::Contains(spare));
    for (const Epoch epoch : *held) {
      if (epoch == spare) continue;
      next = std::max(next, epoch) + 1;
      ASSERT_EQ(code_of(this->store_->rotate(epoch, next, anchor_of(spare))), Errc{});
    }
    if (held->size() == 1) {
      ASSERT_EQ(code_of(this->store_->create(next, anchor_of(spare))), Errc{});
    }
    EXPECT_THAT(*this->store_->list(), ElementsAre(spare, next));
    EXPECT_EQ(*this->store_->anchor(), anchor_of(spare));
    in_force = spare;
    spare = next;
  }
  EXPECT_GE(step, 8);  // Before and after each of four changes at least.
}

TYPED_TEST(BrokenOff, ADestructionIsRepeatedUntilItIsDone) {
  Epoch epoch = 1;
  int step = 0;
  for (bool broke = true; broke; ++step, ++epoch) {
    ASSERT_EQ(code_of(this->store_->create(epoch, anchor_of(epoch))), Errc{});
    this->remember(epoch);
    broke = this->break_off(step, [&] { return this->store_->destroy(epoch); });
    this->check_list();
    ASSERT_EQ(code_of(this->store_->destroy(epoch)), Errc{});
    EXPECT_THAT(*this->store_->list(), IsEmpty());
    EXPECT_EQ(*this->store_->anchor(), anchor_of(epoch));
    EXPECT_EQ(code_of(this->store_->create(epoch, {})), Errc::exists);
  }
  EXPECT_GE(step, 4);
}

TYPED_TEST(BrokenOff, AMakingLeavesTheKeyWholeOrNotAtAll) {
  Epoch epoch = 1;
  int step = 0;
  for (bool broke = true; broke; ++step) {
    broke = this->break_off(step, [&] { return this->store_->create(epoch, anchor_of(epoch)); });
    this->check_list();
    const auto held = this->store_->list();
    ASSERT_TRUE(held);
    if (held->empty()) {
      ASSERT_EQ(code_of(this->store_->create(epoch, anchor_of(epoch))), Errc{});
    }
    EXPECT_THAT(*this->store_->list(), ElementsAre(epoch));
    ASSERT_TRUE(this->store_->destroy(epoch++));
  }
  EXPECT_GE(step, 4);
}

}  // namespace
}  // namespace efface::test
