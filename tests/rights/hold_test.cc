// Legal holds: what they block, and what their release carries out. And suppression.
#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

using namespace std::chrono_literals;

class Holds : public RightsTest {
 protected:
  HoldNumber hold(const Subject& subject, std::optional<TimePoint> until = std::nullopt) {
    const auto number = tenant_->hold(subject, {"litigation", "case 7", until});
    EXPECT_TRUE(number) << name(number.error().code()) << number.error().note();
    return number ? *number : 0;
  }
};

TEST_F(Holds, BlockErasureOnEveryPathAndCarryItOutOnRelease) {
  std::optional<Subject> alice(enrol("alice"));
  put(*alice, "ratings", "a", "x");
  const HoldNumber number = hold(*alice);
  EXPECT_EQ(code_of(tenant_->erase(find("alice"))), Errc::legal_hold);
  const SubjectId ids[] = {SubjectId("alice"), SubjectId("nobody")};
  const auto many = tenant_->erase(ids);
  ASSERT_TRUE(many);
  EXPECT_EQ(many->erased, 0u);
  EXPECT_EQ(many->held, 1u);
  EXPECT_EQ(many->unknown, 1u);
  EXPECT_EQ(get(*alice, "ratings", "a"), "error: restricted");  // Until it is decided.
  EXPECT_EQ(store_->stats()->regions[0].people_held, 1u);
  const auto plan = store_->prepare_offboard(*tenant_);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->held, 1u);
  {
    Tenant leaving = *tenant_;
    EXPECT_EQ(code_of(store_->offboard(std::move(leaving), plan->token)), Errc::legal_hold);
  }
  alice.reset();
  reopen();
  const Subject again = find("alice");
  const auto released = tenant_->release(again, number);
  ASSERT_TRUE(released) << name(released.error().code());
  EXPECT_EQ(released->erased, 1u);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"))), Errc::subject_unknown);
  EXPECT_EQ(store_->stats()->regions[0].people_held, 0u);
}

TEST_F(Holds, AreNamedWithBasisAndReason) {
  const Subject alice = enrol("alice");
  hold(alice);
  EXPECT_TRUE(tenant_->dossier(alice, [](const Dossier& dossier) {
    ASSERT_EQ(dossier.holds.size(), 1u);
    EXPECT_EQ(dossier.holds[0].number, 1u);
    EXPECT_EQ(dossier.holds[0].basis, "litigation");
    EXPECT_EQ(dossier.holds[0].reason, "case 7");
    EXPECT_FALSE(dossier.holds[0].until);
    EXPECT_FALSE(dossier.erasure_asked);
  }));
}

TEST_F(Holds, OfWhichOneRemainsGoOnHolding) {
  const Subject alice = enrol("alice");
  const HoldNumber one = hold(alice);
  const HoldNumber two = hold(alice);
  EXPECT_EQ(code_of(tenant_->erase(find("alice"))), Errc::legal_hold);
  ASSERT_TRUE(tenant_->release(alice, one));
  EXPECT_EQ(code_of(tenant_->release(alice, one)), Errc::hold_unknown);
  EXPECT_EQ(code_of(tenant_->erase(find("alice"))), Errc::legal_hold);
  EXPECT_EQ(tenant_->release(alice, two)->erased, 1u);
  EXPECT_EQ(code_of(tenant_->hold(alice, {"litigation", "late", {}})), Errc::subject_erased);
}

TEST_F(Holds, WithoutAnythingAskedLeaveHerAsSheWas) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  const HoldNumber number = hold(alice);
  put(alice, "ratings", "b", "y");
  EXPECT_EQ(tenant_->release(alice, number)->erased, 0u);
  EXPECT_EQ(get(alice, "ratings", "a"), "x");
  EXPECT_EQ(get(alice, "ratings", "b"), "y");
}

TEST_F(Holds, QueueTheDestructionOfAWithdrawalAndSpareALaterGrant) {
  const Subject alice = enrol("alice");
  grant(alice);
  put(alice, "news", "a", "old");
  const HoldNumber number = hold(alice);
  const auto withdrawn = tenant_->withdraw(alice, purpose("news"));
  ASSERT_TRUE(withdrawn);
  EXPECT_EQ(withdrawn->erased, 0u);
  EXPECT_EQ(withdrawn->held, 1u);
  EXPECT_EQ(get(alice, "news", "a"), "error: consent_missing");
  grant(alice);
  EXPECT_EQ(get(alice, "news", "a"), "absent");
  put(alice, "news", "b", "new");
  const std::uint64_t before = store_->stats()->regions[0].records;
  ASSERT_TRUE(tenant_->release(alice, number));
  EXPECT_EQ(get(alice, "news", "b"), "new");
  EXPECT_EQ(maintain().records_removed, 2u);  // Of the withdrawn scope: a record, a summary.
  EXPECT_EQ(store_->stats()->regions[0].records, before - 2);
}

