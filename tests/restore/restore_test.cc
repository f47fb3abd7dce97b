// What restoring does again, what it reports as undone, and what it sweeps.
#include <algorithm>
#include <fstream>

#include "support/two_regions.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

class RestoreTest : public TwoRegionsTest {
 protected:
  void SetUp() override {
    TwoRegionsTest::SetUp();
    PurposeTerms news{"news", LegalBasis::consent};
    ASSERT_TRUE(tenant_->declare_purpose(news));
    PurposeTerms logs{"logs", LegalBasis::contract, Days(10)};
    ASSERT_TRUE(tenant_->declare_purpose(logs));
  }

  void close_all() {
    tenant_.reset();
    eu_.reset();
    us_.reset();
    store_.reset();
  }
  void open_again() {
    auto store = Store::open(options());
    ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
    store_.emplace(*std::move(store));
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }

  Purpose purpose(std::string_view called) { return tenant_->purpose(called).value(); }
  Activity activity(std::string_view called) { return tenant_->activity(purpose(called)).value(); }
  void put(std::string_view id, std::string_view called, std::string_view value) {
    const SubjectId ids[] = {SubjectId(id)};
    const auto subjects = tenant_->find_or_enrol(ids, *eu_);
    ASSERT_TRUE(subjects);
    if (called == "news") {
      ASSERT_TRUE(tenant_->grant(subjects->front(), purpose("news"), {}));
    }
    const auto done = activity(called).put(subjects->front(), RecordName("r"), as_bytes(value));
    ASSERT_TRUE(done) << name(done.error().code());
  }
  std::string get(std::string_view id, std::string_view called) {
    const auto subject = tenant_->subject(SubjectId(id));
    if (!subject) return name(subject.error().code());
    return text_of(activity(called).get(*subject, RecordName("r")));
  }

  // The keyring as of then, and the root key file that opens it: what a recovery may bring. (A root
  // key file is not to be copied; here it stands for whatever opens an older keyring.)
  void save() {
    close_all();
    for (const char* what : {"store/eu/keyring", "eu"}) {
      fs::create_directories((home_ / "saved" / what).parent_path());
      fs::copy(home_ / what, home_ / "saved" / what, fs::copy_options::recursive);
    }
    eu_keys_.reset();
    eu_keys_ = FileRootKeyStore::open(root_key_options(home_ / "eu")).value();
    open_again();
  }
  void go_back() {
    close_all();
    eu_keys_.reset();
    for (const char* what : {"store/eu/keyring", "eu"}) {
      fs::remove_all(home_ / what);
      fs::copy(home_ / "saved" / what, home_ / what, fs::copy_options::recursive);
    }
    eu_keys_ = FileRootKeyStore::open(root_key_options(home_ / "eu")).value();
  }
  RestoredRegion restore(const RestoreOptions& how = {}) {
    const auto report = Store::restore(options(), how);
    EXPECT_TRUE(report) << name(report.error().code()) << ": " << report.error().note();
    if (!report) return {};
    EXPECT_EQ(report->regions.at(0).name, "eu");
    return report->regions[0];
  }
};
using RestoreClaim = RestoreTest;

TEST_F(RestoreClaim, WhatWasDestroyedSinceIsDestroyedAgainAndTheRestIsReported) {
  for (const char* id : {"erased", "kept", "mallory", "moved"}) put(id, "ratings", "hers");
  put("withdrawn", "ratings", "stays");
  put("withdrawn", "news", "goes");
  put("kept", "logs", "a day's");
  put("shredded", "ratings", "goes");
  save();
  ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId("erased")).value()));
  ASSERT_TRUE(tenant_->withdraw(tenant_->subject(SubjectId("withdrawn")).value(), purpose("news")));
  ASSERT_TRUE(tenant_->suppress(SubjectId("mallory")));
  ASSERT_TRUE(tenant_->transfer(tenant_->subject(SubjectId("moved")).value(), *us_,
                                TransferBasis::adequacy));
  ASSERT_TRUE(tenant_->restrict(tenant_->subject(SubjectId("kept")).value()));
  // Nothing is left to do of the one; and the other destroyed a scope.
  ASSERT_TRUE(tenant_->export_subject(tenant_->subject(SubjectId("kept")).value(), {},
                                      [](Bytes) -> Status { return {}; }));
  ASSERT_TRUE(activity("ratings").remove(tenant_->subject(SubjectId("shredded")).value(),
                                         RecordName("r"), Shred::now));
  put("newcomer", "ratings", "new");
  advance(Days(15));
  const auto maintained = store_->maintain();
  ASSERT_TRUE(maintained);
  ASSERT_EQ(maintained->buckets_expired, 1u);
  go_back();
  ASSERT_EQ(code_of(Store::open(options())), Errc::keyring_stale);
  const RestoredRegion report = restore();
  EXPECT_EQ(report.people_erased, 3u);  // Of them one was moved, and one suppressed.
  EXPECT_EQ(report.scopes_destroyed, 2u);
  EXPECT_EQ(report.people_suppressed, 1u);
  EXPECT_EQ(report.days_expired, 1u);
  EXPECT_GT(report.entries_applied, 6u);
  EXPECT_GT(report.orphans_swept, 0u);  // The newcomer's records have no key any more.
  EXPECT_EQ(report.undone, (std::vector<std::pair<std::string, std::uint64_t>>{{"enrolled", 1},
                                                                               {"restricted", 1}}));
  open_again();
  EXPECT_EQ(get("erased", "ratings"), "subject_unknown");
  EXPECT_EQ(get("mallory", "ratings"), "suppressed");
  EXPECT_EQ(get("withdrawn", "ratings"), "stays");
  EXPECT_EQ(get("withdrawn", "news"), "error: consent_missing");
  EXPECT_EQ(get("moved", "ratings"), "hers");  // Where she was moved to.
  EXPECT_EQ(tenant_->subject(SubjectId("moved"))->home().name(), "us");
  EXPECT_EQ(get("kept", "ratings"), "hers");
  EXPECT_EQ(get("shredded", "ratings"), "absent");
  EXPECT_EQ(get("newcomer", "ratings"), "subject_unknown");
}

