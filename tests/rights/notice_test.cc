// Telling services that somebody was erased.
#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

class Notices : public RightsTest {
 protected:
  void SetUp() override {
    RightsTest::SetUp();
    reopen_with(true);
  }

  // A service that answers, or does not.
  void reopen_with(bool answer) {
    close_all();
    answer_ = answer;
    OpenOptions told = options();
    told.on_erased = [this](std::string_view tenant, Bytes token) {
      told_.push_back(std::string(tenant) + " " + std::string(as_text(token)));
      return answer_;
    };
    auto store = Store::open(told);
    ASSERT_TRUE(store) << name(store.error().code());
    store_.emplace(*std::move(store));
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }

  using Told = std::vector<std::string>;
  bool answer_ = true;
  Told told_;
};

TEST_F(Notices, AreGivenBeforeEraseAnswersAndOnceWhenTheyAreTaken) {
  enrol("alice");
  ASSERT_TRUE(tenant_->erase(find("alice"), {as_bytes("ticket-1")}));
  EXPECT_EQ(told_, Told({"acme ticket-1"}));
  maintain();
  reopen_with(true);
  EXPECT_EQ(told_, Told({"acme ticket-1"}));
}

TEST_F(Notices, AreGivenAgainUntilTheyAreTakenAlsoAfterReopening) {
  enrol("alice");
  answer_ = false;
  ASSERT_TRUE(tenant_->erase(find("alice"), {as_bytes("ticket-1")}));
  maintain();
  EXPECT_EQ(told_.size(), 2u);
  reopen_with(true);
  EXPECT_EQ(told_.size(), 3u);
  maintain();
  EXPECT_EQ(told_.size(), 3u);
}

TEST_F(Notices, OfAnErasureThatAHoldDelaysComeWithIt) {
  {
    const Subject alice = enrol("alice");
    const auto number = tenant_->hold(alice, {"litigation", "case", {}});
    EXPECT_EQ(code_of(tenant_->erase(find("alice"), {as_bytes("ticket-2")})), Errc::legal_hold);
    EXPECT_TRUE(told_.empty());
    ASSERT_TRUE(tenant_->release(alice, *number));
  }
  EXPECT_EQ(told_, Told({"acme ticket-2"}));
}

TEST_F(Notices, AreForEachOfManyAndForNobodyWhoWasNotThere) {
  enrol("alice");
  enrol("bob");
  const SubjectId ids[] = {SubjectId("alice"), SubjectId("bob"), SubjectId("nobody")};
  ASSERT_TRUE(tenant_->erase(ids, {as_bytes("t")}));
  EXPECT_EQ(told_, Told({"acme t", "acme t"}));
  const std::string long_token(65, 'x');
  enrol("zoe");
  EXPECT_EQ(code_of(tenant_->erase(find("zoe"), {as_bytes(long_token)})), Errc::too_large);
  EXPECT_TRUE(tenant_->subject(SubjectId("zoe")));
}

TEST_F(Notices, ThatWereNotTakenKeepTheTenantFromBeingOffBoarded) {
  enrol("alice");
  answer_ = false;
  ASSERT_TRUE(tenant_->erase(find("alice"), {as_bytes("t")}));
  const auto plan = store_->prepare_offboard(*tenant_);
  ASSERT_TRUE(plan);
  Tenant leaving = *tenant_;
  EXPECT_EQ(code_of(store_->offboard(std::move(leaving), plan->token)), Errc::conflict);
  answer_ = true;
  Tenant again = *tenant_;
  EXPECT_TRUE(store_->offboard(std::move(again), plan->token));
}

}  // namespace
}  // namespace efface::test
