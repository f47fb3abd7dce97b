// A root key is rotated, and moved to another file, and writes stop at every step there is.
#include <gtest/gtest.h>

#include <cstdio>

#include "crash/checker.h"
#include "crash/trial.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

class Custody {
 public:
  enum class What : std::uint8_t { rotate, migrate };

  explicit Custody(What what) : what_(what) {
    fs::create_directory(base());
    fs::permissions(base(), fs::perms::owner_all);
    EXPECT_EQ(in_child([this] { prepare(); }), 0);
    for (const LiveSlot& slot : live_slots(raw_root_key_file(base() / "old.key")))
      if (doomed_.epoch == 0 || slot.epoch < doomed_.epoch) doomed_ = slot;
  }

  // Stops at one step, and then finishes. Answers whether the step came.
  bool stops_at(const Plan& plan) {
    copy_place(base(), work());
    const int status = in_child([&] { act(plan); });
    if (status == untorn_status) return true;
    EXPECT_TRUE(status == 0 || status == stopped_status) << status;
    EXPECT_EQ(in_child([&] { finish(status == 0); }), 0) << "after step " << plan.at;
    return status == stopped_status;
  }

 private:
  fs::path base() const { return home_ / "base"; }
  fs::path work() const { return home_ / "work"; }

  struct Keys {
    std::unique_ptr<FileRootKeyStore> left;
    std::unique_ptr<FileRootKeyStore> to;
  };
  static Keys open_keys(const fs::path& place) {
    return {FileRootKeyStore::open(root_key_options(place / "old.key")).value(),
            FileRootKeyStore::open(root_key_options(place / "new.key")).value()};
  }
  static OpenOptions options(const fs::path& place, RootKeyStore& root_keys) {
    OpenOptions options;
    options.directory = place / "store";
    options.regions = {{"eu", &root_keys, {}}};
    options.require_locked_memory = false;
    options.accept_l0 = true;
    return options;
  }
  static void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    _exit(1);
  }

  void prepare() const {
    const auto keys = FileRootKeyStore::create(root_key_options(base() / "old.key")).value();
    require(FileRootKeyStore::create(root_key_options(base() / "new.key")).has_value(), "no file");
    const Store store = Store::create(options(base(), *keys)).value();
    const Region regions[] = {store.region("eu").value()};
    const Tenant tenant = store.declare_tenant("acme", regions, Actor("test")).value();
    const auto purpose =
        tenant.declare_purpose({"ratings", LegalBasis::contract, std::nullopt, true}).value();
    const Activity activity = tenant.activity(purpose).value();
    for (const char* id : {"alice", "bob"})
      require(activity
                  .put(tenant.enrol(SubjectId(id), regions[0]).value(), RecordName("first"),
                       as_bytes("one"))
                  .has_value(),
              "nothing is put");
  }

  // Stops, or ends with whether it was confirmed.
  void act(const Plan& plan) const {
    const Keys keys = open_keys(work());
    const Store store = Store::open(options(work(), *keys.left)).value();
    const Region region = store.region("eu").value();
    arm(plan);
    const auto done = what_ == What::rotate ? store.rotate_root(region, Actor("test"))
                                            : store.migrate_root(region, *keys.to, Actor("test"));
    disarm();
    require(done.has_value(), "it is not done");
  }

  void finish(bool confirmed) const {
    if (confirmed)
      require(!holds_key(raw_root_key_file(work() / "old.key"), doomed_.key),
              "it is confirmed and the old key stands in its file");
    const Keys keys = open_keys(work());
    RootKeyStore* in_use = keys.left.get();
    auto opened = Store::open(options(work(), *in_use));
    if (!opened) {
      require(what_ == What::migrate && opened.error().code() == Errc::root_key_mismatch,
              "it does not open with the store that it left, and says something else");
      in_use = keys.to.get();
      opened = Store::open(options(work(), *in_use));
      require(opened.has_value(), "it opens with neither");
    } else if (what_ == What::migrate) {
      require(!confirmed, "it is confirmed and opens with the store that it left");
    }
    const Store store = *std::move(opened);
    const Region region = store.region("eu").value();
    if (what_ == What::rotate) {
      require(store.rotate_root(region, Actor("test")).has_value(), "it does not rotate again");
    } else if (in_use == keys.left.get()) {
      require(store.migrate_root(region, *keys.to, Actor("test")).has_value(), "it does not move");
    } else if (store.stats().value().regions.front().erase_pending) {
      require(!confirmed, "it is confirmed and still pending");
      require(store.retire_root(region, *keys.left).has_value(), "it does not retire");
    }
    require(!store.stats().value().regions.front().erase_pending, "it is pending for ever");
    const auto file = raw_root_key_file(work() / "old.key");
    require(!holds_key(file, doomed_.key), "the old key stands in its file");
    require(what_ == What::rotate || live_slots(file).empty(), "the old file holds keys");
    check_records(store);
  }

  static void check_records(const Store& store) {
    const Tenant tenant = store.tenant("acme", Actor("test")).value();
    const Activity activity = tenant.activity(tenant.purpose("ratings").value()).value();
    auto alice = tenant.subject(SubjectId("alice")).value();
    require(text_of(activity.get(alice, RecordName("first"))) == "one", "a record is missing");
    require(tenant.erase(std::move(alice)).has_value(), "nobody is erased any more");
    require(text_of(activity.get(tenant.subject(SubjectId("bob")).value(), RecordName("first"))) ==
                "one",
            "another's record is missing");
  }

  What what_;
  TempDirectory home_{"custody"};
  LiveSlot doomed_;
};

void stop_everywhere(Custody::What what, std::size_t steps_min) {
  Custody custody(what);
  for (const Then then : {Then::stop, Then::stop_torn, Then::power_loss}) {
    std::size_t at = 1;
    while (custody.stops_at({.at = at, .then = then}) && !testing::Test::HasFailure()) ++at;
    EXPECT_GE(at, steps_min);
  }
}

TEST(Crash, InRotatingARootKeyLeavesEveryRecordAndNoKeyThatWasDestroyed) {
  stop_everywhere(Custody::What::rotate, 5);
}

TEST(Crash, InMovingARootKeyLeavesItInOneFileOrTheOther) {
  stop_everywhere(Custody::What::migrate, 12);
}

}  // namespace
}  // namespace efface::test
