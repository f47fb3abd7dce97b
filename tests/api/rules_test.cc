// Who may do what where: each refusal by its code, and nothing changed by it.
#include "support/two_regions.h"

namespace efface::test {
namespace {

using Rules = TwoRegionsTest;

TEST_F(Rules, AnotherRegionThanHomeIsRefused) {
  const Subject alice = tenant_->enrol(SubjectId("alice"), *eu_).value();
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"), *us_)), Errc::region_mismatch);
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("alice"), *us_)), Errc::region_mismatch);
  EXPECT_EQ(code_of(ratings().put(SubjectId("alice"), *us_, RecordName("a"), as_bytes("x"))),
            Errc::region_mismatch);
  Batch batch = ratings().batch(*us_);
  EXPECT_EQ(code_of(batch.put(alice, RecordName("a"), as_bytes("x"))), Errc::region_mismatch);
  EXPECT_EQ(batch.records(), 0u);
}

TEST_F(Rules, ARegionThatTheTenantMayNotUseIsRefused) {
  const Region only_eu[] = {*eu_};
  const Tenant narrow = store_->declare_tenant("narrow", only_eu, Actor("test")).value();
  EXPECT_EQ(code_of(narrow.enrol(SubjectId("alice"), *us_)), Errc::region_not_permitted);
  const Purpose purpose = narrow.declare_purpose({"p"}).value();
  const Activity activity = narrow.activity(purpose).value();
  EXPECT_EQ(code_of(activity.put(SubjectId("alice"), *us_, RecordName("a"), as_bytes("x"))),
            Errc::region_not_permitted);
  EXPECT_EQ(code_of(activity.commit(activity.batch(*us_))), Errc::region_not_permitted);
}

TEST_F(Rules, ARegionThatIsNotOpenHereIsRefused) {
  ASSERT_TRUE(ratings().put(SubjectId("alice"), *us_, RecordName("a"), as_bytes("x")));
  ASSERT_TRUE(ratings().put(SubjectId("bob"), *eu_, RecordName("a"), as_bytes("x")));
  reopen_without_us();
  EXPECT_FALSE(us_->is_open());
  // Alice may live where this process cannot look; Bob is at home here.
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"))), Errc::region_not_open);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"), *us_)), Errc::region_not_open);
  const Subject bob = tenant_->subject(SubjectId("bob")).value();
  EXPECT_EQ(text_of(ratings().get(bob, RecordName("a"))), "x");
  // Enrolling has to look everywhere.
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("carol"), *eu_)), Errc::region_not_open);
  EXPECT_EQ(code_of(tenant_->declare_purpose({"more"})), Errc::region_not_open);
  const SubjectId gone[] = {SubjectId("bob"), SubjectId("alice")};
  EXPECT_EQ(code_of(tenant_->erase(gone)), Errc::region_not_open);
  EXPECT_TRUE(tenant_->subject(SubjectId("bob")));  // Nothing was erased.
}

TEST_F(Rules, TenantsAreSilos) {
  const Region regions[] = {*eu_, *us_};
  const Tenant other = store_->declare_tenant("other", regions, Actor("test")).value();
  const Subject alice = tenant_->enrol(SubjectId("alice"), *eu_).value();
  ASSERT_TRUE(ratings().put(alice, RecordName("a"), as_bytes("x")));
  EXPECT_EQ(code_of(other.subject(SubjectId("alice"))), Errc::subject_unknown);
  const Purpose theirs = other.declare_purpose({"ratings"}).value();
  EXPECT_EQ(code_of(tenant_->activity(theirs)), Errc::purpose_unknown);
  const Activity activity = other.activity(theirs).value();
  EXPECT_EQ(code_of(activity.get(alice, RecordName("a"))), Errc::purpose_unknown);
  EXPECT_EQ(code_of(activity.put(alice, RecordName("a"), as_bytes("y"))), Errc::purpose_unknown);
  EXPECT_EQ(text_of(ratings().get(alice, RecordName("a"))), "x");
}

