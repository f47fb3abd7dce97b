// What is claimed of a TPM alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/prf.h"
#include "custody/token_record.h"
#include "custody/token_stands.h"
#include "custody/tpm_link.h"
#include "custody/tpm_slot.h"
#include "support/saved_files.h"

namespace efface::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;

class TpmRootKeys : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* what = TpmStand::missing()) GTEST_SKIP() << "needs " << what;
    now_ = std::chrono::system_clock::time_point(std::chrono::days(20'000));
    stand_.emplace();
    take(TpmRootKeyStore::create(stand_->options()));
  }
  void take(Result<std::unique_ptr<TpmRootKeyStore>> made) {
    ASSERT_TRUE(made) << name(made.error().code()) << ": " << made.error().note();
    store_ = std::move(*made);
  }
  void reopen(const TpmRootKeyStoreOptions& options) {
    store_.reset();
    take(TpmRootKeyStore::open(options));
  }
  void reopen() { reopen(stand_->options()); }

  TpmRootKeyStoreOptions paced(std::uint32_t at_once) {
    TpmRootKeyStoreOptions options = stand_->options();
    options.rotation_interval = hours(1);
    options.rotations_at_once_max = at_once;
    options.now = [] { return now_; };
    return options;
  }

  std::unique_ptr<custody::TpmLink> link(std::string_view auth = "right") {
    auto opened = custody::TpmLink::open(stand_->tpm().tcti(), {as_bytes(auth), {}});
    EXPECT_TRUE(opened);
    return opened ? std::move(*opened) : nullptr;
  }

  static inline std::chrono::system_clock::time_point now_;
  std::optional<TpmStand> stand_;
  std::unique_ptr<TpmRootKeyStore> store_;
};

constexpr std::uint32_t first_index = 0x01800010;
constexpr std::uint32_t record_index = first_index + 2;

TEST_F(TpmRootKeys, InSoftwareAreL0AndSayThatItIsAFile) {
  EXPECT_EQ(store_->assurance().level, AssuranceLevel::l0_logical);
  EXPECT_THAT(store_->assurance().rests_on, testing::HasSubstr("file of some host"));
  EXPECT_FALSE(*store_->lies_within("/"));
}

TEST_F(TpmRootKeys, StandInAnIndexEachForAsLongAsTheyAreHeld) {
  ASSERT_TRUE(store_->create(1, {}));
  ASSERT_TRUE(store_->create(2, {}));
  store_.reset();
  auto tpm = link();
  EXPECT_TRUE((*tpm->look(first_index)).has_value());
  EXPECT_TRUE((*tpm->look(first_index + 1)).has_value());
  tpm.reset();
  reopen();
  ASSERT_TRUE(store_->destroy(1));
  store_.reset();
  tpm = link();
  EXPECT_FALSE((*tpm->look(first_index)).has_value());
  EXPECT_TRUE((*tpm->look(first_index + 1)).has_value());
  EXPECT_TRUE((*tpm->look(record_index)).has_value());
}

TEST_F(TpmRootKeys, CannotBeReadWithoutTheAuthValue) {
  ASSERT_TRUE(store_->create(1, {}));
  store_.reset();
  const auto tpm = link("wrong");
  std::array<std::byte, 72> bytes{};
  EXPECT_EQ(code_of(tpm->read(first_index, 0, bytes)), Errc::passphrase_wrong);
  EXPECT_EQ(bytes, decltype(bytes){});
}

TEST_F(TpmRootKeys, TornByACrashAreDestroyedOnOpening) {
  ASSERT_TRUE(store_->create(1, {}));
  ASSERT_TRUE(store_->create(2, {}));
  store_.reset();
  auto tpm = link();
  constexpr std::array half{std::byte{7}, std::byte{7}};
  ASSERT_TRUE(tpm->write(first_index, 40, half));
  tpm.reset();
  reopen();
  EXPECT_THAT(*store_->list(), ElementsAre(2));
  EXPECT_EQ(code_of(store_->create(1, {})), Errc::exists);
  ASSERT_TRUE(store_->create(3, {}));
  EXPECT_THAT(*store_->list(), ElementsAre(2, 3));
}

TEST_F(TpmRootKeys, KeepTheirRecordWhenOneCopyOfItIsTorn) {
  ASSERT_TRUE(store_->create(1, anchor_of(1)));
  ASSERT_TRUE(store_->create(2, anchor_of(2)));  // The first copy; anchor 1 stands in the second.
  store_.reset();
  auto tpm = link();
  constexpr std::array torn{std::byte{7}, std::byte{7}};
  ASSERT_TRUE(tpm->write(record_index, 60, torn));
  tpm.reset();
  reopen();
  EXPECT_EQ(*store_->anchor(), anchor_of(1));
  EXPECT_THAT(*store_->list(), ElementsAre(1, 2));
  store_.reset();
  tpm = link();
  ASSERT_TRUE(tpm->write(record_index, 136 + 60, torn));
  tpm.reset();
  EXPECT_EQ(code_of(TpmRootKeyStore::open(stand_->options())), Errc::corruption);
}

