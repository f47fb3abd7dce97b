// Bytes that are kept elsewhere: who may seal and open them, and what destroys them.
#include "rights/rights_fixture.h"
#include "support/saved_files.h"

namespace efface::test {
namespace {

class SealerTest : public RightsTest {
 protected:
  Sealer sealer(std::string_view called = "ratings") {
    return tenant_->sealer(purpose(called)).value();
  }
  std::vector<std::byte> seal(const Subject& subject, std::string_view plain,
                              std::string_view called = "ratings") {
    auto sealed = sealer(called).seal(subject, SealContext("notes/1"), as_bytes(plain));
    EXPECT_TRUE(sealed) << name(sealed.error().code()) << ": " << sealed.error().note();
    return sealed ? *std::move(sealed) : std::vector<std::byte>();
  }
  std::string open(const Subject& subject, Bytes sealed, std::string_view called = "ratings",
                   std::string_view context = "notes/1") {
    const auto opened = sealer(called).open(subject, SealContext(context), sealed);
    if (!opened) return std::string("error: ") + name(opened.error().code());
    return std::string(as_text(opened->bytes()));
  }
};

using Sealing = SealerTest;

TEST_F(Sealing, GivesBackWhatWasSealedAndStoresNothing) {
  std::vector<std::byte> sealed;
  {
    const Subject alice = enrol("alice");
    const auto records = store_->stats()->regions[0].records;
    sealed = seal(alice, "kept elsewhere");
    EXPECT_EQ(sealed.size(), std::string_view("kept elsewhere").size() + 72);
    EXPECT_EQ(open(alice, sealed), "kept elsewhere");
    EXPECT_EQ(open(alice, seal(alice, "")), "");
    EXPECT_NE(seal(alice, "kept elsewhere"), sealed);
    EXPECT_EQ(store_->stats()->regions[0].records, records);
    EXPECT_EQ(sealer().purpose(), purpose("ratings"));
  }
  reopen();
  EXPECT_EQ(open(find("alice"), sealed), "kept elsewhere");
}

TEST_F(Sealing, ShowsNobodyThatTwoAreOfOnePerson) {
  const Subject alice = enrol("alice");
  const auto one = seal(alice, "first");
  const auto other = seal(alice, "other");
  const auto part = [](Bytes sealed) { return std::vector(sealed.begin() + 16, sealed.end()); };
  EXPECT_TRUE(std::equal(one.begin(), one.begin() + 16, other.begin()));  // The same for everyone.
  std::size_t equal = 0;
  for (std::size_t i = 0; i < part(one).size(); ++i) equal += part(one)[i] == part(other)[i];
  EXPECT_LT(equal, 8u);
}

TEST_F(Sealing, OpensForNothingButWhatItWasSealedFor) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  const Subject carol = tenant_->enrol(SubjectId("carol"), *us_).value();
  const auto sealed = seal(alice, "hers");
  for (const Subject* other : {&bob, &carol}) {
    EXPECT_EQ(open(*other, sealed), "error: seal_unknown");  // Who has no key yet,
    seal(*other, "another's");
    EXPECT_EQ(open(*other, sealed), "error: seal_unknown");  // and who has one.
  }
  EXPECT_EQ(open(alice, sealed, "logs"), "error: purpose_not_permitted");
  EXPECT_EQ(open(alice, sealed, "ratings", "notes/2"), "error: corruption");
  EXPECT_EQ(open(alice, sealed, "ratings", ""), "error: corruption");

