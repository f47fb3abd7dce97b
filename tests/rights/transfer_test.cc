// Residency: where people may be read, and how they move.
#include <filesystem>
#include <functional>
#include <utility>

#include "rights/rights_fixture.h"
#include "support/bad_root_keys.h"

namespace efface::test {
namespace {

using Transfers = RightsTest;

// Records of a day whose keys are destroyed, which an older copy brought back.
class Overdue : public RightsTest {
 protected:
  void SetUp() override {
    namespace fs = std::filesystem;
    RightsTest::SetUp();
    for (const char* id : {"alice", "bob"}) {
      put(enrol(id), "logs", "old", "gone");
      put(find(id), "ratings", "r", id);
    }
    const fs::path records = home_ / "store/eu/records";
    close_all();
    fs::copy(records, home_ / "records", fs::copy_options::recursive);
    reopen();
    advance(Days(31));
    ASSERT_EQ(maintain().buckets_expired, 1u);
    EXPECT_EQ(get(find("alice"), "logs", "old"), "absent");
    close_all();
    fs::remove_all(records);
    fs::copy(home_ / "records", records, fs::copy_options::recursive);
    ASSERT_TRUE(Store::restore(options(), {}));
    reopen();
    EXPECT_EQ(get(find("alice"), "logs", "old"), "error: expired");
  }
};

TEST_F(Overdue, RecordsAreNotTold) {
  std::string text;
  ASSERT_TRUE(tenant_->export_subject(find("alice"), {}, [&](Bytes piece) -> Status {
    text += as_text(piece);
    return {};
  }));
  EXPECT_NE(text.find("\"r\""), std::string::npos);
  EXPECT_EQ(text.find("gone"), std::string::npos);
  std::size_t seen = 0;
  EXPECT_TRUE(activity("logs").scan(find("alice"), {}, [&](std::string_view, Bytes) {
    ++seen;
    return Flow::more;
  }));
  EXPECT_EQ(seen, 0u);
}

TEST_F(Overdue, RecordsAreNotMoved) {
  ASSERT_TRUE(tenant_->transfer(find("alice"), *us_, TransferBasis::adequacy));
  EXPECT_EQ(get(find("alice"), "logs", "old"), "absent");
  EXPECT_EQ(get(find("alice"), "ratings", "r"), "alice");
}

TEST_F(Overdue, RecordsAreNotMerged) {
  const Subject alice = find("alice");
  ASSERT_TRUE(tenant_->merge(alice, find("bob")));
  EXPECT_NE(get(alice, "logs", "old"), "gone");
  EXPECT_NE(get(alice, "ratings", "r"), "absent");
}

TEST_F(Overdue, RecordsOfAScopeThatIsReKeyedGo) {
  const Subject alice = find("alice");
  put(alice, "logs", "new", "a day's");
  ASSERT_TRUE(activity("logs").remove(alice, RecordName("new"), Shred::now));
  EXPECT_EQ(get(alice, "logs", "old"), "absent");
  EXPECT_EQ(get(alice, "ratings", "r"), "alice");
}

TEST_F(Transfers, MoveAllOfHerAndEraseHerWhereSheWas) {
  const Subject alice = enrol("alice");
  grant(alice);
  put(alice, "news", "a", "of news");
  put(alice, "ratings", "b", "of ratings");
  put(alice, "logs", "c", "for thirty days");
  ASSERT_TRUE(tenant_->object(alice, purpose("fraud")));
  const auto moved = tenant_->transfer(alice, *us_, TransferBasis::standard_clauses);
  ASSERT_TRUE(moved) << name(moved.error().code()) << ": " << moved.error().note();
  EXPECT_EQ(moved->erased, 1u);
  ASSERT_EQ(moved->regions.size(), 1u);
  EXPECT_EQ(moved->regions[0].region, "eu");
  EXPECT_EQ(get(alice, "ratings", "b"), "error: subject_erased");  // Who she was there.
  const Subject there = find("alice");
  EXPECT_EQ(there.home().name(), "us");
  EXPECT_EQ(get(there, "news", "a"), "of news");
  EXPECT_EQ(get(there, "ratings", "b"), "of ratings");
  EXPECT_EQ(get(there, "logs", "c"), "for thirty days");
  EXPECT_EQ(get(there, "fraud", "d"), "error: objected");
  const std::vector<std::string> events = events_of(there);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0], "consent_granted news");
  EXPECT_EQ(events[2], "transferred");
  EXPECT_TRUE(tenant_->dossier(there, [](const Dossier& dossier) {
    EXPECT_EQ(dossier.events.back().text_version, "standard_clauses");
    EXPECT_EQ(dossier.events.back().channel, "eu");
  }));
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("alice"), *eu_)), Errc::region_mismatch);
  maintain();
  EXPECT_EQ(store_->stats()->regions[0].records, 0u);
  advance(Days(31));
  EXPECT_EQ(get(there, "logs", "c"), "error: expired");
}

TEST_F(Transfers, ThatMayNotBeAreRefusedAndNothingChanges) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  const Region only_eu[] = {*eu_};
  const Tenant narrow = store_->declare_tenant("narrow", only_eu, Actor("test")).value();
  const Subject zoe = narrow.enrol(SubjectId("zoe"), *eu_).value();
  EXPECT_EQ(code_of(narrow.transfer(zoe, *us_, TransferBasis::adequacy)),
            Errc::region_not_permitted);
  EXPECT_EQ(code_of(tenant_->transfer(alice, *eu_, TransferBasis::adequacy)),
            Errc::invalid_argument);
  EXPECT_EQ(code_of(tenant_->transfer(alice, *us_, TransferBasis{9})), Errc::invalid_argument);
  const auto number = tenant_->hold(alice, {"litigation", "case", {}});
  EXPECT_EQ(code_of(tenant_->transfer(alice, *us_, TransferBasis::adequacy)), Errc::legal_hold);
  ASSERT_TRUE(tenant_->release(alice, *number));
  EXPECT_EQ(get(alice, "ratings", "a"), "x");
  EXPECT_EQ(find("alice").home().name(), "eu");
}

