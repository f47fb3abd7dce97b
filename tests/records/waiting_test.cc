// What was acknowledged ahead of its commit: in order, all or nothing of a batch, and never lost
// while the process lives.
#include <gtest/gtest.h>

#include <thread>

#include "crypto/random.h"
#include "efface/limits.h"
#include "records/some_change.h"
#include "records/vault.h"
#include "support/temp_directory.h"

namespace efface::records {
namespace {

// What decides again on what waits.
std::optional<Error> refusal_of_all;
std::optional<Error> failure;
const Change* put_beside = nullptr;

Status prepare(std::span<Waiting* const> all, std::vector<Change>& beside) {
  if (failure) return *failure;
  for (Waiting* batch : all) batch->refused = refusal_of_all;
  if (put_beside != nullptr) beside.push_back(*put_beside);
  return {};
}

class Waits : public testing::Test {
 protected:
  static constexpr auto always = []() -> Status { return {}; };

  void SetUp() override {
    ASSERT_TRUE(crypto::initialise());
    refusal_of_all.reset();
    failure.reset();
    put_beside = nullptr;
    region_ = crypto::random_id();
    const auto directory = os::Directory::open(home_.path());
    ASSERT_TRUE(directory);
    ASSERT_TRUE(Vault::create(*directory, region_, options_));
    open();
  }
  void open() {
    const auto directory = os::Directory::open(home_.path());
    auto opened = Vault::open(*directory, region_, options_);
    ASSERT_TRUE(opened);
    vault_ = *std::move(opened);
    vault_->prepare_with(&prepare);
  }
  // As after a crash: what waits is gone.
  void lose() {
    vault_.reset();
    open();
  }

  static std::unique_ptr<Waiting> batch_of(std::vector<Change> changes,
                                           const void* owner = nullptr) {
    auto batch = std::make_unique<Waiting>();
    batch->changes = std::move(changes);
    batch->owner = owner;
    return batch;
  }
  bool wait(std::vector<Change> changes, const void* owner = nullptr) {
    auto batch = batch_of(std::move(changes), owner);
    const auto waits = vault_->leave_waiting(batch, always);
    EXPECT_TRUE(waits);
    EXPECT_EQ(*waits, batch == nullptr);
    return *waits;
  }
  Status commit(Change change) { return vault_->commit({&change, 1}, 0, always); }
  std::vector<std::byte> value_at(const RecordKey& key) {
    std::vector<std::byte> value;
    EXPECT_TRUE(vault_->get(key, [&](Bytes found) -> Status {
      value.assign(found.begin(), found.end());
      return {};
    }));
    return value;
  }
  std::uint64_t transactions() {
    // Of the environment; asking commits what waits.
    return vault_->stats()->last_transaction;
  }

