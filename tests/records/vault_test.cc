#include "records/vault.h"

#include <gtest/gtest.h>

#include <thread>

#include "crypto/random.h"
#include "records/some_change.h"
#include "support/temp_directory.h"

namespace efface::records {
namespace {

class VaultTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(crypto::initialise());
    region_ = crypto::random_id();
    const auto directory = os::Directory::open(home_.path());
    ASSERT_TRUE(directory);
    ASSERT_TRUE(Vault::create(*directory, region_, {}));
    auto opened = Vault::open(*directory, region_, {});
    ASSERT_TRUE(opened);
    vault_ = *std::move(opened);
  }

  static constexpr auto always = []() -> Status { return {}; };
  Status commit(Change change) { return vault_->commit({&change, 1}, 0, always); }
  bool there(const RecordKey& key) {
    return vault_->get(key, [](Bytes) -> Status { return {}; }).value();
  }

  test::TempDirectory home_{"vault"};
  Id16 region_{};
  std::unique_ptr<Vault> vault_;
};

using VaultClaim = VaultTest;

TEST_F(VaultClaim, BelongsToOneRegion) {
  vault_.reset();
  const auto directory = os::Directory::open(home_.path());
  EXPECT_EQ(Vault::open(*directory, crypto::random_id(), {}).error().code(), Errc::region_mismatch);
}

TEST_F(VaultClaim, StoresAllOfACommitOrNone) {
  const keyring::Handle handle = crypto::random_id();
  std::vector<Change> changes{put(handle, 1), put(handle, 2)};
  const Status refused = vault_->commit(
      changes, 0, []() -> Status { return Error(Errc::subject_erased, "not any more"); });
  EXPECT_EQ(refused.error().code(), Errc::subject_erased);
  EXPECT_FALSE(there(changes[0].key));
  ASSERT_TRUE(vault_->commit(changes, 0, always));
  EXPECT_TRUE(there(changes[0].key));
  EXPECT_TRUE(there(changes[1].key));
}

TEST_F(VaultClaim, AJobThatIsRefusedDoesNotHoldUpTheOthersOfItsGroup) {
  std::atomic<int> stored{0};
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 16; ++t)
      threads.emplace_back([&, t] {
        Change change = put(crypto::random_id(), 1);
        const Status done = vault_->commit({&change, 1}, 0, [&]() -> Status {
          if (t % 4 == 0) return Error(Errc::subject_erased, "not this one");
          return {};
        });
        EXPECT_EQ(there(change.key), static_cast<bool>(done));
        ++(done ? stored : refused);
      });
  }
  EXPECT_EQ(stored, 12);
  EXPECT_EQ(refused, 4);
}

TEST_F(VaultClaim, AnExpectationThatDoesNotHoldIsAConflict) {
  const keyring::Handle handle = crypto::random_id();
  Change first = put(handle, 1);
  first.expect = Change::Expect::absent;
  const auto nonce = nonce_of(first.value);
  Change second = put(handle, 1);
  second.expect = Change::Expect::nonce;
  std::ranges::copy(nonce, second.nonce.begin());
  ASSERT_TRUE(commit(first));
  EXPECT_EQ(commit(first).error().code(), Errc::conflict);
  ASSERT_TRUE(commit(second));
  EXPECT_EQ(commit(second).error().code(), Errc::conflict);
}

TEST_F(VaultClaim, RemovesAHandleInBoundedSteps) {
  const keyring::Handle leaving = crypto::random_id();
  const keyring::Handle staying = crypto::random_id();
  std::vector<Change> changes;
  for (std::uint32_t i = 0; i < 25; ++i) changes.push_back(put(leaving, i));
  changes.push_back(put(staying, 1));
  ASSERT_TRUE(vault_->commit(changes, 0, always));
  std::vector<std::size_t> steps;
  for (;;) {
    const auto removed = vault_->remove_some(leaving, 10);
    ASSERT_TRUE(removed);
    steps.push_back(*removed);
    if (*removed < 10) break;
  }
  EXPECT_EQ(steps, (std::vector<std::size_t>{10, 10, 5}));
  EXPECT_TRUE(there(changes.back().key));
}

TEST_F(VaultClaim, NamesEveryHandleOnce) {
  std::vector<keyring::Handle> handles;
  std::vector<Change> changes;
  for (std::uint32_t i = 0; i < 40; ++i) {
    keyring::Handle& handle = handles.emplace_back(crypto::random_id());
    if (i == 7) handle.fill(std::byte{0xff});
    if (i == 8) handle.fill(std::byte{0});
    for (std::uint32_t k = 0; k < 3; ++k) changes.push_back(put(handle, k));
  }
  ASSERT_TRUE(vault_->commit(changes, 0, always));
  std::sort(handles.begin(), handles.end());
  const auto found = vault_->handles();
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, handles);
}

TEST_F(VaultClaim, TheBarrierWaitsForACommitThatWasFoundValid) {
  std::atomic<bool> deciding{false};
  std::atomic<bool> decided{false};
  std::atomic<bool> stored{false};
  std::jthread writer([&] {
    Change change = put(crypto::random_id(), 1);
    EXPECT_TRUE(vault_->commit({&change, 1}, 0, [&]() -> Status {
      deciding = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      decided = true;
      return {};
    }));
    stored = true;
  });
  while (!deciding) std::this_thread::yield();
  vault_->barrier();
  EXPECT_TRUE(decided);
  writer.join();
  EXPECT_TRUE(stored);
}

}  // namespace
}  // namespace efface::records
