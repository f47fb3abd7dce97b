// What an operator is told of a store: each event when it happens, and once.
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <thread>

#include "observe/heard.h"
#include "observe/watched.h"
#include "support/bad_root_keys.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

// Does not destroy while it is told so.
class RootKeysThatStay final : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;
  bool stay = false;
  Status destroy(Epoch epoch) override {
    if (stay) return Error(Errc::token_unavailable, "told to fail");
    return RootKeysOver::destroy(epoch);
  }
};

class Log : public WatchedStore {
 protected:
  void SetUp() override {
    options_.on_log = told_to(heard_);
    options_.now = [] { return std::chrono::system_clock::now() + later_; };
    later_ = {};
  }
  void create() {
    create_with({"orders", LegalBasis::contract, Days(2)});
    heard_->take();
  }
  void open() {
    take(Store::open(options_));
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }
  void close() {
    tenant_.reset();
    store_.reset();
  }
  Activity activity() { return tenant_->activity(tenant_->purpose("orders").value()).value(); }
  Subject enrol(std::string_view id) { return tenant_->enrol(SubjectId(id), region()).value(); }
  std::optional<Errc> erase(std::string_view id) {
    const auto erased = tenant_->erase(tenant_->subject(SubjectId(id)).value());
    return erased ? std::nullopt : std::optional(erased.error().code());
  }
  std::string number(const Heard::Told& told, const char* what) {
    return told.numbers.contains(what) ? std::to_string(told.numbers.at(what)) : "none";
  }

  inline static Days later_{};
  std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
};

TEST_F(Log, SaysThatARegionIsOpenAndNothingOfWhatIsOrdinary) {
  options_.regions.push_back({"us", nullptr});
  MemoryRootKeyStore others;
  options_.regions[1].root_keys = &others;
  take(Store::create(options_));
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].event, LogEvent::opened);
  EXPECT_EQ(told[0].region, "eu");
  EXPECT_EQ(told[1].region, "us");
  EXPECT_EQ(number(told[0], "epoch"), "1");

  const Region regions[] = {region()};
  tenant_.emplace(store_->declare_tenant("acme", regions, Actor("test")).value());
  ASSERT_TRUE(tenant_->declare_purpose({"orders"}));
  const Subject alice = enrol("alice");
  ASSERT_TRUE(activity().put(alice, RecordName("r"), as_bytes("v")));
  ASSERT_TRUE(activity().get(alice, RecordName("r")));
  ASSERT_FALSE(tenant_->subject(SubjectId("nobody")));
  EXPECT_EQ(erase("alice"), std::nullopt);
  close();
  EXPECT_THAT(heard_->take(), IsEmpty());
}

TEST_F(Log, SaysThatAnErasureWaitsAndThatItIsFinished) {
  create();
  enrol("alice");
  enrol("bob");
  root_keys_.fail_next_rotate = true;
  EXPECT_EQ(erase("alice"), Errc::erase_pending);
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::erase_pending);
  EXPECT_EQ(told[0].level, LogLevel::warning);
  EXPECT_EQ(told[0].region, "eu");
  EXPECT_EQ(told[0].error, Errc::io);
  EXPECT_EQ(number(told[0], "epoch"), "2");

  root_keys_.fail_next_rotate = true;
  EXPECT_EQ(erase("bob"), Errc::io);
  EXPECT_THAT(heard_->take(), IsEmpty());  // It is known.
  ASSERT_TRUE(store_->maintain());
  EXPECT_THAT(heard_->take(), ElementsAre("erase_finished", "maintained"));
  ASSERT_TRUE(store_->maintain());
  EXPECT_THAT(heard_->take(), ElementsAre("maintained"));
}

TEST_F(Log, SaysThatOpeningFinishedAnErasure) {
  create();
  enrol("alice");
  root_keys_.fail_next_rotate = true;
  EXPECT_EQ(erase("alice"), Errc::erase_pending);
  close();
  heard_->take();
  open();
  EXPECT_THAT(heard_->take(), ElementsAre("erase_finished", "opened"));
  close();
  open();
  EXPECT_THAT(heard_->take(), ElementsAre("opened"));
}

