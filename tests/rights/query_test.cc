// Questions across people, and the record of processing activities.
#include <algorithm>
#include <set>

#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

class Queries : public RightsTest {
 protected:
  using Ids = std::set<std::string>;

  Ids ask(const Query& query, std::size_t limit = 1'000) {
    Ids found;
    QueryOptions options;
    options.limit = limit;
    std::string cursor;
    std::uint64_t told = 0;
    do {
      options.cursor = cursor;
      const auto page = tenant_->query(
          query, options, [&](std::string_view id, const Region&) { found.emplace(id); });
      EXPECT_TRUE(page) << name(page.error().code()) << page.error().note();
      if (!page) return found;
      EXPECT_LT(page->matches, limit + 60);  // One leaf more, at most.
      told += page->matches;
      cursor = page->cursor;
    } while (!cursor.empty());
    EXPECT_EQ(told, found.size());
    EXPECT_EQ(*tenant_->count(query), found.size());
    return found;
  }
};

TEST_F(Queries, FindWhoConsentedWhoDidNotAndWhoObjected) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  const Subject zoe = tenant_->enrol(SubjectId("zoe"), *us_).value();
  grant(alice);
  grant(zoe);
  ASSERT_TRUE(tenant_->withdraw(zoe, purpose("news")));
  ASSERT_TRUE(tenant_->object(bob, purpose("fraud")));
  Query consented;
  consented.purpose = purpose("news");
  consented.consent = true;
  EXPECT_EQ(ask(consented), Ids({"alice"}));
  consented.consent = false;
  EXPECT_EQ(ask(consented), Ids({"bob", "zoe"}));
  Query objected;
  objected.objected = true;
  EXPECT_EQ(ask(objected), Ids({"bob"}));
  EXPECT_EQ(ask({}), Ids({"alice", "bob", "zoe"}));
}

TEST_F(Queries, FindWhatWasDisclosedDecidedExpiresOrIsOld) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  const std::string_view partner[] = {"partner"};
  PutOptions options;
  options.recipients = partner;
  put(alice, "ratings", "a", "x", options);
  put(alice, "ratings", "b", "x");
  options = {};
  options.automated_decision = true;
  put(bob, "logs", "c", "x", options);
  Query disclosed;
  disclosed.recipient = "partner";
  EXPECT_EQ(ask(disclosed), Ids({"alice"}));
  disclosed.recipient = "nobody";
  EXPECT_EQ(ask(disclosed), Ids());
  Query automated;
  automated.automated_decision = true;
  EXPECT_EQ(ask(automated), Ids({"bob"}));
  automated.purpose = purpose("ratings");
  EXPECT_EQ(ask(automated), Ids());
  Query expiring;
  expiring.expires_before = std::chrono::system_clock::now() + std::chrono::days(40);
  EXPECT_EQ(ask(expiring), Ids({"bob"}));
  expiring.expires_before = std::chrono::system_clock::now() + std::chrono::days(20);
  EXPECT_EQ(ask(expiring), Ids());
  advance(Days(3));
  put(bob, "logs", "d", "y");
  Query old;
  old.not_updated_since = std::chrono::system_clock::now() + offset_;
  EXPECT_EQ(ask(old), Ids({"alice"}));
}

TEST_F(Queries, AreNotMisledByRecipientsAndOriginsThatCannotBe) {
  const Subject alice = enrol("alice");
  const std::string long_text(65, 'x');
  const std::vector<std::string_view> too_many(17, "r");
  const auto put_with = [&](std::vector<std::string_view> recipients, std::string_view origin) {
    PutOptions options;
    options.recipients = recipients;
    options.origin = origin;
    return code_of(ratings().put(alice, RecordName("a"), as_bytes("x"), options));
  };
  EXPECT_EQ(put_with({long_text}, ""), Errc::too_large);
  EXPECT_EQ(put_with({"\xff"}, ""), Errc::invalid_argument);
  EXPECT_EQ(put_with({""}, ""), Errc::invalid_argument);
  EXPECT_EQ(put_with(too_many, ""), Errc::too_large);
  EXPECT_EQ(put_with({}, long_text), Errc::too_large);
  EXPECT_EQ(put_with({}, "\xff"), Errc::invalid_argument);
  EXPECT_EQ(get(alice, "ratings", "a"), "absent");
  Query any;
  any.purpose = purpose("ratings");
  EXPECT_EQ(ask(any), Ids());
}

TEST_F(Queries, FindWhoIsRestrictedOrHeld) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  ASSERT_TRUE(tenant_->restrict(alice));
  ASSERT_TRUE(tenant_->hold(bob, {"litigation", "case", {}}));
  Query query;
  query.restricted = true;
  EXPECT_EQ(ask(query), Ids({"alice"}));
  query = {};
  query.held = false;
  EXPECT_EQ(ask(query), Ids({"alice"}));
}