TEST_F(TpmRootKeys, AreNotMadeOverWhatIsThere) {
  store_.reset();
  auto options = stand_->options();
  options.index = first_index + 1;  // Its second slot would be the record of the first store.
  EXPECT_EQ(code_of(TpmRootKeyStore::create(options)), Errc::exists);
  options.index = first_index + 3;
  EXPECT_TRUE(TpmRootKeyStore::create(options));
  reopen();
  EXPECT_THAT(*store_->list(), testing::IsEmpty());
}

TEST_F(TpmRootKeys, AreNotWhatElseStandsAtTheirIndices) {
  using custody::TpmLink;
  ASSERT_TRUE(store_->create(1, {}));
  const auto opened = [&] { return code_of(TpmRootKeyStore::open(stand_->options())); };
  const auto change = [&](auto body) {
    store_.reset();
    const auto tpm = link();
    body(*tpm);
  };
  std::array<std::byte, custody::tpm_slot_bytes> key{};
  std::array<std::byte, custody::token_record_bytes> record{};
  change([&](TpmLink& tpm) {  // One epoch twice.
    ASSERT_TRUE(tpm.read(first_index, 0, key));
    ASSERT_TRUE(tpm.define(first_index + 1, key.size()));
    ASSERT_TRUE(tpm.write(first_index + 1, 0, key));
    for (const std::size_t copy : {1U, 0U}) {
      ASSERT_TRUE(tpm.read(record_index, copy * record.size(), record));
    }
  });
  EXPECT_EQ(opened(), Errc::corruption);
  const Bytes store_id = Bytes(record).subspan(16, 16);
  change([&](TpmLink& tpm) {  // One that a later version wrote.
    key[8] = std::byte{2};
    const Id16 sum = crypto::hash128(
        {as_bytes("efface.token.slot"), store_id, Bytes(key).first(key.size() - sizeof(Id16))});
    std::ranges::copy(sum, key.end() - sizeof(Id16));
    ASSERT_TRUE(tpm.write(first_index + 1, 0, key));
  });
  EXPECT_EQ(opened(), Errc::format_new);
  change([&](TpmLink& tpm) {  // No slot is so small.
    ASSERT_TRUE(tpm.undefine(first_index + 1));
    ASSERT_TRUE(tpm.define(first_index + 1, 10));
    ASSERT_TRUE(tpm.write(first_index + 1, 0, Bytes(key).first(10)));
  });
  EXPECT_EQ(opened(), Errc::corruption);
  change([&](TpmLink& tpm) {  // A record of a later version.
    ASSERT_TRUE(tpm.undefine(first_index + 1));
    record[8] = std::byte{2};
    const Id16 sum = crypto::hash128(
        {as_bytes("efface.token.record"), Bytes(record).first(record.size() - sizeof(Id16))});
    std::ranges::copy(sum, record.end() - sizeof(Id16));
    ASSERT_TRUE(tpm.write(record_index, 0, record));
  });
  EXPECT_EQ(opened(), Errc::format_new);
  change([&](TpmLink& tpm) {
    ASSERT_TRUE(tpm.undefine(first_index));
    ASSERT_TRUE(tpm.undefine(record_index));
    ASSERT_TRUE(tpm.define(record_index, 100));
    ASSERT_TRUE(tpm.write(record_index, 0, Bytes(record).first(100)));
  });
  EXPECT_EQ(opened(), Errc::corruption);
  EXPECT_EQ(code_of(TpmRootKeyStore::create(stand_->options())), Errc::exists);
  change([&](TpmLink& tpm) {  // As a crash leaves it while a store is made.
    ASSERT_TRUE(tpm.undefine(record_index));
    ASSERT_TRUE(tpm.define(record_index, 2 * record.size()));
  });
  EXPECT_EQ(opened(), Errc::root_key_missing);
  take(TpmRootKeyStore::create(stand_->options()));
  EXPECT_TRUE(store_->create(1, {}));
}

TEST_F(TpmRootKeys, AreNotMadeWithoutTheOwnersAuthValue) {
  store_.reset();
  auto options = stand_->options();
  options.index = first_index + 3;
  options.owner_auth = as_bytes("wrong");
  EXPECT_EQ(code_of(TpmRootKeyStore::create(options)), Errc::passphrase_wrong);
}

TEST_F(TpmRootKeys, RotateNoFasterThanTheMemoryEndures) {
  reopen(paced(2));
  ASSERT_TRUE(store_->create(1, {}));  // Counts, and is not refused.
  ASSERT_TRUE(store_->rotate(1, 2, {}));
  const auto wrapped = wrapped_by(*store_, 2);
  EXPECT_EQ(code_of(store_->rotate(2, 3, anchor_of(2))), Errc::rate_limited);
  EXPECT_THAT(*store_->list(), ElementsAre(2));  // Nothing was done.
  EXPECT_EQ(*store_->anchor(), Anchor());
  EXPECT_EQ(unwrap_code(*store_, 2, wrapped), Errc{});
  reopen(paced(2));  // It is remembered.
  now_ += minutes(59);
  EXPECT_EQ(code_of(store_->rotate(2, 3, {})), Errc::rate_limited);
  now_ += minutes(1);
  EXPECT_TRUE(store_->rotate(2, 3, anchor_of(2)));
  EXPECT_EQ(code_of(store_->rotate(3, 4, {})), Errc::rate_limited);
  EXPECT_TRUE(store_->destroy(3));  // Never refused.
  now_ += hours(100);
  ASSERT_TRUE(store_->create(4, {}));
  EXPECT_TRUE(store_->rotate(4, 5, {}));
  EXPECT_EQ(code_of(store_->rotate(5, 6, {})), Errc::rate_limited);
}