  const Region both[] = {*eu_, *us_};
  const Tenant other = store_->declare_tenant("other", both, Actor("test")).value();
  const Purpose theirs = other.declare_purpose({"ratings"}).value();
  const Sealer foreign = other.sealer(theirs).value();
  const Subject namesake = other.enrol(SubjectId("alice"), *eu_).value();
  EXPECT_EQ(code_of(foreign.open(alice, SealContext("notes/1"), sealed)), Errc::purpose_unknown);
  EXPECT_EQ(code_of(foreign.open(namesake, SealContext("notes/1"), sealed)), Errc::seal_unknown);
  EXPECT_EQ(code_of(tenant_->sealer(theirs)), Errc::purpose_unknown);
  EXPECT_EQ(open(alice, sealed), "hers");
}

TEST_F(Sealing, OpensNothingThatWasChanged) {
  const Subject alice = enrol("alice");
  const auto sealed = seal(alice, "hers");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] ^= std::byte{1};
    EXPECT_TRUE(open(alice, changed).starts_with("error: ")) << i;
    EXPECT_EQ(open(alice, Bytes(sealed).first(i)), "error: corruption") << i;
  }
  auto newer = sealed;
  newer[4] = std::byte{2};
  EXPECT_EQ(open(alice, newer), "error: format_new");
  EXPECT_EQ(open(alice, sealed), "hers");
}

