// What the ledger is told, what it is not told, and how it stays one with its copy and with what
// the root key store remembers.
#include <algorithm>
#include <fstream>
#include <map>

#include "efface/receipt.h"
#include "rights/rights_fixture.h"
#include "support/file_content.h"
#include "support/root_keys_over.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

class LedgerTest : public RightsTest {
 protected:
  std::vector<std::string> kinds(const Region& region, std::uint64_t first = 0) {
    std::vector<std::string> found;
    EXPECT_TRUE(store_->each_decision(region, first, [&](const Decision& decision) {
      found.emplace_back(decision.what);
      return Flow::more;
    }));
    return found;
  }
  std::uint64_t size(const Region& region) { return kinds(region).size(); }

  fs::path copy_path() const { return home_ / "store" / "eu" / "ledger"; }

  static void write(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::optional<Errc> open_error() {
    close_all();
    const auto store = Store::open(options());
    return code_of(store);
  }

  // A copy of the region's keyring as it is, closed.
  void save_keyring(const fs::path& to) {
    fs::remove_all(to);
    fs::copy(home_ / "store" / "eu" / "keyring", to, fs::copy_options::recursive);
  }
  void put_keyring_back(const fs::path& from) {
    for (const auto& file : fs::directory_iterator(from))
      fs::copy_file(file.path(), home_ / "store" / "eu" / "keyring" / file.path().filename(),
                    fs::copy_options::overwrite_existing);
  }
};
using LedgerClaim = LedgerTest;

TEST_F(LedgerClaim, EveryDecisionIsEnteredAsWhatItIs) {
  const std::uint64_t before = size(*eu_);
  const Subject alice = enrol("alice");
  grant(alice);
  put(alice, "news", "letter", "hello");
  ASSERT_TRUE(tenant_->object(alice, purpose("fraud")));
  ASSERT_TRUE(tenant_->lift_objection(alice, purpose("fraud")));
  ASSERT_TRUE(tenant_->restrict(alice));
  ASSERT_TRUE(tenant_->lift_restriction(alice));
  const auto hold = tenant_->hold(alice, {"claim", "a case", {}});
  ASSERT_TRUE(hold);
  ASSERT_TRUE(tenant_->release(alice, *hold));
  ASSERT_TRUE(tenant_->add_identifier(alice, SubjectId("alice@example.org")));
  ASSERT_TRUE(tenant_->export_subject(alice, {}, [](Bytes) -> Status { return {}; }));
  ASSERT_TRUE(tenant_->withdraw(alice, purpose("news")));
  ASSERT_TRUE(tenant_->transfer(alice, *us_, TransferBasis::adequacy));
  ASSERT_TRUE(tenant_->erase(find("alice")));
  ASSERT_TRUE(tenant_->suppress(SubjectId("bob")));
  ASSERT_TRUE(tenant_->reinstate(SubjectId("bob"), "he asked"));
  ASSERT_TRUE(tenant_->set_agreement({"DPA-1", std::chrono::sys_days(Days(20'000))}));
  const std::vector<std::string> eu = {"enrolled",
                                       "consent_granted",
                                       "objected",
                                       "objection_lifted",
                                       "restricted",
                                       "restriction_lifted",
                                       "held",
                                       "hold_released",
                                       "identifier_added",
                                       "exported",
                                       "consent_withdrawn",
                                       "transferred",
                                       "suppressed",
                                       "reinstated",
                                       "configured"};
  EXPECT_EQ(kinds(*eu_, before), eu);
  std::vector<std::string> us = kinds(*us_, before);
  EXPECT_EQ(us, (std::vector<std::string>{"received", "erased", "suppressed", "reinstated",
                                          "configured"}));
}

TEST_F(LedgerClaim, WhatHappensToManyIsCounted) {
  const std::vector<SubjectId> ids = {SubjectId("a"), SubjectId("b"), SubjectId("c")};
  const std::uint64_t before = size(*eu_);
  ASSERT_TRUE(tenant_->find_or_enrol(ids, *eu_));
  ASSERT_TRUE(tenant_->find_or_enrol(ids, *eu_));  // Nobody is new.
  put(find("a"), "logs", "visit", "x");
  advance(Days(40));
  const Maintained done = maintain({.expiry_days_max = 100});
  ASSERT_EQ(done.buckets_expired, 1u);
  ASSERT_EQ(done.receipts.size(), 1u);
  std::vector<std::pair<std::string, std::uint64_t>> counted;
  ASSERT_TRUE(store_->each_decision(*eu_, before, [&](const Decision& decision) {
    counted.emplace_back(decision.what, decision.count.value_or(0));
    return Flow::more;
  }));
  EXPECT_EQ(counted,
            (std::vector<std::pair<std::string, std::uint64_t>>{{"enrolled", 3}, {"expired", 1}}));
}

TEST_F(LedgerClaim, WhatIsRefusedIsNotEntered) {
  const Subject alice = enrol("alice");
  const auto hold = tenant_->hold(alice, {"claim", "a case", {}});
  ASSERT_TRUE(hold);
  const std::uint64_t before = size(*eu_);
  EXPECT_EQ(code_of(tenant_->grant(alice, purpose("fraud"), {})), Errc::basis_differs);
  EXPECT_EQ(code_of(tenant_->withdraw(alice, purpose("news"))), Errc::consent_missing);
  EXPECT_EQ(code_of(tenant_->erase(find("alice"))), Errc::legal_hold);
  EXPECT_EQ(kinds(*eu_, before), (std::vector<std::string>{"erasure_asked"}));
}

TEST_F(LedgerClaim, NobodyIsNamedInItOrInItsCopy) {
  const std::string id = "canary-of-alice@example.org";
  Subject alice = enrol(id);
  put(alice, "logs", "canary-of-a-name", "canary-of-a-value");
  ASSERT_TRUE(tenant_->hold(alice, {"claim", "canary-of-a-reason", {}}));
  ASSERT_TRUE(tenant_->release(alice, 1));
  ASSERT_TRUE(tenant_->erase(std::move(alice)));
  ASSERT_TRUE(tenant_->suppress(SubjectId("canary-of-bob")));
  ASSERT_TRUE(tenant_->reinstate(SubjectId("canary-of-bob"), "canary-of-why"));
  close_all();
  const std::string bytes = file_content(copy_path());
  ASSERT_GT(bytes.size(), 500u);
  EXPECT_EQ(bytes.find("canary"), std::string::npos);
  EXPECT_NE(bytes.find("test"), std::string::npos);  // Who acted is there to be found.
}

TEST_F(LedgerClaim, AnEarlierCheckpointIsTheBeginningOfALaterOne) {
  const auto key = store_->verifier_key(*eu_);
  ASSERT_TRUE(key);
  std::vector<std::string> checkpoints;
  for (int i = 0; i < 20; ++i) {
    const auto checkpoint = store_->checkpoint(*eu_);
    ASSERT_TRUE(checkpoint);
    checkpoints.push_back(*checkpoint);
    enrol("person-" + std::to_string(i));
  }
  reopen();
  const auto now = store_->checkpoint(*eu_);
  ASSERT_TRUE(now);
  EXPECT_EQ(store_->verifier_key(*eu_).value(), *key);
  for (const std::string& before : checkpoints) {
    const auto proof = store_->consistency_proof(*eu_, before);
    ASSERT_TRUE(proof) << name(proof.error().code());
    EXPECT_TRUE(verify_consistency(before, *now, *proof, *key));
  }
  // And no other region's.
  EXPECT_EQ(code_of(store_->consistency_proof(*us_, checkpoints[0])), Errc::corruption);
  EXPECT_NE(store_->verifier_key(*us_).value(), *key);
}

TEST_F(LedgerClaim, ACopyThatWasLostIsMadeAnew) {
  enrol("alice");
  close_all();
  const std::string whole = file_content(copy_path());
  fs::remove(copy_path());
  reopen();
  close_all();
  EXPECT_EQ(file_content(copy_path()), whole);
}

TEST_F(LedgerClaim, ACopyThatIsBehindOrTornIsCompletedByTheKeyring) {
  for (int i = 0; i < 10; ++i) enrol("person-" + std::to_string(i));
  close_all();
  const std::string whole = file_content(copy_path());
  for (const std::size_t length : {whole.size() - 1, whole.size() - 40, whole.size() / 2,
                                   std::size_t{33}, std::size_t{32}, std::size_t{7}}) {
    std::string torn = whole.substr(0, length);
    if (length > 100) torn[length - 3] = static_cast<char>(torn[length - 3] ^ 1);
    if (length < 32) torn.assign(length, '\0');
    write(copy_path(), torn);
    reopen();
    close_all();
    EXPECT_EQ(file_content(copy_path()), whole) << length;
  }
}

TEST_F(LedgerClaim, ACopyWithoutSomeOfWhatWasNotSyncedIsCompletedByTheKeyring) {
  close_all();
  std::string whole = file_content(copy_path());
  std::string torn;
  for (const bool at_the_end : {false, true}) {  // Its length came before its data.
    const std::size_t synced_bytes = whole.size();
    reopen();
    for (const char* id : {"alice", "bob", "carol"}) enrol(id + std::to_string(at_the_end));
    close_all();
    torn = whole = file_content(copy_path());
    torn.replace(at_the_end ? torn.size() - 40 : synced_bytes, 40, 40, '\0');
    write(copy_path(), torn);
    reopen();
    close_all();
    EXPECT_EQ(file_content(copy_path()), whole);
  }
  write(copy_path(), torn);  // The root key store remembers now that it was there.
  EXPECT_EQ(open_error(), Errc::ledger_mismatch);
}

TEST_F(LedgerClaim, AKeyringOlderThanTheCopyIsRefused) {
  enrol("alice");
  close_all();
  save_keyring(home_ / "saved");
  reopen();
  enrol("bob");  // No epoch ends: the old keyring has its root key still.
  close_all();
  put_keyring_back(home_ / "saved");
  EXPECT_EQ(open_error(), Errc::keyring_stale);
}

TEST_F(LedgerClaim, ACopyOfAnotherHistoryIsRefused) {
  enrol("alice");
  close_all();
  save_keyring(home_ / "saved");
  const std::string copy = file_content(copy_path());
  reopen();
  enrol("bob");
  close_all();
  const std::string other = file_content(copy_path());
  put_keyring_back(home_ / "saved");
  write(copy_path(), copy);
  reopen();
  grant(find("alice"));  // Not what happened the first time.
  grant(find("alice"));
  close_all();
  write(copy_path(), other);
  EXPECT_EQ(open_error(), Errc::ledger_mismatch);
}

TEST_F(LedgerClaim, TheLedgerIsNotRolledBackPastWhatTheRootKeyStoreRemembers) {
  enrol("alice");
  close_all();
  save_keyring(home_ / "saved");
  const std::string copy = file_content(copy_path());
  reopen();
  grant(find("alice"));
  reopen();  // Every open writes down how far the ledger had come, with the next spare.
  close_all();
  put_keyring_back(home_ / "saved");
  write(copy_path(), copy);  // Both are old, and agree with each other.
  EXPECT_EQ(open_error(), Errc::keyring_stale);
}

class RemembersAnother final : public RootKeysOver {
 public:
  explicit RemembersAnother(RootKeyStore* store)
      : RootKeysOver(std::shared_ptr<RootKeyStore>(std::shared_ptr<void>(), store)) {}

  Result<Anchor> anchor() override {
    auto anchor = RootKeysOver::anchor();
    if (anchor && another) anchor->ledger_hash.front() ^= std::byte{1};
    return anchor;
  }

  bool another = true;
};

TEST_F(LedgerClaim, AnotherLedgerAsLongAsTheOneThatIsRememberedIsRefused) {
  enrol("alice");
  reopen();  // From here on nothing is entered that is not remembered.
  const std::uint64_t entries = size(*eu_);
  close_all();
  OpenOptions changed = options();
  RemembersAnother root_keys(changed.regions[0].root_keys);
  changed.regions[0].root_keys = &root_keys;
  ASSERT_EQ(root_keys.anchor()->ledger_entries, entries);
  EXPECT_EQ(code_of(Store::open(changed)), Errc::ledger_mismatch);
  root_keys.another = false;
  EXPECT_EQ(code_of(Store::open(changed)), std::nullopt);
}

TEST_F(LedgerClaim, ACopyMayStandElsewhere) {
  close_all();
  OpenOptions elsewhere = options();
  fs::create_directory(home_ / "other");
  fs::permissions(home_ / "other", fs::perms::owner_all);
  elsewhere.regions[0].ledger_copy = home_ / "other" / "eu.ledger";
  std::uint64_t entries = 0;
  {
    const auto store = Store::open(elsewhere);
    ASSERT_TRUE(store) << name(store.error().code());
    const auto tenant = store->tenant("acme", Actor("test"));
    ASSERT_TRUE(tenant->enrol(SubjectId("alice"), store->region("eu").value()));
    ASSERT_TRUE(store->each_decision(store->region("eu").value(), 0, [&](const Decision&) {
      ++entries;
      return Flow::more;
    }));
  }
  EXPECT_GT(entries, 5u);
  EXPECT_GT(fs::file_size(home_ / "other" / "eu.ledger"), 30 * entries);
}

}  // namespace
}  // namespace efface::test
