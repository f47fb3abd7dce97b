// Retention: what expires, how it is destroyed, and a clock that cannot be trusted.
#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

using namespace std::chrono_literals;
using Retention = RightsTest;

TEST_F(Retention, RefusesAtExpiryAndDestroysTheDayWithOneEpochForAllTenants) {
  const Region both[] = {*eu_, *us_};
  const Tenant other = store_->declare_tenant("other", both, Actor("test")).value();
  PurposeTerms terms;
  terms.name = "logs";
  terms.retention = Days(30);
  const Activity others = other.activity(other.declare_purpose(terms).value()).value();
  ASSERT_TRUE(others.put(SubjectId("zoe"), *eu_, RecordName("a"), as_bytes("z")));
  const Subject alice = enrol("alice");
  put(alice, "logs", "a", "x");
  put(alice, "ratings", "b", "kept");
  EXPECT_EQ(maintain().buckets_expired, 0u);
  advance(Days(31));
  EXPECT_EQ(get(alice, "logs", "a"), "error: expired");
  const Epoch before = store_->stats()->regions[0].epoch;
  const Maintained done = maintain();
  EXPECT_EQ(done.buckets_expired, 2u);
  EXPECT_EQ(done.records_removed, 2u);
  EXPECT_FALSE(done.expiry_waits);
  EXPECT_EQ(store_->stats()->regions[0].epoch, before + 1);
  EXPECT_EQ(get(alice, "logs", "a"), "absent");  // Swept.
  EXPECT_EQ(get(alice, "ratings", "b"), "kept");
}

TEST_F(Retention, OfOneRecordMayBeShorterThanItsPurposes) {
  const Subject alice = enrol("alice");
  PutOptions options;
  options.retention = Days(2);
  put(alice, "logs", "short", "x", options);
  put(alice, "logs", "long", "y");
  options.retention = Days(31);
  EXPECT_EQ(code_of(activity("logs").put(alice, RecordName("c"), as_bytes("z"), options)),
            Errc::invalid_argument);
  advance(Days(3));
  EXPECT_EQ(maintain().buckets_expired, 1u);
  EXPECT_EQ(get(alice, "logs", "short"), "absent");
  EXPECT_EQ(get(alice, "logs", "long"), "y");
}

