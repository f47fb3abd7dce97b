#include "support/store_fixture.h"

namespace efface::test {
namespace {

using FirstLight = StoreTest;

TEST_F(FirstLight, WhatIsPutIsReadBack) {
  const Subject alice = enrol("alice");
  ASSERT_TRUE(activity().put(alice, RecordName("a"), as_bytes("one")));
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "one");
  EXPECT_EQ(text_of(activity().get(alice, RecordName("b"))), "absent");
}

TEST_F(FirstLight, WhatIsPutIsReadBackAfterReopening) {
  ASSERT_TRUE(activity().put(enrol("alice"), RecordName("a"), as_bytes("one")));
  reopen();
  const Subject alice = tenant_->subject(SubjectId("alice")).value();
  EXPECT_EQ(text_of(activity().get(alice, RecordName("a"))), "one");
}

TEST_F(FirstLight, AnErasedPersonIsUnknownLikeOneWhoNeverWas) {
  Subject alice = enrol("alice");
  std::optional<Subject> again(tenant_->subject(SubjectId("alice")).value());
  ASSERT_TRUE(activity().put(alice, RecordName("a"), as_bytes("one")));
  const auto erased = tenant_->erase(std::move(alice));
  ASSERT_TRUE(erased) << name(erased.error().code()) << erased.error().note();
  EXPECT_EQ(erased->erased, 1u);
  EXPECT_EQ(tenant_->subject(SubjectId("alice")).error().code(), Errc::subject_unknown);
  EXPECT_EQ(tenant_->subject(SubjectId("never")).error().code(), Errc::subject_unknown);
  EXPECT_EQ(activity().get(*again, RecordName("a")).error().code(), Errc::subject_erased);
  again.reset();  // It keeps the store open.
  reopen();
  EXPECT_EQ(tenant_->subject(SubjectId("alice")).error().code(), Errc::subject_unknown);
}

TEST_F(FirstLight, ThousandsOfPeopleAreFoundAgainAndSomeErased) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5000; ++i) ids.push_back("person-" + std::to_string(i));
  std::vector<SubjectId> views(ids.begin(), ids.end());
  const Purpose purposes[] = {tenant_->purpose("ratings").value()};
  {
    auto people = tenant_->find_or_enrol(views, region(), purposes);
    ASSERT_TRUE(people) << name(people.error().code()) << people.error().note();
    const Activity ratings = activity();
    Batch batch = ratings.batch(region());
    for (std::size_t i = 0; i < people->size(); ++i)
      ASSERT_TRUE(batch.put((*people)[i], RecordName("n"), as_bytes(ids[i])));
    ASSERT_TRUE(ratings.commit(std::move(batch)));
  }
  std::vector<SubjectId> leaving(views.begin(), views.begin() + 500);
  const auto erased = tenant_->erase(leaving);
  ASSERT_TRUE(erased) << name(erased.error().code()) << erased.error().note();
  EXPECT_EQ(erased->erased, 500u);
  reopen();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = tenant_->subject(views[i]);
    if (i < 500) {
      EXPECT_EQ(found.error().code(), Errc::subject_unknown);
      continue;
    }
    ASSERT_TRUE(found) << name(found.error().code()) << found.error().note();
    EXPECT_EQ(text_of(activity().get(*found, RecordName("n"))), ids[i]);
  }
  const auto swept = store_->maintain();
  ASSERT_TRUE(swept) << name(swept.error().code()) << swept.error().note();
  EXPECT_EQ(swept->records_removed, 1500u);  // Of each a record, her sealed id, a summary.
  EXPECT_EQ(store_->stats()->regions.front().reclaim_entries, 0u);
}

}  // namespace
}  // namespace efface::test