TEST_F(TpmRootKeys, RotateOnWhenTheClockWasSetBack) {
  reopen(paced(1));
  ASSERT_TRUE(store_->create(1, {}));
  now_ -= hours(24 * 365);
  EXPECT_TRUE(store_->rotate(1, 2, {}));
  EXPECT_EQ(code_of(store_->rotate(2, 3, {})), Errc::rate_limited);
}

TEST_F(TpmRootKeys, KnowNoTimeBefore1970) {
  now_ = std::chrono::system_clock::time_point(-hours(1));
  reopen(paced(1));
  ASSERT_TRUE(store_->create(1, {}));
  EXPECT_EQ(code_of(store_->rotate(1, 2, {})), Errc::rate_limited);
  now_ += hours(2);
  EXPECT_TRUE(store_->rotate(1, 2, {}));
}

TEST_F(TpmRootKeys, AreHadAgainWhenTheTpmWasReset) {
  ASSERT_TRUE(store_->create(1, anchor_of(1)));
  const auto wrapped = wrapped_by(*store_, 1);
  stand_->tpm().stop();
  EXPECT_EQ(code_of(store_->list()), Errc::token_unavailable);
  stand_->tpm().start();
  reopen();
  EXPECT_EQ(unwrap_code(*store_, 1, wrapped), Errc{});
  EXPECT_EQ(*store_->anchor(), anchor_of(1));
}

// A TPM in software is as old as its file: this is why it is L0.
TEST_F(TpmRootKeys, OfSwtpmComeBackWithAnOldStateFile) {
  ASSERT_TRUE(store_->create(1, anchor_of(1)));
  ASSERT_TRUE(store_->create(2, anchor_of(1)));
  const auto wrapped = wrapped_by(*store_, 1);
  store_.reset();
  stand_->tpm().stop();
  const SavedFiles old(stand_->tpm().state_directory());
  stand_->tpm().start();
  reopen();
  ASSERT_TRUE(store_->rotate(1, 3, anchor_of(2)));
  EXPECT_EQ(unwrap_code(*store_, 1, wrapped), Errc::root_key_missing);
  store_.reset();
  stand_->tpm().stop();
  old.put_back();
  stand_->tpm().start();
  reopen();
  EXPECT_THAT(*store_->list(), ElementsAre(1, 2));
  EXPECT_EQ(unwrap_code(*store_, 1, wrapped), Errc{});
  EXPECT_EQ(*store_->anchor(), anchor_of(1));
}

TEST_F(TpmRootKeys, RefuseAPaceOrAnAuthValueThatIsOutOfRange) {
  const auto refused = [&](auto change) {
    TpmRootKeyStoreOptions options = stand_->options();
    change(options);
    const Errc made = code_of(TpmRootKeyStore::create(options));
    EXPECT_EQ(made, code_of(TpmRootKeyStore::open(options)));
    return made;
  };
  using Options = TpmRootKeyStoreOptions;
  EXPECT_EQ(refused([](Options& o) { o.index = 1; }), Errc::invalid_argument);
  EXPECT_EQ(refused([](Options& o) { o.rotation_interval = std::chrono::seconds(-1); }),
            Errc::invalid_argument);
  EXPECT_EQ(refused([](Options& o) { o.rotation_interval = std::chrono::hours(24 * 366); }),
            Errc::invalid_argument);
  EXPECT_EQ(refused([](Options& o) { o.rotations_at_once_max = 0; }), Errc::invalid_argument);
  EXPECT_EQ(refused([](Options& o) { o.rotations_at_once_max = 2'000'000; }),
            Errc::invalid_argument);
  const std::string long_auth(33, 'a');
  EXPECT_EQ(refused([&](Options& o) { o.auth = as_bytes(long_auth); }), Errc::too_large);
  EXPECT_EQ(refused([&](Options& o) { o.owner_auth = as_bytes(long_auth); }), Errc::too_large);
}

TEST_F(TpmRootKeys, AreNotFoundWithoutATpmOrOutOfRange) {
  auto options = stand_->options();
  options.index = 0x02000000;
  EXPECT_EQ(code_of(TpmRootKeyStore::open(options)), Errc::invalid_argument);
  options = stand_->options("an auth value that is longer than a digest is");
  EXPECT_EQ(code_of(TpmRootKeyStore::open(options)), Errc::too_large);
  options = stand_->options();
  options.tcti = "device:/nonexistent/tpm";
  EXPECT_EQ(code_of(TpmRootKeyStore::open(options)), Errc::token_unavailable);
}

}  // namespace
}  // namespace efface::test
