// Consent, objection, restriction: what each allows and refuses, and what is on file about it.
#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

using Consent = RightsTest;

TEST_F(Consent, IsOptIn) {
  const Subject alice = enrol("alice");
  const Activity news = activity("news");
  EXPECT_EQ(code_of(news.put(alice, RecordName("a"), as_bytes("x"))), Errc::consent_missing);
  EXPECT_EQ(get(alice, "news", "a"), "error: consent_missing");
  EXPECT_EQ(code_of(news.list(alice, {}, [](std::string_view) { return Flow::more; })),
            Errc::consent_missing);
  EXPECT_EQ(code_of(news.put(SubjectId("new"), *eu_, RecordName("a"), as_bytes("x"))),
            Errc::consent_missing);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("new"))), Errc::subject_unknown);
}

TEST_F(Consent, OnceGrantedLetsItsPurposeBeReadAndWrittenAndNoOther) {
  std::optional<Subject> alice(enrol("alice"));
  grant(*alice);
  put(*alice, "news", "a", "x");
  EXPECT_EQ(get(*alice, "news", "a"), "x");
  EXPECT_EQ(get(*alice, "ads", "a"), "error: consent_missing");
  EXPECT_EQ(get(*alice, "ratings", "a"), "error: purpose_not_permitted");
  alice.reset();
  reopen();
  EXPECT_EQ(get(find("alice"), "news", "a"), "x");
}

TEST_F(Consent, WithdrawnDestroysWhatWasCollectedOnItAndNothingElse) {
  const Subject alice = enrol("alice");
  grant(alice);
  grant(alice, "ads");
  put(alice, "news", "a", "of news");
  put(alice, "ads", "b", "of ads");
  put(alice, "ratings", "c", "of ratings");
  const auto withdrawn = tenant_->withdraw(alice, purpose("news"));
  ASSERT_TRUE(withdrawn) << name(withdrawn.error().code());
  EXPECT_EQ(withdrawn->erased, 1u);
  ASSERT_EQ(withdrawn->regions.size(), 1u);
  EXPECT_GT(withdrawn->regions[0].epoch_after, withdrawn->regions[0].epoch_before);
  EXPECT_EQ(get(alice, "news", "a"), "error: consent_missing");
  EXPECT_EQ(get(alice, "ads", "b"), "of ads");
  EXPECT_EQ(get(alice, "ratings", "c"), "of ratings");
  grant(alice);
  EXPECT_EQ(get(alice, "news", "a"), "absent");  // A fresh scope.
  const std::uint64_t before = store_->stats()->regions[0].records;
  EXPECT_EQ(maintain().records_removed, 2u);  // The record and its scope's summary.
  EXPECT_EQ(store_->stats()->regions[0].records, before - 2);
}

TEST_F(Consent, NeverGivenCannotBeWithdrawnAndNothingChanges) {
  const Subject alice = enrol("alice");
  const Epoch before = store_->stats()->regions[0].epoch;
  EXPECT_EQ(code_of(tenant_->withdraw(alice, purpose("news"))), Errc::consent_missing);
  EXPECT_EQ(code_of(tenant_->withdraw(alice, purpose("ratings"))), Errc::basis_differs);
  EXPECT_EQ(code_of(tenant_->grant(alice, purpose("ratings"), {})), Errc::basis_differs);
  EXPECT_TRUE(events_of(alice).empty());
  EXPECT_EQ(store_->stats()->regions[0].epoch, before);
}

TEST_F(Consent, HasEvidenceAndAHistory) {
  std::optional<Subject> alice(enrol("alice"));
  const TimePoint when = std::chrono::system_clock::now() - std::chrono::hours(5);
  ASSERT_TRUE(tenant_->grant(*alice, purpose("news"), {"terms-7", "shop", when}));
  ASSERT_TRUE(tenant_->withdraw(*alice, purpose("news"), {"", "phone", {}}));
  alice.reset();
  reopen();
  const auto looked = tenant_->dossier(find("alice"), [&](const Dossier& dossier) {
    ASSERT_EQ(dossier.events.size(), 2u);
    EXPECT_EQ(dossier.events[0].kind, EventKind::consent_granted);
    EXPECT_EQ(dossier.events[0].purpose, "news");
    EXPECT_EQ(dossier.events[0].text_version, "terms-7");
    EXPECT_EQ(dossier.events[0].channel, "shop");
    EXPECT_EQ(dossier.events[0].actor, "test");
    EXPECT_EQ(dossier.events[0].when, std::chrono::floor<std::chrono::milliseconds>(when));
    EXPECT_EQ(dossier.events[1].kind, EventKind::consent_withdrawn);
    EXPECT_EQ(dossier.events[1].channel, "phone");
  });
  EXPECT_TRUE(looked);
}