  test::TempDirectory home_{"waiting"};
  storage::EnvironmentOptions options_;
  Id16 region_{};
  std::unique_ptr<Vault> vault_;
  const keyring::Handle handle_ = crypto::random_id();
};

TEST_F(Waits, AndIsReadAtOnceByItsKey) {
  const Change first = put(handle_, 1);
  const Change second = put(handle_, 1);
  ASSERT_TRUE(wait({first}));
  EXPECT_EQ(value_at(first.key), first.value);
  ASSERT_TRUE(wait({second}));
  EXPECT_EQ(value_at(first.key), second.value);
  Change gone = put(handle_, 1);
  gone.value.clear();
  ASSERT_TRUE(wait({gone}));
  EXPECT_TRUE(value_at(first.key).empty());
  EXPECT_TRUE(value_at(put(handle_, 2).key).empty());
}

TEST_F(Waits, InMemoryAlone) {
  const Change change = put(handle_, 1);
  ASSERT_TRUE(wait({change}));
  lose();
  EXPECT_TRUE(value_at(change.key).empty());
}

TEST_F(Waits, UntilSyncAnswers) {
  const Change change = put(handle_, 1);
  ASSERT_TRUE(wait({change}));
  ASSERT_TRUE(vault_->sync());
  lose();
  EXPECT_EQ(value_at(change.key), change.value);
}

TEST_F(Waits, UntilTheNextCommitWhichTakesItFirst) {
  const Change first = put(handle_, 1);
  const Change second = put(handle_, 1);
  const Change other = put(crypto::random_id(), 7);
  ASSERT_TRUE(wait({first, put(handle_, 2)}));
  ASSERT_TRUE(wait({put(handle_, 3)}));
  ASSERT_TRUE(commit(second));
  ASSERT_TRUE(wait({other}));
  lose();
  EXPECT_EQ(value_at(first.key), second.value);
  EXPECT_FALSE(value_at(put(handle_, 2).key).empty());
  EXPECT_FALSE(value_at(put(handle_, 3).key).empty());
  EXPECT_TRUE(value_at(other.key).empty());
}

TEST_F(Waits, AllOfItInOneTransaction) {
  const std::uint64_t before = transactions();
  for (std::uint32_t i = 0; i < 100; ++i) ASSERT_TRUE(wait({put(handle_, i)}));
  ASSERT_TRUE(commit(put(handle_, 100)));
  EXPECT_EQ(transactions(), before + 1);
}

TEST_F(Waits, UntilSomebodyLooksAtItsHandleOrAtAll) {
  const keyring::Handle other = crypto::random_id();
  ASSERT_TRUE(wait({put(handle_, 1)}));
  std::size_t seen = 0;
  const auto count = [&](const RecordKey&, Bytes) -> Status {
    ++seen;
    return {};
  };
  ASSERT_TRUE(vault_->each(other, count));
  EXPECT_EQ(seen, 0u);
  ASSERT_TRUE(vault_->each(handle_, count));
  EXPECT_EQ(seen, 1u);
  ASSERT_TRUE(wait({put(other, 1)}));
  EXPECT_EQ(vault_->handles()->size(), 2u);
  Change gone = put(other, 1);
  gone.value.clear();
  ASSERT_TRUE(wait({gone}));
  std::size_t residues = 0;
  ASSERT_TRUE(vault_->each_residue([&](const keyring::Handle&, const Residue&) -> Status {
    ++residues;
    return {};
  }));
  EXPECT_EQ(residues, 1u);
}

TEST_F(Waits, OnlyWhereThereIsRoom) {
  const Change large = put(handle_, 0, limits::relaxed_bytes_max - sizeof(RecordKey));
  Change larger = large;
  larger.value.push_back({});
  EXPECT_FALSE(wait({larger}));
  ASSERT_TRUE(wait({large}));
  EXPECT_FALSE(wait({put(handle_, 1)}));
  ASSERT_TRUE(vault_->sync());
  std::vector<Change> many;
  while (many.size() < limits::relaxed_records_max)
    many.push_back(put(handle_, static_cast<std::uint32_t>(many.size())));
  ASSERT_TRUE(wait(many));
  EXPECT_FALSE(wait({put(handle_, 1)}));
  many.push_back(put(handle_, 1));
  ASSERT_TRUE(vault_->sync());
  EXPECT_FALSE(wait(many));
  EXPECT_TRUE(wait({put(handle_, 1)}));
}

TEST_F(Waits, WithWhatIsStoredBesideIt) {
  const Change beside = put(handle_, 9);
  put_beside = &beside;
  ASSERT_TRUE(wait({put(handle_, 1)}));
  EXPECT_TRUE(value_at(beside.key).empty());
  ASSERT_TRUE(vault_->sync());
  EXPECT_EQ(value_at(beside.key), beside.value);
}

TEST_F(Waits, NotWhenItIsRefusedAtOnce) {
  const Change change = put(handle_, 1);
  auto batch = batch_of({change});
  const auto refused =
      vault_->leave_waiting(batch, []() -> Status { return Error(Errc::restricted, "not now"); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::restricted);
  EXPECT_NE(batch, nullptr);
  EXPECT_TRUE(value_at(change.key).empty());
}

TEST_F(Waits, AndIsDroppedWhenItIsRefusedByThenOfWhichSyncTellsOnce) {
  const Change change = put(handle_, 1);
  ASSERT_TRUE(wait({change}));
  refusal_of_all = Error(Errc::restricted, "not any more");
  ASSERT_TRUE(commit(put(handle_, 2)));
  EXPECT_TRUE(value_at(change.key).empty());
  refusal_of_all.reset();
  const Status told = vault_->sync();
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code(), Errc::restricted);
  EXPECT_TRUE(vault_->sync());
  EXPECT_FALSE(value_at(put(handle_, 2).key).empty());
}

TEST_F(Waits, OnWhenItCannotBeDecidedAndSoDoesEverybody) {
  const Change change = put(handle_, 1);
  ASSERT_TRUE(wait({change}));
  failure = Error(Errc::busy, "the keyring is not to be read now");
  EXPECT_EQ(vault_->sync().error().code(), Errc::busy);
  EXPECT_EQ(commit(put(handle_, 2)).error().code(), Errc::busy);
  EXPECT_EQ(vault_->handles().error().code(), Errc::busy);
  EXPECT_TRUE(value_at(put(handle_, 2).key).empty());
  EXPECT_EQ(value_at(change.key), change.value);
  failure.reset();
  ASSERT_TRUE(vault_->sync());
  lose();
  EXPECT_EQ(value_at(change.key), change.value);
}

TEST_F(Waits, ForNobodyWhileItIsSettled) {
  const Change change = put(handle_, 1);
  ASSERT_TRUE(wait({change}));
  {
    const Vault::Settled settled(*vault_);
    const Vault::Settled again(*vault_);
    EXPECT_FALSE(wait({put(handle_, 2)}));
  }
  EXPECT_TRUE(wait({put(handle_, 2)}));
  lose();
  EXPECT_EQ(value_at(change.key), change.value);
}

TEST_F(Waits, NoLongerThanItsOwnerIsThere) {
  const int owner = 0;
  const int other = 0;
  const Change change = put(handle_, 1);
  const Change theirs = put(handle_, 2);
  ASSERT_TRUE(wait({change}, &owner));
  ASSERT_TRUE(wait({theirs}, &other));
  failure = Error(Errc::busy, "the keyring is not to be read now");
  vault_->let_go(&owner);
  EXPECT_TRUE(value_at(change.key).empty());
  EXPECT_EQ(value_at(theirs.key), theirs.value);
  failure.reset();
  vault_->let_go(&other);
  lose();
  EXPECT_EQ(value_at(theirs.key), theirs.value);
}

TEST_F(Waits, InTheOrderInWhichItWasAcknowledgedByThreads) {
  constexpr std::uint32_t threads = 4;
  constexpr std::uint32_t each = 500;
  std::array<std::vector<Change>, threads> last;
  {
    std::vector<std::jthread> running;
    for (std::uint32_t t = 0; t < threads; ++t)
      running.emplace_back([&, t] {
        for (std::uint32_t i = 0; i < each; ++i) {
          Change change = put(handle_, t);
          last[t] = {change};
          auto batch = batch_of({change});
          const auto waits = vault_->leave_waiting(batch, always);
          EXPECT_TRUE(waits);
          if (waits && !*waits) {
            EXPECT_TRUE(commit(std::move(change)));
          }
          if (i % 100 == 99) {
            EXPECT_TRUE(vault_->sync());
          }
        }
      });
  }
  lose();
  for (const auto& newest : last) EXPECT_EQ(value_at(newest[0].key), newest[0].value);
}

class WaitsWithLittleRoom : public Waits {
 protected:
  WaitsWithLittleRoom() { options_.map_bytes = options_.map_bytes_max = std::size_t{2} << 20; }
};

TEST_F(WaitsWithLittleRoom, OnWhenItDoesNotFitAndNobodyOvertakesIt) {
  std::vector<Change> half;
  for (std::uint32_t i = 0; i < 800; ++i) half.push_back(put(handle_, i, 900));
  ASSERT_TRUE(vault_->commit(half, 0, always));
  std::vector<Change> too_much;
  for (std::uint32_t i = 0; i < 1'000; ++i) too_much.push_back(put(handle_, 1'000 + i, 900));
  ASSERT_TRUE(wait(too_much));
  EXPECT_EQ(vault_->sync().error().code(), Errc::full);
  EXPECT_EQ(commit(put(handle_, 5'000)).error().code(), Errc::full);
  EXPECT_TRUE(value_at(put(handle_, 5'000).key).empty());
  EXPECT_EQ(value_at(too_much[0].key), too_much[0].value);
  // Removing goes on, and makes room for it.
  ASSERT_TRUE(vault_->remove_some(handle_, 1'000));
  EXPECT_TRUE(vault_->sync());
  lose();
  EXPECT_EQ(value_at(too_much[999].key), too_much[999].value);
}

TEST_F(WaitsWithLittleRoom, AndIsStoredWhereAnotherOfItsGroupDoesNotFit) {
  const Change change = put(handle_, 1);
  ASSERT_TRUE(wait({change}));
  std::vector<Change> too_much;
  for (std::uint32_t i = 0; i < 2'000; ++i) too_much.push_back(put(handle_, 1'000 + i, 2'000));
  const Status done = vault_->commit(too_much, 0, always);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Errc::full);
  lose();
  EXPECT_EQ(value_at(change.key), change.value);
}

}  // namespace
}  // namespace efface::records
