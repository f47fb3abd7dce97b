// Records that belong to several people.
#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

class Shared : public RightsTest {
 protected:
  Status share(std::initializer_list<const Subject*> people, Sharing sharing,
               std::string_view record = "a", std::string_view value = "ours",
               std::string_view called = "ratings") {
    return activity(called).put_shared(std::span(people.begin(), people.size()), sharing,
                                       RecordName(record), as_bytes(value));
  }
  Erasure erase(std::string_view id) {
    const SubjectId ids[] = {SubjectId(id)};
    return tenant_->erase(ids).value();
  }
};

TEST_F(Shared, AnyIsReadWithEachOfItsPeopleWhileOneIsThere) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  const Subject zoe = enrol("zoe");
  ASSERT_TRUE(share({&alice, &bob, &zoe}, Sharing::any));
  for (const Subject* subject : {&alice, &bob, &zoe})
    EXPECT_EQ(get(*subject, "ratings", "a"), "ours");
  EXPECT_EQ(erase("alice").shared, 1u);
  EXPECT_EQ(get(alice, "ratings", "a"), "error: subject_erased");
  EXPECT_EQ(get(bob, "ratings", "a"), "ours");
  maintain();
  EXPECT_EQ(get(zoe, "ratings", "a"), "ours");
  EXPECT_EQ(erase("bob").shared, 1u);
  EXPECT_EQ(erase("zoe").shared, 1u);
  maintain();
  EXPECT_EQ(store_->stats()->regions[0].records, 0u);
}

TEST_F(Shared, AllIsReadOnlyWhileAllOfItsPeopleAreThere) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  const Subject zoe = enrol("zoe");
  ASSERT_TRUE(share({&alice, &bob, &zoe}, Sharing::all));
  for (const Subject* subject : {&alice, &bob, &zoe})
    EXPECT_EQ(get(*subject, "ratings", "a"), "ours");
  ASSERT_TRUE(tenant_->restrict(bob));
  EXPECT_EQ(get(alice, "ratings", "a"), "error: restricted");
  ASSERT_TRUE(tenant_->lift_restriction(bob));
  EXPECT_EQ(get(alice, "ratings", "a"), "ours");
  EXPECT_EQ(erase("zoe").shared, 1u);
  EXPECT_EQ(get(alice, "ratings", "a"), "absent");
  EXPECT_EQ(get(bob, "ratings", "a"), "absent");
  EXPECT_EQ(erase("alice").shared, 1u);
  maintain();
  EXPECT_EQ(erase("bob").shared, 0u);  // The sweep took the link that led nowhere.
  maintain();
  EXPECT_EQ(store_->stats()->regions[0].records, 0u);
}

TEST_F(Shared, IsLeftByRemovingItFromOnePerson) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  ASSERT_TRUE(share({&alice, &bob}, Sharing::any));
  EXPECT_TRUE(*ratings().remove(alice, RecordName("a")));
  EXPECT_EQ(get(alice, "ratings", "a"), "absent");
  EXPECT_EQ(get(bob, "ratings", "a"), "ours");
  EXPECT_EQ(erase("alice").shared, 0u);
  put(bob, "ratings", "a", "mine");
  EXPECT_EQ(get(bob, "ratings", "a"), "mine");
  EXPECT_EQ(erase("bob").shared, 0u);
}

TEST_F(Shared, IsReplacedForAllOfItsPeople) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  ASSERT_TRUE(share({&alice, &bob}, Sharing::all, "a", "old"));
  ASSERT_TRUE(share({&alice, &bob}, Sharing::any, "a", "new"));
  EXPECT_EQ(get(alice, "ratings", "a"), "new");
  EXPECT_EQ(get(bob, "ratings", "a"), "new");
  EXPECT_EQ(maintain().records_removed, 1u);  // The old one.
  EXPECT_EQ(get(bob, "ratings", "a"), "new");
  EXPECT_EQ(erase("bob").shared, 1u);
}

TEST_F(Shared, IsScannedVisitedAndReKeyedLikeAnyOther) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  ASSERT_TRUE(share({&alice, &bob}, Sharing::all));
  put(alice, "ratings", "b", "hers");
  std::vector<std::string> seen;
  ASSERT_TRUE(ratings().scan(alice, {}, [&](std::string_view name, Bytes value) {
    seen.push_back(std::string(name) + "=" + std::string(as_text(value)));
    return Flow::more;
  }));
  EXPECT_EQ(seen, std::vector<std::string>({"a=ours", "b=hers"}));
  ASSERT_TRUE(ratings().remove(alice, RecordName("b"), Shred::now));
  EXPECT_EQ(get(alice, "ratings", "a"), "ours");
  EXPECT_EQ(get(bob, "ratings", "a"), "ours");
  const auto updated = ratings().update(
      bob, RecordName("a"),
      [](std::optional<Bytes>) -> Result<Update> { return Update::put(as_bytes("x")); });
  EXPECT_EQ(code_of(updated), Errc::conflict);
}