TEST_F(Consent, RefusesEvidenceThatCannotBe) {
  const Subject alice = enrol("alice");
  const Purpose news = purpose("news");
  const std::string long_text(65, 'x');
  const auto later = std::chrono::system_clock::now() + std::chrono::hours(1);
  EXPECT_EQ(code_of(tenant_->grant(alice, news, {long_text, "", {}})), Errc::too_large);
  EXPECT_EQ(code_of(tenant_->grant(alice, news, {"", "\xff", {}})), Errc::invalid_argument);
  EXPECT_EQ(code_of(tenant_->grant(alice, news, {"", "", later})), Errc::invalid_argument);
  EXPECT_EQ(get(alice, "news", "a"), "error: consent_missing");
}

TEST_F(Consent, KeepsTheLastEventOfEachPurposeHoweverManyThereAre) {
  const Subject alice = enrol("alice");
  grant(alice, "ads");
  for (int i = 0; i < 1'010; ++i) grant(alice, "news");
  EXPECT_TRUE(tenant_->dossier(alice, [&](const Dossier& dossier) {
    EXPECT_EQ(dossier.events.size(), 1'000u);
    EXPECT_EQ(dossier.events_dropped, 11u);
    EXPECT_EQ(dossier.events[0].purpose, "ads");
  }));
}

TEST_F(Consent, OfAnErasedPersonIsGoneAndWhoComesAfterHerHasGivenNone) {
  Subject alice = enrol("alice");
  grant(alice);
  const SubjectId id[] = {SubjectId("alice")};
  ASSERT_TRUE(tenant_->erase(id));
  EXPECT_EQ(code_of(tenant_->grant(alice, purpose("news"), {})), Errc::subject_erased);
  const Subject again = enrol("alice");
  EXPECT_EQ(get(again, "news", "a"), "error: consent_missing");
  EXPECT_TRUE(events_of(again).empty());
}

using Objections = RightsTest;

TEST_F(Objections, RefuseTheirPurposeUntilTheyAreLifted) {
  std::optional<Subject> alice(enrol("alice"));
  put(*alice, "fraud", "a", "x");
  ASSERT_TRUE(tenant_->object(*alice, purpose("fraud")));
  EXPECT_EQ(get(*alice, "fraud", "a"), "error: objected");
  EXPECT_EQ(code_of(activity("fraud").put(*alice, RecordName("b"), as_bytes("y"))), Errc::objected);
  alice.reset();
  reopen();
  const Subject later = find("alice");
  EXPECT_EQ(get(later, "fraud", "a"), "error: objected");
  ASSERT_TRUE(tenant_->lift_objection(later, purpose("fraud")));
  EXPECT_EQ(get(later, "fraud", "a"), "x");
  const std::vector<std::string> expected{"objected fraud", "objection_lifted fraud"};
  EXPECT_EQ(events_of(later), expected);
}

TEST_F(Objections, CountBeforeAnythingWasCollected) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(tenant_->object(alice, purpose("fraud")));
  EXPECT_EQ(code_of(activity("fraud").put(alice, RecordName("a"), as_bytes("x"))), Errc::objected);
  EXPECT_EQ(code_of(tenant_->object(alice, purpose("news"))), Errc::basis_differs);
}

TEST_F(Objections, ToTheScopeKeepItsRecordsFromPurposesThatItPermits) {
  const Subject alice = enrol("alice");
  const Purpose also[] = {purpose("ratings")};
  PutOptions options;
  options.also_permitted = also;
  put(alice, "fraud", "a", "x", options);
  EXPECT_EQ(get(alice, "ratings", "a"), "x");
  ASSERT_TRUE(tenant_->object(alice, purpose("fraud")));
  EXPECT_EQ(get(alice, "ratings", "a"), "error: objected");
}

using Restriction = RightsTest;

TEST_F(Restriction, RefusesReadingAndWritingUntilItIsLifted) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  grant(alice);
  Batch sealed = activity("ratings").batch(*eu_);
  ASSERT_TRUE(sealed.put(alice, RecordName("b"), as_bytes("y")));
  ASSERT_TRUE(tenant_->restrict(alice));
  EXPECT_EQ(get(alice, "ratings", "a"), "error: restricted");
  EXPECT_EQ(code_of(activity("ratings").commit(std::move(sealed))), Errc::restricted);
  EXPECT_EQ(code_of(tenant_->grant(alice, purpose("ads"), {})), Errc::restricted);
  EXPECT_TRUE(tenant_->withdraw(alice, purpose("news")));  // Her rights go on.
  ASSERT_TRUE(tenant_->lift_restriction(alice));
  EXPECT_EQ(get(alice, "ratings", "a"), "x");
  EXPECT_EQ(get(alice, "ratings", "b"), "absent");
}

TEST_F(Restriction, DoesNotKeepHerFromBeingErased) {
  Subject alice = enrol("alice");
  ASSERT_TRUE(tenant_->restrict(alice));
  EXPECT_TRUE(tenant_->erase(std::move(alice)));
}

}  // namespace
}  // namespace efface::test