TEST_F(Log, SaysThatAReplicaIsMissingAndThatItIsBack) {
  const auto one = std::make_shared<MemoryRootKeyStore>();
  RootKeysThatFail other(std::make_shared<MemoryRootKeyStore>());
  RootKeyStore* const both[] = {one.get(), &other};
  const auto replicated = ReplicatedRootKeyStore::over(both).value();
  options_.regions[0].root_keys = replicated.get();
  create();
  close();
  other.arm({.at = 1, .for_ever = true});
  open();
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].event, LogEvent::replica_missing);
  EXPECT_EQ(number(told[0], "replicas_confirmed"), "1");
  EXPECT_EQ(number(told[0], "replicas"), "2");
  other.arm({});
  ASSERT_TRUE(store_->maintain());
  EXPECT_THAT(heard_->take(), ElementsAre("replicas_complete", "maintained"));
}

TEST_F(Log, SaysThatTheRootKeyWasRotatedMovedAndRetired) {
  auto first = std::make_shared<MemoryRootKeyStore>();
  RootKeysThatStay from(first);
  options_.regions[0].root_keys = &from;
  create();
  ASSERT_TRUE(store_->rotate_root(region(), Actor("test")));
  EXPECT_THAT(heard_->take(), ElementsAre("root_rotated"));
  from.stay = true;
  EXPECT_FALSE(store_->migrate_root(region(), root_keys_, Actor("test")));
  EXPECT_THAT(heard_->take(), ElementsAre("root_migrated", "erase_pending"));
  from.stay = false;
  ASSERT_TRUE(store_->retire_root(region(), from));
  EXPECT_THAT(heard_->take(), ElementsAre("root_retired", "erase_finished"));
}

TEST_F(Log, SaysHowTheMirrorsAreAndThatOneTookThePlaceOfTheKeyring) {
  options_.regions[0].keyring_mirrors = {home_ / "one", home_ / "unmounted/two"};
  create();
  close();
  open();
  EXPECT_THAT(heard_->take(), ElementsAre("mirror_absent", "opened"));
  fs::create_directory(home_ / "unmounted");
  fs::permissions(home_ / "unmounted", fs::perms::owner_all);
  ASSERT_TRUE(store_->maintain());
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].event, LogEvent::mirror_in_step);
  EXPECT_EQ(number(told[0], "mirror"), "1");
  ASSERT_TRUE(store_->maintain());
  EXPECT_THAT(heard_->take(), ElementsAre("maintained"));
  close();
  fs::remove_all(home_ / "store/eu/keyring");
  open();
  EXPECT_THAT(heard_->take(), ElementsAre("keyring_replaced", "opened"));
}

TEST_F(Log, SaysThatTheCopyOfTheLedgerWasMadeAnew) {
  create();
  close();
  fs::resize_file(home_ / "store/eu/ledger", 40);
  open();
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].event, LogEvent::ledger_copy_in_step);
  EXPECT_EQ(number(told[0], "entries"), "3");  // A region, a tenant, a purpose.
}

TEST_F(Log, SaysThatADatabaseIsAtItsLimitOnceUntilItIsNot) {
  options_.map_bytes_max = 1 << 20;
  create();
  enrol("alice");
  const std::string value(50'000, 'v');  // Compresses to nothing,
  ASSERT_TRUE(tenant_->declare_purpose({.name = "films", .compress = false}));  // but not here.
  const Activity films = tenant_->activity(tenant_->purpose("films").value()).value();
  heard_->take();
  const auto fill = [&](std::string_view id) {
    const Subject subject = tenant_->subject(SubjectId(id)).value();
    Status stored;
    for (int i = 0; stored && i < 100; ++i)
      stored = films.put(subject, RecordName("r" + std::to_string(i)), as_bytes(value));
    return stored ? Errc{} : stored.error().code();
  };
  EXPECT_EQ(fill("alice"), Errc::full);
  const Subject alice = tenant_->subject(SubjectId("alice")).value();
  EXPECT_EQ(films.put(alice, RecordName("more"), as_bytes(value)).error().code(), Errc::full);
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::map_full);
  EXPECT_EQ(told[0].database, "records");
  EXPECT_EQ(told[0].level, LogLevel::warning);
  EXPECT_EQ(erase("alice"), std::nullopt);
  ASSERT_TRUE(store_->maintain());
  EXPECT_THAT(heard_->take(), ElementsAre("maintained"));
  enrol("bob");
  EXPECT_EQ(fill("bob"), Errc::full);
  EXPECT_THAT(heard_->take(), ElementsAre("map_full"));
}