TEST_F(Shared, EndsForHerWithAConsentThatSheWithdraws) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  grant(alice);
  EXPECT_EQ(code_of(share({&alice, &bob}, Sharing::any, "a", "x", "news")), Errc::consent_missing);
  grant(bob);
  ASSERT_TRUE(share({&alice, &bob}, Sharing::any, "a", "one", "news"));
  ASSERT_TRUE(share({&alice, &bob}, Sharing::all, "b", "both", "news"));
  EXPECT_EQ(tenant_->withdraw(alice, purpose("news"))->shared, 2u);
  EXPECT_EQ(get(bob, "news", "a"), "one");
  EXPECT_EQ(get(bob, "news", "b"), "absent");
  grant(alice);
  EXPECT_EQ(get(alice, "news", "a"), "absent");
}

TEST_F(Shared, ExpiresWithItsPurposesRetention) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  ASSERT_TRUE(share({&alice, &bob}, Sharing::any, "a", "x", "logs"));
  advance(Days(31));
  EXPECT_EQ(get(alice, "logs", "a"), "error: expired");
  EXPECT_EQ(maintain().buckets_expired, 1u);
  maintain();
  EXPECT_EQ(get(alice, "logs", "a"), "absent");
  EXPECT_EQ(erase("alice").shared, 0u);
}

// What is told to one of them is not told of the others.
TEST_F(Shared, IsLeftOutOfAnExportWhileOneOfTheOthersMayNotBeRead) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  for (const Subject* subject : {&alice, &bob}) grant(*subject);
  for (const char* called : {"ratings", "news", "fraud"})
    ASSERT_TRUE(
        share({&alice, &bob}, Sharing::all, "a", std::string("ours for ") + called, called));
  put(alice, "ratings", "b", "hers alone");
  const auto tells_of = [&](std::string_view called) {
    std::string text;
    EXPECT_TRUE(tenant_->export_subject(alice, {}, [&](Bytes piece) -> Status {
      text += as_text(piece);
      return {};
    }));
    EXPECT_NE(text.find("hers alone"), std::string::npos);
    return text.find("ours for " + std::string(called)) != std::string::npos;
  };
  for (const char* called : {"ratings", "news", "fraud"}) EXPECT_TRUE(tells_of(called));
  ASSERT_TRUE(tenant_->restrict(bob));
  EXPECT_FALSE(tells_of("ratings"));
  ASSERT_TRUE(tenant_->lift_restriction(bob));
  EXPECT_TRUE(tells_of("ratings"));
  ASSERT_TRUE(tenant_->object(bob, purpose("fraud")));
  EXPECT_FALSE(tells_of("fraud"));
  EXPECT_EQ(get(alice, "fraud", "a"), "error: objected");
  ASSERT_TRUE(tenant_->withdraw(bob, purpose("news")));
  EXPECT_FALSE(tells_of("news"));
  EXPECT_TRUE(tells_of("ratings"));
  ASSERT_TRUE(tenant_->hold(bob, {"litigation", "case 1"}));  // So that she is not erased yet.
  ASSERT_EQ(tenant_->suppress(SubjectId("bob"))->held, 1u);
  EXPECT_FALSE(tells_of("ratings"));
}

TEST_F(Shared, RefusesWhatCannotBeShared) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  const Subject far = tenant_->enrol(SubjectId("far"), *us_).value();
  EXPECT_EQ(code_of(share({&alice}, Sharing::any)), Errc::invalid_argument);
  EXPECT_EQ(code_of(share({&alice, &alice}, Sharing::any)), Errc::invalid_argument);
  EXPECT_EQ(code_of(share({&alice, &far}, Sharing::any)), Errc::region_mismatch);
  EXPECT_EQ(code_of(share({&alice, &bob}, Sharing{7})), Errc::invalid_argument);
  ASSERT_TRUE(tenant_->restrict(bob));
  EXPECT_EQ(code_of(share({&alice, &bob}, Sharing::any)), Errc::restricted);
  EXPECT_EQ(get(alice, "ratings", "a"), "absent");
  ASSERT_TRUE(tenant_->lift_restriction(bob));
  ASSERT_TRUE(share({&alice, &bob}, Sharing::any));
  EXPECT_EQ(code_of(tenant_->transfer(bob, *us_, TransferBasis::adequacy)), Errc::conflict);
  EXPECT_EQ(code_of(tenant_->merge(alice, find("bob"))), Errc::conflict);
}

}  // namespace
}  // namespace efface::test
