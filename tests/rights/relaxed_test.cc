// What was acknowledged ahead of its commit, and the rights that come before the commit: who was
// there is whole, who is erased is gone, and nothing comes to whoever is enrolled after her.
#include <thread>

#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

class RelaxedRights : public RightsTest {
 protected:
  void relax(const Subject& subject, std::string_view called, std::string_view record,
             std::string_view value) {
    PutOptions options;
    options.durability = Durability::relaxed;
    put(subject, called, record, value, options);
  }
};

TEST_F(RelaxedRights, AnErasureTakesWhatWaitsAndLeavesNothingToALaterSelf) {
  const Subject bob = enrol("bob");
  Subject alice = enrol("alice");
  relax(alice, "ratings", "a", "hers");
  relax(bob, "ratings", "b", "his");
  const Subject kept = find("alice");
  ASSERT_TRUE(tenant_->erase(std::move(alice)));
  EXPECT_EQ(get(kept, "ratings", "a"), "error: subject_erased");
  const Subject again = enrol("alice");
  EXPECT_EQ(get(again, "ratings", "a"), "absent");
  EXPECT_TRUE(store_->sync());
  EXPECT_EQ(get(again, "ratings", "a"), "absent");
  EXPECT_EQ(get(bob, "ratings", "b"), "his");
  maintain();
  EXPECT_TRUE(store_->check()->clean());
}

TEST_F(RelaxedRights, ABatchOfSeveralStaysWithThoseWhoStay) {
  Subject alice = enrol("alice");
  {
    const Subject bob = enrol("bob");
    Batch batch = activity("ratings").batch(*eu_);
    ASSERT_TRUE(batch.put(alice, RecordName("a"), as_bytes("hers")));
    ASSERT_TRUE(batch.put(bob, RecordName("b"), as_bytes("his")));
    ASSERT_TRUE(activity("ratings").commit(std::move(batch), Durability::relaxed));
  }
  ASSERT_TRUE(tenant_->erase(std::move(alice)));
  EXPECT_EQ(get(find("bob"), "ratings", "b"), "his");
  EXPECT_TRUE(store_->sync());
  reopen();
  EXPECT_EQ(get(find("bob"), "ratings", "b"), "his");
}

TEST_F(RelaxedRights, ABatchSealedBeforeAnErasureIsRefused) {
  Subject alice = enrol("alice");
  Batch batch = activity("ratings").batch(*eu_);
  ASSERT_TRUE(batch.put(alice, RecordName("a"), as_bytes("hers")));
  ASSERT_TRUE(tenant_->erase(std::move(alice)));
  const Subject again = enrol("alice");
  EXPECT_EQ(code_of(activity("ratings").commit(std::move(batch), Durability::relaxed)),
            Errc::subject_erased);
  EXPECT_TRUE(store_->sync());
  EXPECT_EQ(get(again, "ratings", "a"), "absent");
}

TEST_F(RelaxedRights, AWithdrawalDestroysWhatWaitsOfItsPurposeAlone) {
  const Subject alice = enrol("alice");
  grant(alice);
  relax(alice, "news", "n", "letter");
  relax(alice, "ratings", "r", "five");
  ASSERT_TRUE(tenant_->withdraw(alice, purpose("news")));
  EXPECT_EQ(get(alice, "news", "n"), "error: consent_missing");
  grant(alice);
  EXPECT_EQ(get(alice, "news", "n"), "absent");
  EXPECT_TRUE(store_->sync());
  EXPECT_EQ(get(alice, "news", "n"), "absent");
  EXPECT_EQ(get(alice, "ratings", "r"), "five");
}

TEST_F(RelaxedRights, WhatWaitedBeforeARestrictionOrAnObjectionIsThereWhenItIsLifted) {
  const Subject alice = enrol("alice");
  relax(alice, "ratings", "a", "five");
  relax(alice, "fraud", "f", "score");
  ASSERT_TRUE(tenant_->restrict(alice));
  EXPECT_EQ(get(alice, "ratings", "a"), "error: restricted");
  EXPECT_TRUE(store_->sync());
  ASSERT_TRUE(tenant_->lift_restriction(alice));
  relax(alice, "fraud", "g", "another");
  ASSERT_TRUE(tenant_->object(alice, purpose("fraud")));
  EXPECT_TRUE(store_->sync());
  ASSERT_TRUE(tenant_->lift_objection(alice, purpose("fraud")));
  EXPECT_EQ(get(alice, "ratings", "a"), "five");
  EXPECT_EQ(get(alice, "fraud", "f"), "score");
  EXPECT_EQ(get(alice, "fraud", "g"), "another");
}

TEST_F(RelaxedRights, WhatWaitsUnderAHoldIsKeptByIt) {
  const Subject alice = enrol("alice");
  grant(alice);
  relax(alice, "news", "n", "letter");
  const auto number = tenant_->hold(alice, {"audit", "a reason"});
  ASSERT_TRUE(number);
  relax(alice, "news", "m", "another");
  ASSERT_TRUE(tenant_->withdraw(alice, purpose("news")));
  EXPECT_TRUE(store_->sync());
  std::string exported;
  ASSERT_TRUE(tenant_->export_subject(alice, {}, [&](Bytes part) -> Status {
    exported += as_text(part);
    return {};
  }));
  EXPECT_NE(exported.find("letter"), std::string::npos) << exported;
}