TEST_F(RestoreClaim, TheLedgerGoesOnFromWhereItWas) {
  put("alice", "ratings", "hers");
  save();
  ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId("alice")).value()));
  const std::string before = store_->checkpoint(*eu_).value();
  go_back();
  restore();
  open_again();
  // Its signing key was made after the copy, and is another now; the tree goes on.
  std::vector<std::string> kinds;
  ASSERT_TRUE(store_->each_decision(*eu_, 0, [&](const Decision& decision) {
    kinds.emplace_back(decision.what);
    return Flow::more;
  }));
  ASSERT_GE(kinds.size(), 2u);
  EXPECT_EQ(kinds[kinds.size() - 2], "erased");
  EXPECT_EQ(kinds.back(), "restored");
}

TEST_F(RestoreClaim, DoneTwiceNothingIsAppliedTwice) {
  put("alice", "ratings", "hers");
  save();
  ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId("alice")).value()));
  go_back();
  EXPECT_EQ(restore().people_erased, 1u);
  const RestoredRegion again = restore();
  EXPECT_EQ(again.entries_applied, 0u);
  EXPECT_EQ(again.people_erased, 0u);
  EXPECT_EQ(again.orphans_swept, 0u);
  open_again();
  EXPECT_EQ(get("alice", "ratings"), "subject_unknown");
}

TEST_F(RestoreClaim, ABackupOfTheRecordsTakesTheirPlaceAndTheErasedAreNoiseInIt) {
  put("alice", "ratings", "hers");
  put("bob", "ratings", "first");
  ASSERT_TRUE(store_->backup({home_ / "backup", {}}));
  ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId("alice")).value()));
  put("bob", "ratings", "second");
  put("carol", "ratings", "new");
  close_all();
  const auto report = Store::restore(options(), {home_ / "backup"});
  ASSERT_TRUE(report) << name(report.error().code()) << report.error().note();
  EXPECT_TRUE(report->regions[0].records_replaced);
  EXPECT_TRUE(report->regions[0].records_older);
  EXPECT_GT(report->regions[0].orphans_swept, 0u);
  open_again();
  EXPECT_EQ(get("alice", "ratings"), "subject_unknown");
  EXPECT_EQ(get("bob", "ratings"), "first");
  EXPECT_EQ(get("carol", "ratings"), "absent");
}

TEST_F(RestoreClaim, OlderRecordsThatWereCopiedBackOpenOnlyThroughRestore) {
  put("bob", "ratings", "first");
  close_all();
  fs::copy(home_ / "store/eu/records", home_ / "records", fs::copy_options::recursive);
  open_again();
  put("carol", "ratings", "new");
  put("dora", "ratings", "new");  // Her enrolment puts down that carol's record was written.
  close_all();
  fs::remove_all(home_ / "store/eu/records");
  fs::copy(home_ / "records", home_ / "store/eu/records", fs::copy_options::recursive);
  EXPECT_EQ(code_of(Store::open(options())), Errc::records_stale);
  EXPECT_TRUE(restore().records_older);
  open_again();
  EXPECT_EQ(get("bob", "ratings"), "first");
  close_all();
  open_again();
}

// What a hold delayed is delayed still where the hold is in the older keyring too.
TEST_F(RestoreClaim, WhoWasSuppressedUnderAHoldIsSuppressedAgain) {
  const auto person = [&](const char* id) { return tenant_->subject(SubjectId(id)).value(); };
  for (const char* id : {"before", "after"}) put(id, "ratings", "hers");
  put("before", "news", "hers");
  ASSERT_TRUE(tenant_->hold(person("before"), {"litigation", "case 1"}));
  save();
  ASSERT_TRUE(tenant_->hold(person("after"), {"litigation", "case 2"}));
  ASSERT_TRUE(tenant_->withdraw(person("before"), purpose("news")));
  for (const char* id : {"before", "after"}) EXPECT_EQ(tenant_->suppress(SubjectId(id))->held, 1u);
  go_back();
  const RestoredRegion report = restore();
  EXPECT_EQ(report.people_suppressed, 2u);
  EXPECT_EQ(report.people_erased, 1u);
  EXPECT_NE(std::ranges::find(report.undone,
                              std::pair(std::string("consent_withdrawn"), std::uint64_t{1})),
            report.undone.end());
  open_again();
  EXPECT_EQ(get("before", "ratings"), "error: suppressed");
  EXPECT_EQ(get("after", "ratings"), "suppressed");
  EXPECT_EQ(tenant_->count({.held = true}).value(), 1u);
}

