// What a receipt says is true, is checked without the store, and stops being accepted when one bit
// of it changes.
#include <map>
#include <random>

#include "efface/receipt.h"
#include "rights/rights_fixture.h"

namespace efface::test {
namespace {

class ReceiptTest : public RightsTest {
 protected:
  Receipt verified(const ReceiptTicket& ticket) {
    const auto text = store_->receipt(ticket);
    EXPECT_TRUE(text) << name(text.error().code()) << ": " << text.error().note();
    if (!text) return {};
    text_ = *text;
    const Region region = store_->region(ticket.region).value();
    key_ = store_->verifier_key(region).value();
    const auto receipt = verify_receipt(text_, key_);
    EXPECT_TRUE(receipt) << name(receipt.error().code());
    return receipt ? *receipt : Receipt{};
  }
  std::string text_;
  std::string key_;
};
using ReceiptClaim = ReceiptTest;

TEST_F(ReceiptClaim, OfAnErasureSaysWhatWasDone) {
  Subject alice = enrol("alice");
  put(alice, "logs", "visit", "hello");
  const auto erased = tenant_->erase(std::move(alice));
  ASSERT_TRUE(erased);
  ASSERT_EQ(erased->receipts.size(), 1u);
  const Receipt receipt = verified(erased->receipts[0]);
  EXPECT_EQ(receipt.kind, ReceiptKind::erasure);
  EXPECT_EQ(receipt.region, "eu");
  EXPECT_EQ(receipt.tenant, "acme");
  EXPECT_EQ(receipt.actor, "test");
  EXPECT_EQ(receipt.epoch_before, erased->regions[0].epoch_before);
  EXPECT_EQ(receipt.epoch_after, erased->regions[0].epoch_after);
  EXPECT_TRUE(receipt.root_before && receipt.root_after);
  EXPECT_NE(receipt.root_before, receipt.root_after);
  EXPECT_TRUE(receipt.destroyed);
  EXPECT_EQ(receipt.assurance, erased->regions[0].assurance.level);
  EXPECT_EQ(receipt.replicas_confirmed, 1u);
  EXPECT_EQ(receipt.replicas, 1u);
  EXPECT_EQ(receipt.caches_wiped, 1u);
  EXPECT_EQ(receipt.caches_fenced, 0u);
  EXPECT_EQ(receipt.state, ReceiptState::quiesced);
  EXPECT_FALSE(receipt.not_covered.empty());
}

TEST_F(ReceiptClaim, IsAboutHerForWhoHasTheSaltAndForNobodyElse) {
  std::array<std::byte, 32> salt{};
  salt.fill(std::byte{7});
  const auto erased = tenant_->erase(enrol("alice"), {{}, {{}, salt}});
  ASSERT_TRUE(erased);
  EXPECT_EQ(erased->receipts[0].salt, salt);
  const Receipt receipt = verified(erased->receipts[0]);
  EXPECT_TRUE(verify_about(receipt, salt, "acme", "alice"));
  EXPECT_EQ(code_of(verify_about(receipt, salt, "acme", "bob")), Errc::corruption);
  EXPECT_EQ(code_of(verify_about(receipt, salt, "umbrella", "alice")), Errc::corruption);
  salt[0] = std::byte{8};
  EXPECT_EQ(code_of(verify_about(receipt, salt, "acme", "alice")), Errc::corruption);
}

TEST_F(ReceiptClaim, OfEachOfManyIsAboutOneOfThem) {
  const std::vector<SubjectId> ids = {SubjectId("a"), SubjectId("nobody"), SubjectId("c")};
  enrol("a");
  enrol("c");
  const auto erased = tenant_->erase(ids);
  ASSERT_TRUE(erased);
  ASSERT_EQ(erased->receipts.size(), 2u);
  for (const ReceiptTicket& ticket : erased->receipts)
    EXPECT_TRUE(verify_about(verified(ticket), ticket.salt, "acme", ids[ticket.which].text));
  EXPECT_NE(erased->receipts[0].salt, erased->receipts[1].salt);
}

TEST_F(ReceiptClaim, OfSeveralWhoWereGivenOneSaltHasOneOfItsOwnThatIsToldAgain) {
  const std::vector<SubjectId> ids = {SubjectId("a"), SubjectId("nobody"), SubjectId("c")};
  enrol("a");
  enrol("c");
  std::array<std::byte, 32> salt{};
  salt.fill(std::byte{7});
  const auto erased = tenant_->erase(ids, {{}, {{}, salt}});
  ASSERT_TRUE(erased);
  ASSERT_EQ(erased->receipts.size(), 2u);
  std::map<std::uint64_t, Receipt::Hash> decided;
  ASSERT_TRUE(store_->each_decision(*eu_, 0, [&](const Decision& decision) {
    if (decision.commitment) decided[decision.entry] = *decision.commitment;
    return Flow::more;
  }));
  for (const ReceiptTicket& ticket : erased->receipts) {
    const std::string_view id = ids[ticket.which].text;
    EXPECT_NE(ticket.salt, salt);
    EXPECT_EQ(ticket.salt, salt_of(salt, id).value());
    EXPECT_TRUE(verify_about(verified(ticket), ticket.salt, "acme", id));
    // What was given tells of nobody, and hers of nobody else.
    EXPECT_EQ(code_of(verify_about(verified(ticket), salt, "acme", id)), Errc::corruption);
    EXPECT_EQ(decided.at(ticket.entry), commitment_of(ticket.salt, "acme", id).value());
  }
  EXPECT_NE(erased->receipts[0].salt, erased->receipts[1].salt);
  // One alone has the salt that was given.
  enrol("d");
  const std::vector<SubjectId> one = {SubjectId("d")};
  const auto alone = tenant_->erase(one, {{}, {{}, salt}});
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->receipts.at(0).salt, salt);
  EXPECT_EQ(code_of(salt_of(Bytes(salt).first(31), "d")), Errc::invalid_argument);
  EXPECT_EQ(code_of(commitment_of(Bytes(salt).first(31), "acme", "d")), Errc::invalid_argument);
}

TEST_F(ReceiptClaim, IsMadeOfEveryKindOfDestruction) {
  const Subject alice = enrol("alice");
  grant(alice);
  put(alice, "logs", "visit", "x");
  const auto withdrawn = tenant_->withdraw(alice, purpose("news"));
  ASSERT_TRUE(withdrawn);
  const Receipt withdrawal = verified(withdrawn->receipts.at(0));
  EXPECT_EQ(withdrawal.kind, ReceiptKind::withdrawal);
  EXPECT_EQ(withdrawal.purpose, "news");
  const auto moved = tenant_->transfer(alice, *us_, TransferBasis::standard_clauses);
  ASSERT_TRUE(moved);
  EXPECT_EQ(verified(moved->receipts.at(0)).kind, ReceiptKind::transfer);
  EXPECT_EQ(verified(moved->receipts.at(0)).detail, "standard_clauses to us");
  const auto suppressed = tenant_->suppress(SubjectId("alice"));
  ASSERT_TRUE(suppressed);
  ASSERT_EQ(suppressed->receipts.size(), 3u);  // A tombstone in each region, and an erasure.
  EXPECT_EQ(verified(suppressed->receipts[0]).kind, ReceiptKind::suppression);
  EXPECT_EQ(verified(suppressed->receipts[2]).kind, ReceiptKind::erasure);
  put(enrol("bob"), "logs", "visit", "x");
  advance(Days(40));
  const Maintained done = maintain({.expiry_days_max = 100});
  EXPECT_EQ(verified(done.receipts.at(0)).kind, ReceiptKind::expiry);
  EXPECT_EQ(verified(done.receipts.at(0)).count, 1u);
  const auto plan = store_->prepare_offboard(*tenant_);
  ASSERT_TRUE(plan);
  const auto gone = store_->offboard(*std::exchange(tenant_, std::nullopt), plan->token);
  ASSERT_TRUE(gone) << name(gone.error().code());
  ASSERT_EQ(gone->receipts.size(), 2u);
  EXPECT_EQ(verified(gone->receipts[0]).kind, ReceiptKind::offboarding);
}

TEST_F(ReceiptClaim, SaysHowFarItHasComeWhenItIsAskedForAgain) {
  Subject alice = enrol("alice");
  put(alice, "logs", "visit", "hello");
  const auto erased = tenant_->erase(std::move(alice));
  ASSERT_TRUE(erased);
  EXPECT_EQ(verified(erased->receipts[0]).state, ReceiptState::quiesced);
  const std::string first = text_;
  maintain();
  const Receipt later = verified(erased->receipts[0]);
  // No recovery capsule was ever made: nothing else of before opens.
  EXPECT_EQ(later.state, ReceiptState::beyond_backups);
  const auto earlier = verify_receipt(first, key_);
  ASSERT_TRUE(earlier);
  EXPECT_EQ(earlier->entry, later.entry);
  EXPECT_EQ(earlier->commitment, later.commitment);
  EXPECT_EQ(earlier->destroyed, later.destroyed);
}

TEST_F(ReceiptClaim, OfARequestIsThereAfterACrashAndNothingIsDoneTwice) {
  const auto request = as_bytes("ticket-17");
  EXPECT_EQ(code_of(tenant_->receipt(request)), Errc::receipt_unknown);
  const auto erased = tenant_->erase(enrol("alice"), {{}, {request, {}}});
  ASSERT_TRUE(erased);
  reopen();
  enrol("alice");  // Somebody of that id again.
  const SubjectId ids[] = {SubjectId("alice")};
  const auto again = tenant_->erase(ids, {{}, {request, {}}});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->erased, 0u);
  ASSERT_EQ(again->receipts.size(), 1u);
  EXPECT_EQ(again->receipts[0].entry, erased->receipts[0].entry);
  EXPECT_TRUE(tenant_->subject(SubjectId("alice")));  // She was not meant.
  EXPECT_TRUE(tenant_->receipt(request));
  const std::vector<SubjectId> two = {SubjectId("a"), SubjectId("b")};
  EXPECT_EQ(code_of(tenant_->erase(two, {{}, {request, {}}})), Errc::invalid_argument);
}

