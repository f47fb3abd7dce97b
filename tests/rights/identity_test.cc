// Several identifiers of one person, and two people who turn out to be one.
#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

using Identifiers = RightsTest;

TEST_F(Identifiers, AllLeadToOnePerson) {
  {
    const Subject alice = enrol("alice");
    put(alice, "ratings", "a", "x");
    ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("alice@mail")));
    ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("device-7")));
    ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("device-7")));  // Hers already.
  }
  reopen();
  EXPECT_EQ(get(find("alice@mail"), "ratings", "a"), "x");
  ASSERT_TRUE(ratings().put(SubjectId("device-7"), *eu_, RecordName("b"), as_bytes("y")));
  EXPECT_EQ(get(find("alice"), "ratings", "b"), "y");
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("alice@mail"), *eu_)), Errc::exists);
  EXPECT_EQ(code_of(tenant_->enrol(SubjectId("alice@mail"), *us_)), Errc::region_mismatch);
  EXPECT_EQ(*tenant_->count({}), 1u);
  EXPECT_TRUE(tenant_->dossier(
      find("device-7"), [](const Dossier& dossier) { EXPECT_EQ(dossier.identifiers.size(), 2u); }));
}

TEST_F(Identifiers, AnyOfThemErasesHerAndAllOfThem) {
  for (const char* by : {"alice", "alice@mail", "device-7"}) {
    const Subject alice = enrol("alice");
    ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("alice@mail")));
    ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("device-7")));
    const SubjectId id[] = {SubjectId(by)};
    EXPECT_EQ(tenant_->erase(id)->erased, 1u);
    for (const char* gone : {"alice", "alice@mail", "device-7"})
      EXPECT_EQ(code_of(tenant_->subject(SubjectId(gone))), Errc::subject_unknown) << by;
  }
  EXPECT_TRUE(tenant_->enrol(SubjectId("device-7"), *us_));
}

// Many are looked for together, as many at a time as the cache of keys allows.
TEST_F(Identifiers, OfManyPeopleErasedInOneCallAllLeadToNobody) {
  for (const std::size_t cached : {std::size_t{1}, std::size_t{64}, std::size_t{16'384}}) {
    cached_people_max_ = cached;
    reopen();
    std::vector<std::string> names;
    for (int i = 0; i < 300; ++i) names.push_back("p" + std::to_string(i));
    const std::vector<SubjectId> ids(names.begin(), names.end());
    ASSERT_TRUE(tenant_->find_or_enrol(std::span(ids).first(200), *eu_));
    ASSERT_TRUE(tenant_->find_or_enrol(std::span(ids).subspan(200), *us_));
    for (int i = 0; i < 300; i += 50)
      ASSERT_TRUE(tenant_->add_identifier(find(names[static_cast<std::size_t>(i)]),
                                          SubjectId("also " + std::to_string(i))));
    ASSERT_TRUE(tenant_->hold(find("p7"), {"litigation", "case", {}}));
    std::vector<SubjectId> asked(ids.begin(), ids.end() - 1);
    for (const char* more : {"also 50", "p3", "nobody"}) asked.emplace_back(more);
    const auto erased = tenant_->erase(asked);
    ASSERT_TRUE(erased) << name(erased.error().code());
    EXPECT_EQ(erased->erased, 298u);
    EXPECT_EQ(erased->held, 1u);
    EXPECT_EQ(erased->unknown, 1u);
    EXPECT_EQ(*tenant_->count({}), 2u);
    for (const SubjectId& id : ids)
      EXPECT_EQ(tenant_->subject(id).has_value(), id.text == "p7" || id.text == "p299");
    for (int i = 0; i < 300; i += 50)
      EXPECT_EQ(code_of(tenant_->subject(SubjectId("also " + std::to_string(i)))),
                Errc::subject_unknown);
    ASSERT_TRUE(tenant_->release(find("p7"), 1));
    ASSERT_TRUE(tenant_->erase(ids));
  }
}

TEST_F(Identifiers, OfSomebodyElseAreRefused) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  EXPECT_EQ(code_of(tenant_->add_identifier(alice, SubjectId("bob"))), Errc::exists);
  EXPECT_EQ(code_of(tenant_->add_identifier(alice, SubjectId(""))), Errc::invalid_argument);
  ASSERT_TRUE(tenant_->suppress(SubjectId("ghost")));
  EXPECT_EQ(code_of(tenant_->add_identifier(alice, SubjectId("ghost"))), Errc::suppressed);
  for (int i = 0; i < 64; ++i)
    ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("id-" + std::to_string(i))));
  EXPECT_EQ(code_of(tenant_->add_identifier(alice, SubjectId("one more"))), Errc::too_large);
}

