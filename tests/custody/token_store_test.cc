// A whole store on root keys of each kind.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "custody/token_stands.h"
#include "efface/efface.h"
#include "support/saved_files.h"

namespace efface::test {
namespace {

template <class Stand>
class StoreOn : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* what = Stand::missing()) GTEST_SKIP() << "needs " << what;
    stand_ = std::make_unique<Stand>();
    auto made = stand_->create();
    ASSERT_TRUE(made) << name(made.error().code());
    root_keys_ = std::move(*made);
    auto store = Store::create(options());
    ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
    store_.emplace(*std::move(store));
    const Region regions[] = {store_->region("eu").value()};
    ASSERT_TRUE(store_->declare_tenant("acme", regions, Actor("test")));
    ASSERT_TRUE(tenant().declare_purpose({"ratings", LegalBasis::contract, std::nullopt, true}));
  }

  OpenOptions options() {
    OpenOptions options;
    options.directory = home_ / "store";
    options.regions.emplace_back();
    options.regions.back().name = "eu";
    options.regions.back().root_keys = root_keys_.get();
    options.require_locked_memory = false;
    options.accept_l0 = true;
    return options;
  }

  Tenant tenant() { return store_->tenant("acme", Actor("test")).value(); }
  Activity activity() {
    const Tenant acme = tenant();
    return acme.activity(acme.purpose("ratings").value()).value();
  }
  Subject enrol(std::string_view id) {
    return tenant().enrol(SubjectId(id), store_->region("eu").value()).value();
  }
  std::string value_of(std::string_view id) {
    const auto who = tenant().subject(SubjectId(id));
    if (!who) return name(who.error().code());
    const auto found = activity().get(*who, RecordName("a"));
    if (!found || !*found) return found ? "absent" : name(found.error().code());
    return std::string(as_text((**found).bytes()));
  }

  void close() {
    store_.reset();
    root_keys_.reset();
  }
  Errc open() {
    auto keys = stand_->open();
    if (!keys) return keys.error().code();
    root_keys_ = std::move(*keys);
    auto store = Store::open(options());
    if (!store) return store.error().code();
    store_.emplace(*std::move(store));
    return Errc{};
  }

  std::unique_ptr<Stand> stand_;
  TempDirectory home_{"store"};
  std::unique_ptr<RootKeyStore> root_keys_;
  std::optional<Store> store_;
};
using AllKinds = testing::Types<FileStand, Pkcs11Stand, TpmStand>;
TYPED_TEST_SUITE(StoreOn, AllKinds, StandNames);

TYPED_TEST(StoreOn, KeepsErasesAndReopens) {
  ASSERT_TRUE(this->activity().put(this->enrol("alice"), RecordName("a"), as_bytes("one")));
  ASSERT_TRUE(this->activity().put(this->enrol("bob"), RecordName("a"), as_bytes("two")));
  const SubjectId leaving[] = {SubjectId("alice")};
  const auto erased = this->tenant().erase(leaving);
  ASSERT_TRUE(erased) << name(erased.error().code()) << ": " << erased.error().note();
  EXPECT_EQ(erased->erased, 1u);
  this->close();
  ASSERT_EQ(this->open(), Errc{});
  EXPECT_EQ(this->value_of("alice"), "subject_unknown");
  EXPECT_EQ(this->value_of("bob"), "two");
}

// The root that was wrapped before the erasure opens with nothing that the store has now.
TYPED_TEST(StoreOn, DoesNotOpenAnOldCopyOfItsKeyring) {
  ASSERT_TRUE(this->activity().put(this->enrol("alice"), RecordName("a"), as_bytes("one")));
  this->close();
  const SavedFiles old(this->home_ / "store");
  ASSERT_EQ(this->open(), Errc{});
  const SubjectId leaving[] = {SubjectId("alice")};
  ASSERT_TRUE(this->tenant().erase(leaving));
  this->close();
  old.put_back();
  EXPECT_EQ(this->open(), Errc::keyring_stale);
}

class StoreOnTpm : public StoreOn<TpmStand> {
 protected:
  Errc erase(std::string_view id) {
    const SubjectId leaving[] = {SubjectId(id)};
    const auto erased = tenant().erase(leaving);
    return erased ? Errc{} : erased.error().code();
  }
  void put(std::string_view id) {
    ASSERT_TRUE(activity().put(enrol(id), RecordName("a"), as_bytes("one")));
  }
  SavedFiles state_of_tpm() {
    close();
    stand_->tpm().stop();
    SavedFiles saved(stand_->tpm().state_directory());
    stand_->tpm().start();
    return saved;
  }
  void put_back(const SavedFiles& saved) {
    close();
    stand_->tpm().stop();
    saved.put_back();
    stand_->tpm().start();
  }

  static inline std::chrono::system_clock::time_point now_{std::chrono::days(20'000)};
};

TEST_F(StoreOnTpm, LeavesPendingWhatComesTooSoonAndFinishesItLater) {
  put("alice");
  put("bob");
  put("carol");
  close();
  stand_->rotation_interval = std::chrono::hours(1);
  stand_->now = [] { return now_; };
  ASSERT_EQ(open(), Errc{});  // Takes the one rotation that there is.
  EXPECT_EQ(erase("alice"), Errc::erase_pending);
  EXPECT_EQ(value_of("alice"), "subject_unknown");
  EXPECT_NE(erase("bob"), Errc{});
  close();
  ASSERT_EQ(open(), Errc{});
  EXPECT_TRUE(store_->stats()->regions.front().erase_pending);
  EXPECT_EQ(value_of("bob"), "one");
  close();
  now_ += std::chrono::hours(1);
  ASSERT_EQ(open(), Errc{});
  EXPECT_FALSE(store_->stats()->regions.front().erase_pending);
  EXPECT_EQ(value_of("alice"), "subject_unknown");
  now_ += std::chrono::hours(1);
  EXPECT_EQ(erase("carol"), Errc{});
}

// What an old state file of a TPM in software can do, and what not.
TEST_F(StoreOnTpm, DoesNotOpenWhenTheTpmIsOlderThanItsKeyring) {
  put("alice");
  put("bob");
  const SavedFiles old = state_of_tpm();
  ASSERT_EQ(open(), Errc{});
  ASSERT_EQ(erase("alice"), Errc{});
  ASSERT_EQ(erase("bob"), Errc{});
  put_back(old);
  EXPECT_EQ(open(), Errc::keyring_stale);
}

TEST_F(StoreOnTpm, BringsNobodyBackWithAnOldTpmThatHoldsTheEpochInForce) {
  put("alice");
  ASSERT_EQ(erase("alice"), Errc{});
  const SavedFiles old = state_of_tpm();
  ASSERT_EQ(open(), Errc{});
  put("bob");
  put_back(old);
  ASSERT_EQ(open(), Errc{});
  EXPECT_EQ(value_of("alice"), "subject_unknown");
  EXPECT_EQ(value_of("bob"), "one");
}

TEST_F(StoreOnTpm, ComesBackWithTheWholeMachineWhichNothingOnItCanTell) {
  put("alice");
  const SavedFiles old_tpm = state_of_tpm();
  const SavedFiles old_store(home_ / "store");
  ASSERT_EQ(open(), Errc{});
  ASSERT_EQ(erase("alice"), Errc{});
  put_back(old_tpm);
  old_store.put_back();
  ASSERT_EQ(open(), Errc{});
  EXPECT_EQ(value_of("alice"), "one");
}

}  // namespace
}  // namespace efface::test