TEST_F(ReceiptClaim, IsNotGivenToAnotherTenantNorMadeOfWhatDestroyedNothing) {
  const auto erased = tenant_->erase(enrol("alice"));
  ASSERT_TRUE(erased);
  const Region both[] = {*us_, *eu_};
  const auto other = store_->declare_tenant("umbrella", both, Actor("test"));
  ASSERT_TRUE(other);
  EXPECT_EQ(code_of(other->receipt(erased->receipts[0])), Errc::receipt_unknown);
  EXPECT_TRUE(tenant_->receipt(erased->receipts[0]));
  EXPECT_EQ(code_of(store_->receipt({"eu", 0, 0, {}})), Errc::receipt_unknown);
  EXPECT_EQ(code_of(store_->receipt({"eu", 1'000'000, 0, {}})), Errc::receipt_unknown);
}

TEST_F(ReceiptClaim, OfEveryErasureOfAHistoryIsAcceptedAndWithAnyBitChangedIsNot) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int operations = 500;
#else
  constexpr int operations = 10'000;
#endif
  std::mt19937 random(17);
  std::vector<ReceiptTicket> tickets;
  std::vector<std::string> ids;
  for (int done = 0; done < operations;) {
    ids.clear();
    std::vector<SubjectId> batch;
    const int n = 1 + static_cast<int>(random() % 200);
    for (int i = 0; i < n; ++i) ids.push_back("person-" + std::to_string(done + i));
    for (const std::string& id : ids) batch.emplace_back(id);
    ASSERT_TRUE(tenant_->find_or_enrol(batch, random() % 2 == 0 ? *eu_ : *us_));
    const auto erased = tenant_->erase(batch);
    ASSERT_TRUE(erased);
    tickets.insert(tickets.end(), erased->receipts.begin(), erased->receipts.end());
    done += 2 * n;
  }
  ASSERT_GE(tickets.size(), static_cast<std::size_t>(operations / 2));
  const std::map<std::string, std::string> keys = {{"eu", store_->verifier_key(*eu_).value()},
                                                   {"us", store_->verifier_key(*us_).value()}};
  for (const ReceiptTicket& ticket : tickets) {
    const auto text = store_->receipt(ticket);
    ASSERT_TRUE(text) << name(text.error().code());
    ASSERT_TRUE(verify_receipt(*text, keys.at(ticket.region)));
    for (int i = 0; i < 4; ++i) {
      std::string changed = *text;
      const std::size_t bit = random() % (8 * changed.size());
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_FALSE(verify_receipt(changed, keys.at(ticket.region))) << "bit " << bit;
    }
  }
}

}  // namespace
}  // namespace efface::test