TEST_F(Identifiers, AreAllSuppressedWithHer) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("alice@mail")));
  ASSERT_TRUE(tenant_->suppress(SubjectId("alice@mail")));
  for (const char* id : {"alice", "alice@mail"})
    EXPECT_EQ(code_of(tenant_->enrol(SubjectId(id), *us_)), Errc::suppressed) << id;
}

TEST_F(Identifiers, MoveWithHerToAnotherRegion) {
  ASSERT_TRUE(tenant_->add_identifier(enrol("alice"), SubjectId("alice@mail")));
  ASSERT_TRUE(tenant_->transfer(find("alice@mail"), *us_, TransferBasis::adequacy));
  EXPECT_EQ(find("alice@mail").home().name(), "us");
  EXPECT_EQ(find("alice").home().name(), "us");
  const SubjectId id[] = {SubjectId("alice@mail")};
  EXPECT_EQ(tenant_->erase(id)->erased, 1u);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"))), Errc::subject_unknown);
}

class Merging : public RightsTest {
 protected:
  Result<Erasure> merge(std::string_view into, std::string_view from) {
    return tenant_->merge(find(into), find(from));
  }
};

TEST_F(Merging, GivesOneWhatBothHad) {
  {
    const Subject alice = enrol("alice");
    const Subject other = enrol("device-7");
    ASSERT_TRUE(tenant_->add_identifier(other, SubjectId("device-8")));
    grant(other);
    put(alice, "ratings", "a", "of alice");
    put(alice, "ratings", "both", "of alice");
    put(other, "ratings", "b", "of the device");
    put(other, "ratings", "both", "of the device");
    put(other, "news", "c", "of the device");
    put(other, "logs", "d", "for thirty days");
    ASSERT_TRUE(tenant_->restrict(other));
  }
  const auto merged = merge("alice", "device-7");
  ASSERT_TRUE(merged) << name(merged.error().code()) << ": " << merged.error().note();
  EXPECT_EQ(merged->erased, 1u);
  reopen();
  const Subject alice = find("device-8");
  EXPECT_EQ(get(alice, "ratings", "a"), "error: restricted");  // The stricter holds.
  ASSERT_TRUE(tenant_->lift_restriction(alice));
  EXPECT_EQ(get(alice, "ratings", "a"), "of alice");
  EXPECT_EQ(get(alice, "ratings", "b"), "of the device");
  EXPECT_EQ(get(alice, "ratings", "both"), "of alice");
  EXPECT_EQ(get(alice, "news", "c"), "of the device");
  EXPECT_EQ(get(alice, "logs", "d"), "for thirty days");
  std::vector<std::string> names;
  ASSERT_TRUE(ratings().list(alice, {}, [&](std::string_view name) {
    names.emplace_back(name);
    return Flow::more;
  }));
  EXPECT_EQ(names, std::vector<std::string>({"a", "b", "both"}));
  EXPECT_EQ(*tenant_->count({}), 1u);
  EXPECT_EQ(events_of(alice).front(), "identifier_added");
  maintain();
  const SubjectId id[] = {SubjectId("device-7")};
  EXPECT_EQ(tenant_->erase(id)->erased, 1u);
  EXPECT_EQ(code_of(tenant_->subject(SubjectId("alice"))), Errc::subject_unknown);
  maintain();
  EXPECT_EQ(store_->stats()->regions[0].records, 0u);
}

TEST_F(Merging, IsRefusedWhereTheirConsentsDisagreeOrAHoldIsOnOne) {
  const Subject alice = enrol("alice");
  const Subject other = enrol("other");
  grant(alice);
  grant(other);
  put(other, "news", "a", "x");
  ASSERT_TRUE(tenant_->withdraw(alice, purpose("news")));
  EXPECT_EQ(code_of(merge("alice", "other")), Errc::conflict);
  grant(alice);
  const auto number = tenant_->hold(other, {"litigation", "case", {}});
  EXPECT_EQ(code_of(merge("alice", "other")), Errc::legal_hold);
  EXPECT_EQ(code_of(merge("other", "alice")), Errc::legal_hold);
  ASSERT_TRUE(tenant_->release(other, *number));
  EXPECT_EQ(get(other, "news", "a"), "x");
  EXPECT_EQ(code_of(merge("alice", "alice")), Errc::invalid_argument);
  const Subject far = tenant_->enrol(SubjectId("far"), *us_).value();
  EXPECT_EQ(code_of(merge("alice", "far")), Errc::region_mismatch);
  ASSERT_TRUE(merge("alice", "other"));
  EXPECT_EQ(get(alice, "news", "a"), "x");
  EXPECT_EQ(get(other, "news", "a"), "error: subject_erased");
}

}  // namespace
}  // namespace efface::test