TEST_F(RestoreClaim, ATenantThatWasOffBoardedSinceIsOffBoardedAgain) {
  put("alice", "ratings", "hers");
  save();
  const auto plan = store_->prepare_offboard(*tenant_);
  ASSERT_TRUE(plan);
  ASSERT_TRUE(store_->offboard(*std::move(tenant_), plan->token));
  go_back();
  const RestoredRegion report = restore();
  EXPECT_EQ(report.tenants_offboarded, 1u);
  EXPECT_GT(report.orphans_swept, 0u);
  tenant_.reset();
  auto store = Store::open(options());
  ASSERT_TRUE(store);
  EXPECT_EQ(code_of(store->tenant("acme", Actor("test"))), Errc::tenant_unknown);
}

// A crash left them half way: whichever records are whole are those in use.
TEST_F(RestoreClaim, RecordsThatWereBeingExchangedAreThoseThatAreThere) {
  put("bob", "ratings", "first");
  ASSERT_TRUE(store_->backup({home_ / "backup", {}}));
  put("bob", "ratings", "second");
  close_all();
  const fs::path records = home_ / "store/eu/records";
  fs::copy(home_ / "backup/eu/records", home_ / "store/eu/records.old",
           fs::copy_options::recursive);
  restore();  // The new ones came.
  EXPECT_FALSE(fs::exists(home_ / "store/eu/records.old"));
  open_again();
  EXPECT_EQ(get("bob", "ratings"), "second");
  close_all();
  fs::rename(records, home_ / "store/eu/records.old");
  fs::create_directory(home_ / "store/eu/records.new");
  fs::permissions(home_ / "store/eu/records.new", fs::perms::owner_all);
  restore();  // They did not.
  EXPECT_FALSE(fs::exists(home_ / "store/eu/records.old"));
  EXPECT_FALSE(fs::exists(home_ / "store/eu/records.new"));
  open_again();
  EXPECT_EQ(get("bob", "ratings"), "second");
}

TEST_F(RestoreClaim, ARegionThatIsNotAskedForIsLeftAsItIs) {
  put("bob", "ratings", "first");
  ASSERT_TRUE(store_->backup({home_ / "backup", {}}));
  close_all();
  OpenOptions narrow = options();
  narrow.regions.pop_back();
  const auto report = Store::restore(narrow, {home_ / "backup"});
  ASSERT_TRUE(report) << name(report.error().code()) << report.error().note();
  ASSERT_EQ(report->regions.size(), 1u);
  EXPECT_EQ(report->regions[0].name, "eu");
  EXPECT_TRUE(report->regions[0].records_replaced);
}

TEST_F(RestoreClaim, LostRecordsAreSaidAndBegunAnewOnlyWhenAsked) {
  put("bob", "ratings", "first");
  close_all();
  fs::remove_all(home_ / "store/eu/records");
  EXPECT_EQ(code_of(Store::open(options())), Errc::store_missing);
  EXPECT_EQ(code_of(Store::restore(options(), {})), Errc::store_missing);
  RestoreOptions none;
  none.without_records = true;
  restore(none);
  open_again();
  EXPECT_EQ(get("bob", "ratings"), "absent");
}

TEST_F(RestoreClaim, ABackupOfAnotherStoreOrADamagedOneIsRefusedAndNothingChanges) {
  put("bob", "ratings", "first");
  ASSERT_TRUE(store_->backup({home_ / "backup", {}}));
  close_all();
  const fs::path data = home_ / "backup/eu/records/data.mdb";
  std::fstream file(data, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(5000);
  file.put('x');
  file.close();
  EXPECT_EQ(code_of(Store::restore(options(), {home_ / "backup"})), Errc::corruption);
  {
    OpenOptions other = options();
    other.directory = home_ / "other";
    const auto eu = FileRootKeyStore::create(root_key_options(home_ / "other_eu")).value();
    const auto us = FileRootKeyStore::create(root_key_options(home_ / "other_us")).value();
    other.regions[0].root_keys = eu.get();
    other.regions[1].root_keys = us.get();
    ASSERT_TRUE(Store::create(other)->backup({home_ / "other backup", {}}));
  }
  EXPECT_EQ(code_of(Store::restore(options(), {home_ / "other backup"})), Errc::region_mismatch);
  open_again();
  EXPECT_EQ(get("bob", "ratings"), "first");
}

}  // namespace
}  // namespace efface::test