TEST_F(Holds, EndByTheirDate) {
  const Subject alice = enrol("alice");
  hold(alice, std::chrono::system_clock::now() + 48h);
  EXPECT_EQ(code_of(tenant_->erase(find("alice"))), Errc::legal_hold);
  EXPECT_EQ(maintain().holds_ended, 0u);
  advance(Days(3));
  EXPECT_EQ(maintain().holds_ended, 1u);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"))), Errc::subject_unknown);
}

TEST_F(Holds, ThatCannotBeAreRefused) {
  const Subject alice = enrol("alice");
  const auto past = std::chrono::system_clock::now() - 1h;
  EXPECT_EQ(code_of(tenant_->hold(alice, {"Litigation", "x", {}})), Errc::invalid_argument);
  EXPECT_EQ(code_of(tenant_->hold(alice, {"litigation", "", {}})), Errc::invalid_argument);
  EXPECT_EQ(code_of(tenant_->hold(alice, {"litigation", "x", past})), Errc::invalid_argument);
  EXPECT_EQ(code_of(tenant_->hold(alice, {"litigation", std::string(1025, 'x'), {}})),
            Errc::too_large);
  for (int i = 0; i < 64; ++i) hold(alice);
  EXPECT_EQ(code_of(tenant_->hold(alice, {"litigation", "x", {}})), Errc::too_large);
}

TEST_F(Holds, KeepRecordsPastTheirDayAndTheReleaseDestroysThem) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  put(alice, "logs", "a", "of alice");
  put(bob, "logs", "b", "of bob");
  const HoldNumber number = hold(alice);
  advance(Days(31));
  const Maintained done = maintain();
  EXPECT_EQ(done.buckets_expired, 1u);
  EXPECT_EQ(done.records_kept, 1u);
  EXPECT_EQ(get(alice, "logs", "a"), "error: expired");  // Kept, not processed.
  const std::uint64_t with_kept = store_->stats()->regions[0].records;
  ASSERT_TRUE(tenant_->release(alice, number));
  EXPECT_EQ(store_->stats()->regions[0].records, with_kept - 1);
}

using Suppression = RightsTest;

TEST_F(Suppression, RefusesEveryWriteAndEnrolmentUntilReinstated) {
  std::optional<Subject> alice(enrol("alice"));
  put(*alice, "ratings", "a", "x");
  const auto suppressed = tenant_->suppress(SubjectId("alice"));
  ASSERT_TRUE(suppressed) << name(suppressed.error().code());
  EXPECT_EQ(suppressed->erased, 1u);
  EXPECT_EQ(get(*alice, "ratings", "a"), "error: subject_erased");
  alice.reset();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(code_of(tenant_->enrol(SubjectId("alice"), *eu_)), Errc::suppressed);
    EXPECT_EQ(code_of(tenant_->enrol(SubjectId("alice"), *us_)), Errc::suppressed);
    EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"))), Errc::suppressed);
    EXPECT_EQ(code_of(ratings().put(SubjectId("alice"), *us_, RecordName("a"), as_bytes("x"))),
              Errc::suppressed);
    reopen();
  }
  EXPECT_EQ(code_of(tenant_->reinstate(SubjectId("alice"), "")), Errc::invalid_argument);
  ASSERT_TRUE(tenant_->reinstate(SubjectId("alice"), "she asked for it"));
  EXPECT_EQ(code_of(tenant_->reinstate(SubjectId("alice"), "again")), Errc::subject_unknown);
  EXPECT_EQ(get(enrol("alice"), "ratings", "a"), "absent");
}

TEST_F(Suppression, IsPossibleForWhoWasNeverHereAndTwice) {
  EXPECT_EQ(tenant_->suppress(SubjectId("stranger"))->erased, 0u);
  EXPECT_EQ(tenant_->suppress(SubjectId("stranger"))->erased, 0u);
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("stranger"), *us_)), Errc::suppressed);
  EXPECT_TRUE(tenant_->enrol(SubjectId("other"), *us_));
}

TEST_F(Suppression, UnderAHoldRefusesAtOnceAndErasesOnRelease) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  const auto number = tenant_->hold(alice, {"litigation", "case 7", {}});
  ASSERT_TRUE(number);
  EXPECT_EQ(tenant_->suppress(SubjectId("alice"))->held, 1u);
  EXPECT_EQ(get(alice, "ratings", "a"), "error: suppressed");
  EXPECT_EQ(tenant_->release(find("alice"), *number)->erased, 1u);
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("alice"), *eu_)), Errc::suppressed);
}

}  // namespace
}  // namespace efface::test