TEST_F(Queries, ComeInPagesAndTellEachOnce) {
  std::vector<std::string> names;
  for (int i = 0; i < 1'500; ++i) names.push_back("p" + std::to_string(i));
  const std::vector<SubjectId> ids(names.begin(), names.end());
  ASSERT_TRUE(tenant_->find_or_enrol(std::span(ids).first(1'000), *eu_));
  ASSERT_TRUE(tenant_->find_or_enrol(std::span(ids).subspan(1'000), *us_));
  EXPECT_EQ(ask({}, 100).size(), 1'500u);
  EXPECT_EQ(ask({}, 1).size(), 1'500u);
  const SubjectId gone[] = {SubjectId("p7"), SubjectId("p1400")};
  ASSERT_TRUE(tenant_->erase(gone));
  EXPECT_EQ(ask({}, 100).size(), 1'498u);
}

TEST_F(Queries, RefuseWhatCannotBeAsked) {
  const auto nobody = [](std::string_view, const Region&) {};
  QueryOptions options;
  for (const char* cursor : {"x", "1", "1.", ".1", "1.2.3", "-1.0"}) {
    options.cursor = cursor;
    EXPECT_EQ(code_of(tenant_->query({}, options, nobody)), Errc::invalid_argument) << cursor;
  }
  Query query;
  query.consent = true;
  EXPECT_EQ(code_of(tenant_->count(query)), Errc::invalid_argument);
}

using Records = RightsTest;

TEST_F(Records, OfProcessingActivitiesSayWhatIsDoneWithWhoseData) {
  PurposeTerms terms;
  terms.name = "mail";
  terms.categories = {"contact", "behaviour"};
  ASSERT_TRUE(tenant_->declare_purpose(terms));
  const Subject alice = enrol("alice");
  grant(alice);
  const std::string_view recipients[] = {"printer", "courier"};
  PutOptions options;
  options.recipients = recipients;
  options.automated_decision = true;
  put(alice, "mail", "a", "x", options);
  ASSERT_TRUE(tenant_->permit_transfer({"eu", "us", TransferBasis::binding_rules}));
  const auto record = tenant_->processing_record();
  ASSERT_TRUE(record) << name(record.error().code());
  EXPECT_EQ(record->tenant, "acme");
  EXPECT_EQ(record->regions, std::vector<std::string>({"eu", "us"}));
  EXPECT_EQ(record->people, 1u);
  EXPECT_EQ(record->transfers.size(), 1u);
  EXPECT_FALSE(record->agreement);
  const auto mail = std::ranges::find_if(
      record->purposes, [](const auto& entry) { return entry.terms.name == "mail"; });
  ASSERT_NE(mail, record->purposes.end());
  EXPECT_EQ(mail->terms.categories, terms.categories);
  EXPECT_EQ(mail->recipients, std::vector<std::string>({"courier", "printer"}));
  EXPECT_TRUE(mail->automated_decisions);
  EXPECT_EQ(mail->people, 1u);
  const auto news = std::ranges::find_if(
      record->purposes, [](const auto& entry) { return entry.terms.name == "news"; });
  ASSERT_NE(news, record->purposes.end());
  EXPECT_EQ(news->consents, 1u);
  EXPECT_EQ(news->terms.basis, LegalBasis::consent);
}

// What is said of a scope grows with what is written into it, and is written once.
TEST_F(Queries, KnowOfAScopeWhatWasWrittenIntoItAndNoMore) {
  const Subject alice = enrol("alice");
  const auto matches = [&](const Query& query) { return *tenant_->count(query); };
  const auto with_recipient = [&](std::string_view recipient) {
    Query query;
    query.recipient = recipient;
    return matches(query);
  };
  const auto before_days = [&](Days days) {
    Query query;
    query.expires_before = std::chrono::system_clock::now() + offset_ + days;
    return matches(query);
  };
  Query automated;
  automated.automated_decision = true;
  const std::string_view few[] = {"bank", "post"};
  const std::string_view one[] = {"post"};
  for (const Days days : {Days(5), Days(9), Days(5)}) {
    PutOptions options;
    options.retention = days;
    put(alice, "logs", "r", "x", options);
  }
  EXPECT_EQ(before_days(Days(8)), 1u);
  EXPECT_EQ(matches(automated), 0u);
  for (int again = 0; again < 2; ++again) {
    PutOptions options;
    options.recipients = few;
    put(alice, "ratings", "disclosed", "x", options);
    options.recipients = one;
    put(alice, "ratings", "disclosed", "x", options);
    options.recipients = {};
    options.automated_decision = true;
    put(alice, "ratings", "decided", "x", options);
    options.automated_decision = false;
    put(alice, "ratings", "plain", "x", options);
  }
  Batch batch = activity("ratings").batch(*eu_);
  for (const bool decided : {true, false, true}) {
    PutOptions options;
    options.recipients = few;
    options.automated_decision = decided;
    ASSERT_TRUE(batch.put(alice, RecordName("batch"), as_bytes("x"), options));
  }
  ASSERT_TRUE(activity("ratings").commit(std::move(batch)));
  for (const std::string_view recipient : few) EXPECT_EQ(with_recipient(recipient), 1u);
  EXPECT_EQ(with_recipient("nobody"), 0u);
  EXPECT_EQ(matches(automated), 1u);
}

}  // namespace
}  // namespace efface::test