TEST_F(Log, SumsUpTheUpkeepAndSaysThatTheClockMayHaveJumped) {
  create();
  ASSERT_TRUE(activity().put(enrol("alice"), RecordName("r"), as_bytes("v")));
  EXPECT_EQ(erase("alice"), std::nullopt);
  ASSERT_TRUE(activity().put(enrol("bob"), RecordName("r"), as_bytes("v")));
  ASSERT_TRUE(store_->maintain());
  auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::maintained);
  EXPECT_EQ(told[0].region, "");
  EXPECT_EQ(number(told[0], "queue_entries"), "1");
  EXPECT_NE(number(told[0], "records_removed"), "0");
  later_ = Days(400);
  ASSERT_TRUE(store_->maintain());
  told = heard_->take_all();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].event, LogEvent::expiry_waits);
  EXPECT_EQ(number(told[0], "days_max"), "31");
  EXPECT_EQ(told[1].event, LogEvent::maintained);
}

TEST_F(Log, SaysWhatWasBackedUpAndRestored) {
  create();
  ASSERT_TRUE(activity().put(enrol("alice"), RecordName("r"), as_bytes("v")));
  BackupOptions backup;
  backup.target = home_ / "backup";
  ASSERT_TRUE(store_->backup(backup));
  auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::backed_up);
  EXPECT_NE(number(told[0], "bytes"), "0");
  close();
  RestoreOptions restore;
  restore.records = home_ / "backup";
  ASSERT_TRUE(Store::restore(options_, restore));
  EXPECT_THAT(heard_->take(), ElementsAre("opened", "restored"));
}

// Told while somebody waits for what the one who is told of holds: it would wait for ever.
TEST_F(Log, IsToldWithNoLockHeld) {
  std::atomic<int> enrolled{0};
  options_.deadline = std::chrono::milliseconds(300);
  options_.on_log = [&](const LogEntry& entry) {
    if (entry.event != LogEvent::erase_pending) return;
    std::thread other([&] {
      const auto made = tenant_->enrol(SubjectId("carol"), region());
      enrolled = made ? 1 : 2;
    });
    other.join();
  };
  create();
  enrol("alice");
  root_keys_.fail_next_rotate = true;
  EXPECT_EQ(erase("alice"), Errc::erase_pending);
  EXPECT_EQ(enrolled, 1);
}

// Somebody erases, and is kept within it, with the lock of the keyring.
class RootKeysThatWait final : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;
  std::atomic<bool> waits{false};
  std::promise<void> is_there;
  std::promise<void> may_go_on;
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override {
    if (waits.exchange(false)) {
      is_there.set_value();
      may_go_on.get_future().wait();
    }
    return RootKeysOver::rotate(destroyed, created, anchor);
  }
};

TEST_F(Log, SaysThatSomebodyWaitedForALockInVain) {
  RootKeysThatWait slow(std::make_shared<MemoryRootKeyStore>());
  options_.regions[0].root_keys = &slow;
  options_.deadline = std::chrono::milliseconds(60);
  create();
  enrol("alice");
  slow.waits = true;
  std::thread eraser([&] { EXPECT_EQ(erase("alice"), std::nullopt); });
  slow.is_there.get_future().wait();
  EXPECT_EQ(tenant_->enrol(SubjectId("bob"), region()).error().code(), Errc::busy);
  slow.may_go_on.set_value();
  eraser.join();
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::lock_timed_out);
  EXPECT_EQ(told[0].database, "keyring");
  EXPECT_EQ(told[0].error, Errc::busy);
}

// Who is about to wait says so, as a span that begins: from then on it is on the clock.
TEST_F(Log, SaysThatSomebodyWaitedLongForALock) {
  RootKeysThatWait slow(std::make_shared<MemoryRootKeyStore>());
  options_.regions[0].root_keys = &slow;
  options_.deadline = std::chrono::milliseconds(2'000);
  std::promise<void> begins;
  std::atomic<bool> watched{false};
  options_.trace.begin = [&](const TraceSpan& span) {
    if (std::string_view(span.name.text) == "keyring.lock" && watched.exchange(false))
      begins.set_value();
  };
  create();
  enrol("alice");
  slow.waits = true;
  std::thread eraser([&] { EXPECT_EQ(erase("alice"), std::nullopt); });
  slow.is_there.get_future().wait();
  watched = true;
  std::thread waiter([&] { EXPECT_TRUE(tenant_->enrol(SubjectId("bob"), region())); });
  begins.get_future().wait();
  std::this_thread::sleep_for(std::chrono::milliseconds(210));
  slow.may_go_on.set_value();
  eraser.join();
  waiter.join();
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::lock_waited);
  EXPECT_GT(told[0].numbers.at("milliseconds"), 200u);
}

}  // namespace
}  // namespace efface::test