TEST_F(Sealing, RefusesWhatIsTooLargeOrKeptTooLong) {
  const Subject alice = enrol("alice");
  const std::string context(1'025, 'c');
  EXPECT_EQ(code_of(sealer().seal(alice, SealContext(context), {})), Errc::too_large);
  EXPECT_EQ(code_of(sealer().open(alice, SealContext(context), {})), Errc::too_large);
  const std::vector<std::byte> large(16 * 1024 * 1024 + 1);
  EXPECT_EQ(code_of(sealer().seal(alice, SealContext(""), large)), Errc::too_large);
  EXPECT_EQ(code_of(sealer("logs").seal(alice, SealContext(""), {}, {Days(31)})),
            Errc::invalid_argument);
  EXPECT_TRUE(sealer().seal(alice, SealContext(context.substr(1)), Bytes(large).subspan(1)));
}

TEST_F(Sealing, IsRefusedWhereReadingAndWritingAre) {
  const Subject alice = enrol("alice");
  EXPECT_EQ(code_of(sealer("news").seal(alice, SealContext(""), {})), Errc::consent_missing);
  const auto rated = seal(alice, "rated");
  const auto suspect = seal(alice, "suspect", "fraud");
  const auto refused = [&](Errc code, std::string_view called, Bytes sealed) {
    EXPECT_EQ(open(alice, sealed, called), std::string("error: ") + name(code));
    EXPECT_EQ(code_of(sealer(called).seal(alice, SealContext(""), {})), code);
  };
  ASSERT_TRUE(tenant_->object(alice, purpose("fraud")));
  refused(Errc::objected, "fraud", suspect);
  ASSERT_TRUE(tenant_->lift_objection(alice, purpose("fraud")));
  EXPECT_EQ(open(alice, suspect, "fraud"), "suspect");
  ASSERT_TRUE(tenant_->restrict(alice));
  refused(Errc::restricted, "ratings", rated);
  ASSERT_TRUE(tenant_->lift_restriction(alice));
  EXPECT_EQ(open(alice, rated), "rated");
  ASSERT_TRUE(tenant_->hold(alice, {"litigation", "a case", {}}));
  ASSERT_TRUE(tenant_->suppress(SubjectId("alice")));
  refused(Errc::suppressed, "ratings", rated);
}

TEST_F(Sealing, EndsWithTheErasureAlsoForWhoIsEnrolledAnew) {
  const Subject alice = enrol("alice");
  const Subject bob = enrol("bob");
  const auto hers = seal(alice, "hers");
  const auto his = seal(bob, "his");
  ASSERT_TRUE(tenant_->erase(find("alice")));
  EXPECT_EQ(open(alice, hers), "error: subject_erased");
  EXPECT_EQ(code_of(sealer().seal(alice, SealContext(""), {})), Errc::subject_erased);
  const Subject anew = enrol("alice");
  EXPECT_EQ(open(anew, hers), "error: seal_unknown");
  EXPECT_EQ(open(anew, seal(anew, "of today")), "of today");
  EXPECT_EQ(open(anew, hers), "error: seal_unknown");
  EXPECT_EQ(open(bob, his), "his");
}

TEST_F(Sealing, EndsWithTheWithdrawalOfConsent) {
  const Subject alice = enrol("alice");
  grant(alice);
  const auto news = seal(alice, "of news", "news");
  const auto rated = seal(alice, "rated");
  const auto withdrawn = tenant_->withdraw(alice, purpose("news"));
  ASSERT_TRUE(withdrawn);
  EXPECT_EQ(withdrawn->erased, 1u);
  EXPECT_EQ(withdrawn->receipts.size(), 1u);
  EXPECT_EQ(open(alice, news, "news"), "error: consent_missing");
  grant(alice);
  EXPECT_EQ(open(alice, news, "news"), "error: seal_unknown");
  EXPECT_EQ(open(alice, seal(alice, "again", "news"), "news"), "again");
  EXPECT_EQ(open(alice, rated), "rated");
}

TEST_F(Sealing, OfAWithdrawnConsentIsRefusedUnderAHoldAndDestroyedWithItsRelease) {
  for (const bool granted_again : {false, true}) {
    const Subject alice = enrol(granted_again ? "alice" : "bob");
    grant(alice);
    const auto before = seal(alice, "before", "news");
    const auto number = tenant_->hold(alice, {"litigation", "a case", {}});
    ASSERT_TRUE(number);
    ASSERT_EQ(tenant_->withdraw(alice, purpose("news"))->held, 1u);
    EXPECT_EQ(open(alice, before, "news"), "error: consent_missing");
    std::vector<std::byte> after;
    if (granted_again) {
      grant(alice);
      EXPECT_EQ(open(alice, before, "news"), "error: seal_unknown");
      after = seal(alice, "after", "news");
    }
    ASSERT_TRUE(tenant_->release(alice, *number));
    if (!granted_again) grant(alice);
    EXPECT_EQ(open(alice, before, "news"), "error: seal_unknown");
    if (granted_again) {
      EXPECT_EQ(open(alice, after, "news"), "after");
    }
  }
}

TEST_F(Sealing, EndsWithItsDay) {
  const Subject alice = enrol("alice");
  const auto short_lived = sealer("logs").seal(alice, SealContext(""), as_bytes("x"), {Days(2)});
  ASSERT_TRUE(short_lived);
  const auto logged = seal(alice, "logged", "logs");
  const auto rated = seal(alice, "rated");
  advance(Days(3));
  EXPECT_EQ(open(alice, *short_lived, "logs", ""), "error: expired");  // Its key is there yet.
  EXPECT_EQ(maintain().buckets_expired, 1u);
  go_back(Days(3));
  EXPECT_EQ(open(alice, *short_lived, "logs", ""), "error: expired");  // Now it is not.
  EXPECT_EQ(open(alice, logged, "logs"), "logged");
  advance(Days(32));
  EXPECT_EQ(open(alice, logged, "logs"), "error: expired");
  EXPECT_EQ(open(alice, rated), "rated");
}

TEST_F(Sealing, IsLeftAloneWhereRecordsAreReKeyed) {
  const Subject alice = enrol("alice");
  const auto sealed = seal(alice, "kept elsewhere");
  put(alice, "ratings", "a", "x");
  ASSERT_TRUE(activity("ratings").remove(alice, RecordName("a"), Shred::now));
  put(alice, "ratings", "b", "y");
  put(alice, "ratings", "b", "z");
  advance(Days(2));
  MaintainOptions at_once;
  at_once.residue_window = std::chrono::hours(0);
  EXPECT_EQ(maintain(at_once).scopes_rekeyed, 1u);
  EXPECT_EQ(open(alice, sealed), "kept elsewhere");
  EXPECT_EQ(get(alice, "ratings", "b"), "z");
}

TEST_F(Sealing, IsDiscardedForOnePurposeAndLeavesHerRecords) {
  const Subject alice = enrol("alice");
  EXPECT_EQ(sealer().discard(alice)->erased, 0u);
  const auto rated = seal(alice, "rated");
  const auto logged = seal(alice, "logged", "logs");
  put(alice, "ratings", "a", "x");
  const auto number = tenant_->hold(alice, {"litigation", "a case", {}});
  EXPECT_EQ(code_of(sealer().discard(alice)), Errc::legal_hold);
  ASSERT_TRUE(tenant_->release(alice, *number));
  EXPECT_EQ(open(alice, rated), "rated");
  ReceiptOptions once;
  once.request = as_bytes("a request");
  const auto discarded = sealer().discard(alice, once);
  ASSERT_TRUE(discarded) << name(discarded.error().code());
  EXPECT_EQ(discarded->erased, 1u);
  ASSERT_EQ(discarded->receipts.size(), 1u);
  EXPECT_TRUE(store_->receipt(discarded->receipts[0]));
  EXPECT_EQ(open(alice, rated), "error: seal_unknown");
  EXPECT_EQ(open(alice, logged, "logs"), "logged");
  EXPECT_EQ(get(alice, "ratings", "a"), "x");
  const auto fresh = seal(alice, "fresh");
  EXPECT_EQ(sealer().discard(alice, once)->erased, 0u);  // That was done.
  EXPECT_EQ(open(alice, fresh), "fresh");
}

TEST_F(Sealing, KeepsHerFromBeingMovedUntilItIsDiscarded) {
  const Subject alice = enrol("alice");
  seal(alice, "hers");
  EXPECT_EQ(code_of(tenant_->transfer(alice, *us_, TransferBasis::adequacy)), Errc::conflict);
  const Subject bob = enrol("bob");
  EXPECT_EQ(code_of(tenant_->merge(bob, find("alice"))), Errc::conflict);
  const auto his = seal(bob, "his");
  ASSERT_TRUE(sealer().discard(alice));
  ASSERT_TRUE(tenant_->merge(bob, find("alice")));
  EXPECT_EQ(open(bob, his), "his");
  ASSERT_TRUE(sealer().discard(bob));
  EXPECT_TRUE(tenant_->transfer(bob, *us_, TransferBasis::adequacy));
}

TEST_F(Sealing, CountsAsAScopeOfHers) {
  const Subject alice = enrol("alice");
  Query rated;
  rated.purpose = purpose("ratings");
  EXPECT_EQ(*tenant_->count(rated), 0u);
  seal(alice, "hers");
  EXPECT_EQ(*tenant_->count(rated), 1u);
  EXPECT_TRUE(store_->check()->clean());
}

// What somebody kept of everything, from before.
class CopiesOfSealed : public SealerTest {
 protected:
  void SetUp() override {
    SealerTest::SetUp();
    sealed_ = seal(enrol("alice"), "rated");
    close_with_root_keys();
    store_before_.emplace(home_ / "store");
    all_before_.emplace(home_.path());
    open_with_root_keys();
  }

  void close_with_root_keys() {
    close_all();
    eu_keys_.reset();
    us_keys_.reset();
  }
  void open_with_root_keys() {
    eu_keys_ = FileRootKeyStore::open(root_key_options(home_ / "eu")).value();
    us_keys_ = FileRootKeyStore::open(root_key_options(home_ / "us")).value();
    auto store = Store::open(options());
    opened_ = code_of(store);
    if (!store) return;
    store_.emplace(*std::move(store));
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }

  std::vector<std::byte> sealed_;
  std::optional<SavedFiles> store_before_;
  std::optional<SavedFiles> all_before_;
  std::optional<Errc> opened_;
};

TEST_F(CopiesOfSealed, AreNoiseOnceSheIsErasedWhateverOfTheStoreIsPutBack) {
  EXPECT_EQ(open(find("alice"), sealed_), "rated");
  ASSERT_TRUE(tenant_->erase(find("alice")));
  close_with_root_keys();
  store_before_->put_back();
  open_with_root_keys();
  EXPECT_EQ(opened_, Errc::keyring_stale);
  // Control: with the root keys of then, against the rules, she is back, and the bytes open.
  close_with_root_keys();
  all_before_->put_back();
  open_with_root_keys();
  ASSERT_EQ(opened_, std::nullopt);
  EXPECT_EQ(open(find("alice"), sealed_), "rated");
}

TEST_F(CopiesOfSealed, OpenWhileNobodyWasErased) {
  close_with_root_keys();
  store_before_->put_back();
  open_with_root_keys();
  ASSERT_EQ(opened_, std::nullopt);
  EXPECT_EQ(open(find("alice"), sealed_), "rated");
}

}  // namespace
}  // namespace efface::test