TEST_F(Retention, DoesNotShredWhenTheClockJumps) {
  const Subject alice = enrol("alice");
  put(alice, "logs", "a", "x");
  advance(Days(3'000));
  EXPECT_EQ(get(alice, "logs", "a"), "error: expired");
  const Maintained jumped = maintain();
  EXPECT_TRUE(jumped.expiry_waits);
  EXPECT_EQ(jumped.buckets_expired, 0u);
  go_back(Days(3'000));
  EXPECT_EQ(get(alice, "logs", "a"), "x");  // The clock is mended, and nothing was lost.
}

TEST_F(Retention, BeyondTheBoundIsDestroyedWhenItsPlanIsConfirmed) {
  const Subject alice = enrol("alice");
  put(alice, "logs", "a", "x");
  advance(Days(3'000));
  const auto plan = store_->prepare_expiry();
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->buckets, 1u);
  EXPECT_EQ(plan->tenants, 1u);
  EXPECT_EQ(plan->first, plan->last);
  EXPECT_EQ(code_of(store_->commit_expiry("0123456789abcdef0123456789abcdef")), Errc::conflict);
  EXPECT_EQ(get(alice, "logs", "a"), "error: expired");
  const auto done = store_->commit_expiry(plan->token);
  ASSERT_TRUE(done) << name(done.error().code());
  EXPECT_EQ(done->buckets_expired, 1u);
  EXPECT_EQ(done->records_removed, 1u);
  EXPECT_EQ(code_of(store_->commit_expiry(plan->token)), Errc::conflict);  // Of another plan.
}

TEST_F(Retention, OfADayThatWasDestroyedIsNeverMadeAgain) {
  const Subject alice = enrol("alice");
  PutOptions options;
  options.retention = Days(1);
  put(alice, "logs", "a", "x", options);
  advance(Days(10));
  EXPECT_EQ(maintain().buckets_expired, 1u);
  go_back(Days(10));
  EXPECT_EQ(code_of(activity("logs").put(alice, RecordName("b"), as_bytes("y"), options)),
            Errc::expired);
  put(alice, "logs", "c", "z");  // Thirty days on there was nothing yet.
  EXPECT_EQ(get(alice, "logs", "c"), "z");
}

TEST_F(Retention, OfWhatIsReadAfterItsKeyIsGoneIsExpiredWhateverTheClockSays) {
  const Subject alice = enrol("alice");
  PutOptions options;
  options.retention = Days(1);
  put(alice, "logs", "a", "x", options);
  SCOPED_TRACE("the ciphertext is kept: a crash before the sweep");
  advance(Days(2));
  const auto plan = store_->prepare_expiry();
  ASSERT_TRUE(plan);
  EXPECT_EQ(get(alice, "logs", "a"), "error: expired");
  ASSERT_TRUE(store_->commit_expiry(plan->token));
  EXPECT_EQ(get(alice, "logs", "a"), "absent");
}

TEST_F(Retention, LooksAfterItselfWhenMaintainedDaily) {
  const Subject alice = enrol("alice");
  PutOptions options;
  options.retention = Days(1);
  put(alice, "logs", "a", "x", options);
  advance(Days(2));
  EXPECT_EQ(maintain().buckets_expired, 1u);
  options.retention = Days(30);
  put(alice, "logs", "b", "y", options);
  for (int day = 0; day < 30; ++day) {
    advance(Days(1));
    EXPECT_EQ(maintain().buckets_expired, 0u);
  }
  advance(Days(1));
  const Maintained last = maintain();
  EXPECT_FALSE(last.expiry_waits);
  EXPECT_EQ(last.buckets_expired, 1u);
}

TEST_F(Retention, ClockBeforeOrFarBeyondAnyDayIsNoDisaster) {
  const Subject alice = enrol("alice");
  put(alice, "logs", "a", "x");
  const auto now = offset_;
  offset_ = -std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  EXPECT_EQ(maintain().buckets_expired, 0u);
  offset_ = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::years(200));
  EXPECT_TRUE(maintain().expiry_waits);
  offset_ = now;
  EXPECT_EQ(get(alice, "logs", "a"), "x");
}

using Residue = RightsTest;

TEST_F(Residue, IsCountedWithItsAge) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  EXPECT_EQ(store_->stats()->regions[0].residue_records, 0u);
  EXPECT_FALSE(store_->stats()->regions[0].residue_oldest);
  put(alice, "ratings", "a", "y");
  advance(Days(1));
  ASSERT_TRUE(ratings().remove(alice, RecordName("a")));
  const RegionStats stats = store_->stats()->regions[0];
  EXPECT_EQ(stats.residue_records, 2u);
  EXPECT_GT(stats.residue_bytes, 100u);
  ASSERT_TRUE(stats.residue_oldest);
  EXPECT_LT(*stats.residue_oldest, std::chrono::system_clock::now() + 1s);
}

TEST_F(Residue, IsReKeyedWithinTheWindowAndEverythingElseStays) {
  const Subject alice = enrol("alice");
  for (int i = 0; i < 20; ++i) put(alice, "ratings", "r" + std::to_string(i), std::to_string(i));
  const Purpose also[] = {purpose("news")};
  PutOptions options;
  options.also_permitted = also;
  put(alice, "ratings", "shared", "s", options);
  put(alice, "ratings", "r3", "three");
  EXPECT_EQ(maintain().scopes_rekeyed, 0u);  // Too young.
  MaintainOptions small;
  small.records_per_commit_max = 3;
  advance(Days(8));
  EXPECT_EQ(maintain(small).scopes_rekeyed, 1u);
  EXPECT_EQ(store_->stats()->regions[0].residue_records, 0u);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(get(alice, "ratings", "r" + std::to_string(i)), i == 3 ? "three" : std::to_string(i));
  grant(alice);
  EXPECT_EQ(get(alice, "news", "shared"), "s");
  EXPECT_EQ(maintain().scopes_rekeyed, 0u);
}

TEST_F(Residue, OfARemovalIsShreddedAtOnceWhenAsked) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  put(alice, "ratings", "b", "y");
  const Epoch before = store_->stats()->regions[0].epoch;
  const auto removed = ratings().remove(alice, RecordName("a"), Shred::now);
  ASSERT_TRUE(removed) << name(removed.error().code());
  EXPECT_TRUE(*removed);
  EXPECT_GT(store_->stats()->regions[0].epoch, before);
  EXPECT_EQ(get(alice, "ratings", "a"), "absent");
  EXPECT_EQ(get(alice, "ratings", "b"), "y");
  maintain();
  EXPECT_EQ(store_->stats()->regions[0].residue_records, 0u);
}

TEST_F(Residue, ReKeyingRefusesABatchThatWasSealedBeforeIt) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  Batch sealed = ratings().batch(*eu_);
  ASSERT_TRUE(sealed.put(alice, RecordName("b"), as_bytes("y")));
  ASSERT_TRUE(ratings().remove(alice, RecordName("a"), Shred::now));
  EXPECT_EQ(code_of(ratings().commit(std::move(sealed))), Errc::conflict);
  put(alice, "ratings", "b", "z");
  EXPECT_EQ(get(alice, "ratings", "b"), "z");
}

TEST_F(Residue, ReKeyingKeepsAnObjection) {
  const Subject alice = enrol("alice");
  put(alice, "fraud", "a", "x");
  put(alice, "fraud", "a", "y");
  ASSERT_TRUE(tenant_->object(alice, purpose("fraud")));
  advance(Days(8));
  EXPECT_EQ(maintain().scopes_rekeyed, 1u);
  EXPECT_EQ(get(alice, "fraud", "a"), "error: objected");
}

TEST_F(Retention, SaysHowFarItsUpkeepIs) {
  for (const std::string id : {"alice", "bob", "carol", "dave"}) {
    const Subject subject = enrol(id);
    for (const char* record : {"a", "b", "c"}) put(subject, "ratings", record, id);
    put(subject, "ratings", "a", "again");  // Residue.
  }
  for (const char* id : {"alice", "bob"}) ASSERT_TRUE(tenant_->erase(find(id)));
  std::vector<Progress> told;
  MaintainOptions options;
  options.residue_window = {};
  options.records_per_commit_max = 1;
  options.on_progress = [&](const Progress& at) {
    EXPECT_TRUE(told.empty() || at.done >= told.back().done);
    EXPECT_LE(at.done, at.total);
    told.push_back(at);
  };
  const Maintained done = maintain(options);
  ASSERT_GT(told.size(), 2u);
  EXPECT_LT(told.front().done, told.back().done);
  EXPECT_EQ(told.back().done, told.back().total);
  EXPECT_GE(told.back().done, done.scopes_rekeyed + done.queue_entries);
  EXPECT_GE(done.scopes_rekeyed, 2u);
  told.clear();
  maintain(options);  // Nothing is due.
  EXPECT_EQ(told.size(), 1u);
  EXPECT_EQ(told.back().total, 0u);
}

}  // namespace
}  // namespace efface::test