TEST_F(Rules, APurposeReadsOnlyWhatPermitsIt) {
  const Purpose ads = tenant_->declare_purpose({"ads"}).value();
  const Activity advertising = tenant_->activity(ads).value();
  const Subject alice = tenant_->enrol(SubjectId("alice"), *eu_).value();
  ASSERT_TRUE(ratings().put(alice, RecordName("kept"), as_bytes("x")));
  PutOptions shared;
  const Purpose also[] = {ads};
  shared.also_permitted = also;
  ASSERT_TRUE(ratings().put(alice, RecordName("shared"), as_bytes("y"), shared));
  EXPECT_EQ(code_of(advertising.get(alice, RecordName("kept"))), Errc::purpose_not_permitted);
  EXPECT_EQ(text_of(advertising.get(alice, RecordName("shared"))), "y");
  EXPECT_EQ(text_of(advertising.get(alice, RecordName("neither"))), "absent");
}

TEST_F(Rules, TwoPurposesNeverOverwriteEachOther) {
  const Activity advertising = tenant_->activity(tenant_->declare_purpose({"ads"}).value()).value();
  const Subject alice = tenant_->enrol(SubjectId("alice"), *eu_).value();
  ASSERT_TRUE(ratings().put(alice, RecordName("a"), as_bytes("rated")));
  ASSERT_TRUE(advertising.put(alice, RecordName("a"), as_bytes("shown")));
  EXPECT_EQ(text_of(ratings().get(alice, RecordName("a"))), "rated");
  EXPECT_EQ(text_of(advertising.get(alice, RecordName("a"))), "shown");
  ASSERT_TRUE(advertising.remove(alice, RecordName("a")));
  EXPECT_EQ(text_of(ratings().get(alice, RecordName("a"))), "rated");
}

TEST_F(Rules, APurposeThatRestsOnConsentIsClosedUntilThereIsSome) {
  PurposeTerms terms;
  terms.name = "newsletter";
  terms.basis = LegalBasis::consent;
  const Activity letters = tenant_->activity(tenant_->declare_purpose(terms).value()).value();
  const Subject alice = tenant_->enrol(SubjectId("alice"), *eu_).value();
  EXPECT_EQ(code_of(letters.put(alice, RecordName("a"), as_bytes("x"))), Errc::consent_missing);
  EXPECT_EQ(code_of(letters.get(alice, RecordName("a"))), Errc::consent_missing);
  EXPECT_EQ(code_of(letters.put(SubjectId("new"), *eu_, RecordName("a"), as_bytes("x"))),
            Errc::consent_missing);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("new"))), Errc::subject_unknown);
}

TEST_F(Rules, ARecordIsRefusedOnceItsDayIsOver) {
  PurposeTerms terms;
  terms.name = "short";
  terms.retention = Days(2);
  const Activity brief = tenant_->activity(tenant_->declare_purpose(terms).value()).value();
  const Subject alice = tenant_->enrol(SubjectId("alice"), *eu_).value();
  ASSERT_TRUE(brief.put(alice, RecordName("a"), as_bytes("x")));
  PutOptions sooner;
  sooner.retention = Days(1);
  ASSERT_TRUE(brief.put(alice, RecordName("b"), as_bytes("y"), sooner));
  EXPECT_EQ(text_of(brief.get(alice, RecordName("a"))), "x");
  advance(Days(2));
  EXPECT_EQ(text_of(brief.get(alice, RecordName("a"))), "x");
  EXPECT_EQ(code_of(brief.get(alice, RecordName("b"))), Errc::expired);
  std::vector<std::string> seen;
  ASSERT_TRUE(brief.list(alice, {}, [&](std::string_view listed) {
    seen.emplace_back(listed);
    return Flow::more;
  }));
  EXPECT_EQ(seen, std::vector<std::string>{"a"});
  advance(Days(1));
  EXPECT_EQ(code_of(brief.get(alice, RecordName("a"))), Errc::expired);
}

TEST_F(Rules, ARecordsRetentionIsNeverLongerThanItsPurposes) {
  PurposeTerms terms;
  terms.name = "short";
  terms.retention = Days(2);
  const Activity brief = tenant_->activity(tenant_->declare_purpose(terms).value()).value();
  const Subject alice = tenant_->enrol(SubjectId("alice"), *eu_).value();
  PutOptions longer;
  longer.retention = Days(3);
  EXPECT_EQ(code_of(brief.put(alice, RecordName("a"), as_bytes("x"), longer)),
            Errc::invalid_argument);
}