TEST_F(Transfers, ThereAndBackLoseNothing) {
  {
    put(enrol("alice"), "ratings", "a", "x");
  }
  for (const Region& to : {*us_, *eu_, *us_})
    ASSERT_TRUE(tenant_->transfer(find("alice"), to, TransferBasis::adequacy));
  reopen();
  EXPECT_EQ(get(find("alice"), "ratings", "a"), "x");
  const SubjectId ids[] = {SubjectId("alice")};
  EXPECT_EQ(tenant_->erase(ids)->erased, 1u);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"))), Errc::subject_unknown);
}

// Does something just before an erasure begins: of a transfer, when all is copied.
class RootKeysThatPause final : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    if (meanwhile) std::exchange(meanwhile, {})();
    return RootKeysOver::wrap(epoch, context, key);
  }
  std::function<void()> meanwhile;
};

TEST_F(Transfers, OfWhomNothingIsWrittenMeanwhileAndAllIsRead) {
  close_all();
  RootKeysThatPause pausing(std::move(eu_keys_));
  OpenOptions paused = options();
  paused.regions[0].root_keys = &pausing;
  store_.emplace(Store::open(paused).value());
  take_regions();
  tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  std::optional<Subject> someone(enrol("alice"));
  const Subject& alice = *someone;
  put(alice, "ratings", "a", "x");
  bool looked = false;
  pausing.meanwhile = [&] {
    looked = true;
    EXPECT_EQ(get(alice, "ratings", "a"), "x");
    EXPECT_EQ(code_of(ratings().put(alice, RecordName("b"), as_bytes("y"))),
              Errc::transfer_pending);
    EXPECT_EQ(find("alice").home().name(), "eu");
  };
  ASSERT_TRUE(tenant_->transfer(alice, *us_, TransferBasis::adequacy));
  EXPECT_TRUE(looked);
  EXPECT_EQ(get(find("alice"), "ratings", "a"), "x");
  EXPECT_EQ(get(find("alice"), "ratings", "b"), "absent");
  someone.reset();
  close_all();  // The root key store ends here.
}

class Residency : public RightsTest {
 protected:
  void reopen_in(std::string region) {
    close_all();
    OpenOptions here = options();
    here.processing_region = std::move(region);
    auto store = Store::open(here);
    ASSERT_TRUE(store) << name(store.error().code());
    store_.emplace(*std::move(store));
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }
};

TEST_F(Residency, RefusesReadingAnotherRegionsPeopleWithoutARule) {
  put(enrol("alice"), "ratings", "a", "x");
  reopen_in("us");
  EXPECT_EQ(get(find("alice"), "ratings", "a"), "error: transfer_not_permitted");
  EXPECT_EQ(code_of(ratings().update(
                find("alice"), RecordName("a"),
                [](std::optional<Bytes>) -> Result<Update> { return Update::keep(); })),
            Errc::transfer_not_permitted);
  ASSERT_TRUE(tenant_->permit_transfer({"eu", "us", TransferBasis::adequacy}));
  EXPECT_EQ(get(find("alice"), "ratings", "a"), "x");
  reopen_in("us");
  EXPECT_EQ(get(find("alice"), "ratings", "a"), "x");
  ASSERT_EQ(tenant_->transfer_rules()->size(), 1u);
  reopen_in("elsewhere");
  EXPECT_EQ(get(find("alice"), "ratings", "a"), "error: transfer_not_permitted");
  reopen_in("eu");
  EXPECT_EQ(get(find("alice"), "ratings", "a"), "x");
}

TEST_F(Residency, RulesNameARegionOfTheTenantAndAnother) {
  EXPECT_EQ(code_of(tenant_->permit_transfer({"mars", "us", TransferBasis::adequacy})),
            Errc::region_unknown);
  EXPECT_EQ(code_of(tenant_->permit_transfer({"eu", "eu", TransferBasis::adequacy})),
            Errc::invalid_argument);
  EXPECT_EQ(code_of(tenant_->permit_transfer({"eu", "Us", TransferBasis::adequacy})),
            Errc::invalid_argument);
  EXPECT_TRUE(tenant_->transfer_rules()->empty());
}

using Agreements = RightsTest;

TEST_F(Agreements, AreKeptAndMayBeRequiredBeforeTheFirstWrite) {
  EXPECT_FALSE(*tenant_->agreement());
  close_all();
  OpenOptions strict = options();
  strict.require_agreement = true;
  store_.emplace(Store::open(strict).value());
  take_regions();
  tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("alice"), *eu_)), Errc::agreement_missing);
  const Agreement agreement{"DPA 2026/7", std::chrono::sys_days(std::chrono::days(20'000))};
  EXPECT_EQ(code_of(tenant_->set_agreement({"", agreement.date})), Errc::invalid_argument);
  ASSERT_TRUE(tenant_->set_agreement(agreement));
  EXPECT_EQ(**tenant_->agreement(), agreement);
  put(enrol("alice"), "ratings", "a", "x");
}

}  // namespace
}  // namespace efface::test