TEST_F(RelaxedRights, WhatWaitsMovesWithWhoIsTransferredOrMerged) {
  const Subject alice = enrol("alice");
  relax(alice, "ratings", "a", "five");
  ASSERT_TRUE(tenant_->transfer(alice, *us_, TransferBasis::adequacy));
  const Subject there = find("alice");
  EXPECT_EQ(get(there, "ratings", "a"), "five");
  ASSERT_TRUE(tenant_->transfer(there, *eu_, TransferBasis::adequacy));
  const Subject back = find("alice");
  Subject twin = enrol("twin");
  relax(twin, "ratings", "t", "four");
  relax(back, "ratings", "b", "three");
  ASSERT_TRUE(tenant_->merge(back, std::move(twin)));
  EXPECT_EQ(get(back, "ratings", "t"), "four");
  EXPECT_EQ(get(back, "ratings", "b"), "three");
  EXPECT_EQ(get(back, "ratings", "a"), "five");
  EXPECT_TRUE(store_->sync());
  EXPECT_TRUE(store_->check()->clean());
}

TEST_F(RelaxedRights, WhatWaitsGoesWithItsDay) {
  const Subject alice = enrol("alice");
  relax(alice, "logs", "l", "entry");
  relax(alice, "ratings", "r", "five");
  advance(Days(32));
  EXPECT_EQ(get(alice, "logs", "l"), "error: expired");
  EXPECT_EQ(maintain({.expiry_days_max = 60}).buckets_expired, 1u);
  EXPECT_TRUE(store_->sync());
  EXPECT_EQ(get(alice, "logs", "l"), "absent");
  EXPECT_EQ(get(alice, "ratings", "r"), "five");
  EXPECT_TRUE(store_->check()->clean());
}

TEST_F(RelaxedRights, NobodyWhoIsSuppressedIsWritten) {
  const Subject alice = enrol("alice");
  relax(alice, "ratings", "a", "five");
  ASSERT_TRUE(tenant_->suppress(SubjectId("alice")));
  EXPECT_TRUE(store_->sync());
  PutOptions options;
  options.durability = Durability::relaxed;
  EXPECT_EQ(code_of(activity("ratings").put(SubjectId("alice"), *eu_, RecordName("a"),
                                            as_bytes("x"), options)),
            Errc::suppressed);
}

TEST_F(RelaxedRights, OffBoardingATenantLeavesTheOtherWhatWaits) {
  const Region eu[] = {*eu_};
  const Tenant other = store_->declare_tenant("other", eu, Actor("test")).value();
  const Activity theirs = other.activity(other.declare_purpose({"theirs"}).value()).value();
  const Subject olga = other.enrol(SubjectId("olga"), *eu_).value();
  PutOptions options;
  options.durability = Durability::relaxed;
  relax(enrol("alice"), "ratings", "a", "five");
  ASSERT_TRUE(theirs.put(olga, RecordName("o"), as_bytes("x"), options));
  const auto plan = store_->prepare_offboard(*tenant_);
  ASSERT_TRUE(plan);
  ASSERT_TRUE(store_->offboard(*std::move(tenant_), plan->token));
  EXPECT_TRUE(store_->sync());
  EXPECT_EQ(text_of(theirs.get(olga, RecordName("o"))), "x");
  maintain();
  EXPECT_TRUE(store_->check()->clean());
}

TEST_F(RelaxedRights, NothingThatWaitsIsLostWhileItsScopeIsReKeyed) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "first", "x");
  std::atomic<bool> done{false};
  int written = 0;
  {
    std::jthread writing([&] {
      PutOptions options;
      options.durability = Durability::relaxed;
      const Activity ratings = activity("ratings");
      while (!done || written < 50) {
        const std::string name = "w" + std::to_string(written);
        if (ratings.put(alice, RecordName(name), as_bytes(name), options)) ++written;
      }
    });
    for (int round = 0; round < 20; ++round) {
      put(alice, "ratings", "passing", "x");
      EXPECT_TRUE(*activity("ratings").remove(alice, RecordName("passing"), Shred::now));
    }
    done = true;
  }
  EXPECT_TRUE(store_->sync());
  for (int i = 0; i < written; ++i) {
    const std::string name = "w" + std::to_string(i);
    ASSERT_EQ(get(alice, "ratings", name), name);
  }
  EXPECT_TRUE(store_->check()->clean());
}

TEST_F(RelaxedRights, WhatIsReadOfHerEndsWithHerErasureWhileOthersWrite) {
  std::atomic<bool> stop{false};
  std::atomic<int> leaked{0};
  const Subject bob = enrol("bob");
  std::jthread others([&] {
    PutOptions options;
    options.durability = Durability::relaxed;
    const Activity ratings = activity("ratings");
    for (int i = 0; !stop; ++i)
      EXPECT_TRUE(ratings.put(bob, RecordName("b"), as_bytes(std::to_string(i)), options));
  });
  for (int round = 0; round < 20; ++round) {
    Subject alice = enrol("alice");
    relax(alice, "ratings", "a", "hers");
    const Subject kept = find("alice");
    EXPECT_TRUE(tenant_->erase(std::move(alice)));
    if (get(kept, "ratings", "a") != "error: subject_erased") ++leaked;
    Subject again = enrol("alice");
    if (get(again, "ratings", "a") != "absent") ++leaked;
    EXPECT_TRUE(store_->sync());
    if (get(again, "ratings", "a") != "absent") ++leaked;
    EXPECT_TRUE(tenant_->erase(std::move(again)));
  }
  stop = true;
  EXPECT_EQ(leaked, 0);
}

}  // namespace
}  // namespace efface::test