TEST_F(Rules, OneErasureServesPeopleOfSeveralRegions) {
  ASSERT_TRUE(ratings().put(SubjectId("alice"), *us_, RecordName("a"), as_bytes("x")));
  ASSERT_TRUE(ratings().put(SubjectId("bob"), *eu_, RecordName("a"), as_bytes("x")));
  const SubjectId ids[] = {SubjectId("alice"), SubjectId("bob"), SubjectId("nobody"),
                           SubjectId("bob")};
  const auto erased = tenant_->erase(ids);
  ASSERT_TRUE(erased);
  EXPECT_EQ(erased->erased, 2u);
  EXPECT_EQ(erased->unknown, 1u);
  EXPECT_EQ(erased->regions.size(), 2u);
}

TEST_F(Rules, AnOffBoardedTenantIsUnknownInEveryRegionAndItsHandlesToo) {
  ASSERT_TRUE(ratings().put(SubjectId("alice"), *us_, RecordName("a"), as_bytes("x")));
  const Activity kept = ratings();
  const Subject alice = tenant_->subject(SubjectId("alice")).value();
  Tenant again = store_->tenant("acme", Actor("test")).value();
  const auto plan = store_->prepare_offboard(again);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->people, 1u);
  EXPECT_EQ(code_of(store_->offboard(std::move(again), "acme")), Errc::conflict);
  EXPECT_TRUE(tenant_->subject(SubjectId("alice")));
  Tenant leaving = store_->tenant("acme", Actor("test")).value();
  const auto gone = store_->offboard(std::move(leaving), plan->token);
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->erased, 1u);
  EXPECT_EQ(gone->regions.size(), 2u);
  EXPECT_EQ(code_of(store_->tenant("acme", Actor("test"))), Errc::tenant_unknown);
  EXPECT_EQ(code_of(kept.get(alice, RecordName("a"))), Errc::tenant_unknown);
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("zoe"), *eu_)), Errc::tenant_unknown);
  const auto swept = store_->maintain();
  ASSERT_TRUE(swept);
  EXPECT_EQ(swept->records_removed, 3u);  // Her record, her sealed id, a summary.
  EXPECT_EQ(store_->stats()->regions[0].records + store_->stats()->regions[1].records, 0u);
}

TEST_F(Rules, WhatTheErasedLeftIsSweptAndTheLivingStay) {
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(
        ratings().put(SubjectId("p" + std::to_string(i)), *eu_, RecordName("a"), as_bytes("x")));
  const SubjectId one[] = {SubjectId("p7")};
  ASSERT_TRUE(tenant_->erase(one));
  const std::uint64_t before = store_->stats()->regions[0].records;
  ASSERT_TRUE(store_->maintain());
  EXPECT_EQ(store_->stats()->regions[0].records, before - 3);
  const Subject alive = tenant_->subject(SubjectId("p8")).value();
  EXPECT_EQ(text_of(ratings().get(alive, RecordName("a"))), "x");
}

TEST_F(Rules, APurposeKeepsItsTerms) {
  PurposeTerms terms;
  terms.name = "ratings";
  terms.basis = LegalBasis::contract;
  EXPECT_TRUE(tenant_->declare_purpose(terms));  // As it was declared.
  terms.basis = LegalBasis::legal_obligation;
  EXPECT_EQ(code_of(tenant_->declare_purpose(terms)), Errc::conflict);
  terms.basis = LegalBasis::contract;
  terms.retention = Days(5);
  EXPECT_EQ(code_of(tenant_->declare_purpose(terms)), Errc::conflict);
}

TEST_F(Rules, ATenantHasAtMost256Purposes) {
  for (int i = 1; i < 256; ++i)
    ASSERT_TRUE(tenant_->declare_purpose({"p" + std::to_string(i)})) << i;
  EXPECT_EQ(code_of(tenant_->declare_purpose({"one-too-many"})), Errc::too_large);
  // The last one there is works.
  const Activity last = tenant_->activity(tenant_->purpose("p255").value()).value();
  const Subject alice = tenant_->enrol(SubjectId("alice"), *eu_).value();
  ASSERT_TRUE(last.put(alice, RecordName("a"), as_bytes("x")));
  EXPECT_EQ(text_of(last.get(alice, RecordName("a"))), "x");
}

}  // namespace
}  // namespace efface::test
