// A keyring that is brought back from a recovery capsule: whom it brings back, and whom not.
#include <fstream>

#include "support/store_fixture.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;

std::chrono::system_clock::time_point now_is{};

template <class T>
std::string_view code_of(const Result<T>& result) {
  return result ? "" : name(result.error().code());
}

class CapsuleTest : public StoreTest {
 protected:
  void SetUp() override {
    now_is = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);
    StoreTest::SetUp();
    ASSERT_TRUE(reopen_store());
    for (const char* id : {"alice", "bob"}) {
      static_cast<void>(enrol(id));
      put(id, "hers");
    }
    verifier_ = store_->verifier_key(region()).value();
  }

  OpenOptions timed() {
    OpenOptions out = options();
    out.now = [] { return now_is; };
    out.regions[0].witness = witness_;
    return out;
  }
  Status reopen_store() {
    close();
    auto store = Store::open(timed());
    if (!store) return store.error();
    store_.emplace(*std::move(store));
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
    return {};
  }
  void put(std::string_view id, std::string_view value) {
    ASSERT_TRUE(
        activity().put(tenant_->subject(SubjectId(id)).value(), RecordName("r"), as_bytes(value)));
  }
  std::string get(std::string_view id) {
    const auto subject = tenant_->subject(SubjectId(id));
    if (!subject) return name(subject.error().code());
    return text_of(activity().get(*subject, RecordName("r")));
  }
  Erasure erase(std::string_view id) {
    return tenant_->erase(tenant_->subject(SubjectId(id)).value()).value();
  }

  fs::path capsule_path() const { return home_ / "capsule"; }
  Result<CapsuleReport> make_capsule() {
    return store_->make_capsule(region(), {capsule_path(), keys_.public_key(), now_is + days(30)},
                                Actor("ops"));
  }
  // The disk with the keyring is gone; the root keys are, or are not.
  enum class RootKeys : bool { kept, lost };
  void lose(RootKeys root_keys) {
    close();
    fs::remove_all(home_ / "store/eu/keyring");
    if (root_keys == RootKeys::kept) return;
    root_keys_.reset();
    fs::remove(home_ / "root.key");
    root_keys_ = FileRootKeyStore::create(root_key_options(home_ / "root.key")).value();
  }
  Result<RestoreReport> restore() {
    RestoreOptions how;
    how.capsules = {{"eu", capsule_path(), &keys_, verifier_}};
    return Store::restore(timed(), how);
  }

  RecipientKeyPair keys_ = RecipientKeyPair::generate().value();
  std::string verifier_;
  std::string witness_;
};
using Capsules = CapsuleTest;

TEST_F(Capsules, OutliveTheLossOfKeyringAndRootKeysTogether) {
  ASSERT_TRUE(make_capsule());
  lose(RootKeys::lost);
  EXPECT_EQ(code_of(Store::open(timed())), "store_missing");
  const auto report = restore();
  ASSERT_TRUE(report) << name(report.error().code()) << ": " << report.error().note();
  EXPECT_TRUE(report->regions.at(0).keyring_brought_back);
  EXPECT_EQ(report->regions.at(0).orphans_swept, 0u);
  ASSERT_TRUE(reopen_store());
  EXPECT_EQ(get("alice"), "hers");
  EXPECT_EQ(get("bob"), "hers");
  erase("alice");
  reopen();
  EXPECT_EQ(get("alice"), "subject_unknown");
  EXPECT_EQ(get("bob"), "hers");
}

TEST_F(Capsules, DoNotBringBackWhoWasErasedOrSuppressedSince) {
  static_cast<void>(enrol("mallory"));
  ASSERT_TRUE(make_capsule());
  erase("alice");
  ASSERT_TRUE(tenant_->suppress(SubjectId("mallory")));
  for (const RootKeys root_keys : {RootKeys::kept, RootKeys::lost}) {
    lose(root_keys);
    const auto report = restore();
    ASSERT_TRUE(report) << name(report.error().code()) << ": " << report.error().note();
    EXPECT_GE(report->regions.at(0).entries_applied, 2u);
    EXPECT_EQ(report->regions[0].people_erased, 2u);
    ASSERT_TRUE(reopen_store());
    EXPECT_EQ(get("alice"), "subject_unknown");
    EXPECT_EQ(get("mallory"), "suppressed");
    EXPECT_EQ(get("bob"), "hers");
  }
}

TEST_F(Capsules, DoNotOpenWhatWasSealedOnAConsentThatWasWithdrawnSince) {
  PurposeTerms terms;
  terms.name = "news";
  terms.basis = LegalBasis::consent;
  ASSERT_TRUE(tenant_->declare_purpose(terms));
  const auto sealer = [&](std::string_view called) {
    return tenant_->sealer(tenant_->purpose(called).value()).value();
  };
  const auto alice = [&] { return tenant_->subject(SubjectId("alice")).value(); };
  const auto grant = [&] {
    return tenant_->grant(alice(), tenant_->purpose("news").value(), {"v1", "web", {}});
  };
  ASSERT_TRUE(grant());
  const auto news = sealer("news").seal(alice(), SealContext(""), as_bytes("of news"));
  const auto rated = sealer("ratings").seal(alice(), SealContext(""), as_bytes("rated"));
  ASSERT_TRUE(news && rated);
  ASSERT_TRUE(make_capsule());
  ASSERT_TRUE(tenant_->withdraw(alice(), tenant_->purpose("news").value()));
  lose(RootKeys::kept);
  const auto report = restore();
  ASSERT_TRUE(report) << name(report.error().code()) << ": " << report.error().note();
  EXPECT_EQ(report->regions.at(0).scopes_destroyed, 2u);
  ASSERT_TRUE(reopen_store());
  ASSERT_TRUE(grant());
  EXPECT_EQ(code_of(sealer("news").open(alice(), SealContext(""), *news)), "seal_unknown");
  const auto opened = sealer("ratings").open(alice(), SealContext(""), *rated);
  ASSERT_TRUE(opened) << code_of(opened);
  EXPECT_EQ(as_text(opened->bytes()), "rated");
}

TEST_F(Capsules, AreRefusedWhereNothingSaysWhoWasErasedSince) {
  ASSERT_TRUE(make_capsule());
  erase("alice");
  lose(RootKeys::lost);
  fs::remove(home_ / "store/eu/ledger");
  EXPECT_EQ(code_of(restore()), "keyring_stale");
  EXPECT_EQ(code_of(Store::open(timed())), "store_missing");
}

TEST_F(Capsules, AreRefusedWhereTheRootKeysRememberMoreThanTheLedgersCopy) {
  ASSERT_TRUE(make_capsule());
  erase("alice");
  lose(RootKeys::kept);
  fs::remove(home_ / "store/eu/ledger");
  EXPECT_EQ(code_of(restore()), "keyring_stale");
}

// What a capsule is, and why its secret has to go: with the ledger of then, and no checkpoint kept
// elsewhere, who was erased is there.
TEST_F(Capsules, BringHerBackWithTheLedgerOfThenUnlessACheckpointWasKept) {
  ASSERT_TRUE(make_capsule());
  close();
  fs::copy_file(home_ / "store/eu/ledger", home_ / "ledger.then");
  ASSERT_TRUE(reopen_store());
  erase("alice");
  const std::string kept = store_->checkpoint(region()).value();
  lose(RootKeys::lost);
  fs::remove(home_ / "store/eu/ledger");
  fs::copy_file(home_ / "ledger.then", home_ / "store/eu/ledger");
  ASSERT_TRUE(restore());
  ASSERT_TRUE(reopen_store());
  EXPECT_NE(get("alice"), "subject_unknown");
  witness_ = kept;
  EXPECT_EQ(code_of(Result<int>(reopen_store().error())), "keyring_stale");
}

TEST_F(Capsules, HaveTheirDayInEveryReceiptFromThenOn) {
  const auto day_of = [&](const Erasure& erasure) {
    const std::string receipt = store_->receipt(erasure.receipts.at(0)).value();
    const auto statement = verify_receipt(receipt, verifier_).value();
    return statement.beyond_backups;
  };
  const auto today = std::chrono::floor<days>(now_is);
  EXPECT_EQ(day_of(erase("alice")), today);
  ASSERT_TRUE(make_capsule());
  EXPECT_EQ(day_of(erase("bob")), today + days(31));
}

TEST_F(Capsules, AreOnTheLedgerBeforeTheyAreThere) {
  close();
  ASSERT_TRUE(reopen_store());
  CapsuleOptions nowhere{home_ / "no/such/place", keys_.public_key(), now_is + days(1)};
  EXPECT_FALSE(store_->make_capsule(region(), nowhere, Actor("ops")));
  const auto made = make_capsule();
  ASSERT_TRUE(made);
  std::vector<std::string> kinds;
  ASSERT_TRUE(store_->each_decision(region(), 0, [&](const Decision& decision) {
    kinds.emplace_back(decision.what);
    return Flow::more;
  }));
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), "capsule_made"), 1);
  EXPECT_EQ(kinds.back(), "capsule_made");
  EXPECT_EQ(made->bytes, fs::file_size(capsule_path()));
}

TEST_F(Capsules, AreNotMadeOfAnotherStoresRegion) {
  TempDirectory other("other");
  const auto keys = FileRootKeyStore::create(root_key_options(other / "root.key")).value();
  OpenOptions elsewhere = timed();
  elsewhere.directory = other / "store";
  elsewhere.regions[0].root_keys = keys.get();
  const Store store = Store::create(elsewhere).value();
  const CapsuleOptions asked{capsule_path(), keys_.public_key(), now_is + days(1)};
  const auto made = store_->make_capsule(store.region("eu").value(), asked, Actor("ops"));
  EXPECT_EQ(code_of(made), "region_unknown");
  EXPECT_FALSE(fs::exists(capsule_path()));
  EXPECT_TRUE(make_capsule());
}

TEST_F(Capsules, AreRefusedAfterTheirDay) {
  ASSERT_TRUE(make_capsule());
  lose(RootKeys::lost);
  now_is += days(31);
  EXPECT_EQ(code_of(restore()), "expired");
  now_is -= days(1);
  EXPECT_TRUE(restore());
}

TEST_F(Capsules, AreRefusedWhereAKeyringOpens) {
  ASSERT_TRUE(make_capsule());
  close();
  EXPECT_EQ(code_of(restore()), "exists");
  EXPECT_TRUE(reopen_store());
}

TEST_F(Capsules, AreNotNeededToGoOnWithARestoreThatWasBrokenOff) {
  ASSERT_TRUE(make_capsule());
  erase("alice");
  lose(RootKeys::lost);
  RestoreOptions broken_off;
  broken_off.capsules = {{"eu", capsule_path(), &keys_, verifier_}};
  broken_off.records = home_ / "no such backup";  // Found after the keyring is in its place.
  EXPECT_EQ(code_of(Store::restore(timed(), broken_off)), "store_missing");
  EXPECT_EQ(code_of(restore()), "exists");
  EXPECT_NE(code_of(Store::open(timed())), "");  // Nobody is read before the ledger is applied.
  const auto report = Store::restore(timed(), {});
  ASSERT_TRUE(report) << name(report.error().code()) << ": " << report.error().note();
  EXPECT_FALSE(report->regions.at(0).keyring_brought_back);
  EXPECT_EQ(report->regions[0].people_erased, 1u);
  ASSERT_TRUE(reopen_store());
  EXPECT_EQ(get("alice"), "subject_unknown");
  EXPECT_EQ(get("bob"), "hers");
}

TEST_F(Capsules, OpenForNobodyElse) {
  ASSERT_TRUE(make_capsule());
  lose(RootKeys::lost);
  RecipientKeyPair hers = std::move(keys_);
  keys_ = RecipientKeyPair::generate().value();
  EXPECT_EQ(code_of(restore()), "corruption");
  keys_ = std::move(hers);
  EXPECT_TRUE(restore());
}

// Anybody can seal to a public key: what counts is what the region signed.
TEST_F(Capsules, AreBelievedForTheRegionsSignatureAlone) {
  ASSERT_TRUE(make_capsule());
  lose(RootKeys::lost);
  const std::string honest = verifier_;
  // Ends in a key of the same name, and another key id.
  TempDirectory other("other");
  {
    auto keys = FileRootKeyStore::create(root_key_options(other / "root.key")).value();
    OpenOptions options = timed();
    options.directory = other / "store";
    options.regions[0].root_keys = keys.get();
    Store store = Store::create(options).value();
    verifier_ = store.verifier_key(store.region("eu").value()).value();
  }
  EXPECT_EQ(code_of(restore()), "corruption");
  verifier_ = "none";
  EXPECT_EQ(code_of(restore()), "invalid_argument");
  verifier_ = honest;
  EXPECT_TRUE(restore());
}

TEST_F(Capsules, AreRefusedWithAnyByteChangedOrMissing) {
  ASSERT_TRUE(make_capsule());
  lose(RootKeys::lost);
  const auto size = fs::file_size(capsule_path());
  const auto flip = [&](std::uint64_t at) {
    std::fstream file(capsule_path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 1));
  };
  for (std::uint64_t at = 0; at < size; at += at < 256 ? 5 : 997) {
    flip(at);
    EXPECT_FALSE(restore()) << "byte " << at;
    flip(at);
  }
  fs::copy_file(capsule_path(), home_ / "whole");
  for (const std::uint64_t cut : {std::uint64_t{0}, std::uint64_t{116}, size / 2, size - 1}) {
    fs::resize_file(capsule_path(), cut);
    EXPECT_EQ(code_of(restore()), "corruption") << "cut to " << cut;
    fs::copy_file(home_ / "whole", capsule_path(), fs::copy_options::overwrite_existing);
  }
  EXPECT_TRUE(restore());
}

TEST_F(Capsules, AreNotWrittenOverAnythingNorIntoTheDataNorForThePast) {
  ASSERT_TRUE(make_capsule());
  EXPECT_EQ(code_of(make_capsule()), "exists");
  const auto at = [&](const fs::path& path, std::chrono::system_clock::time_point until) {
    return store_->make_capsule(region(), {path, keys_.public_key(), until}, Actor("ops"));
  };
  EXPECT_EQ(code_of(at(home_ / "store/capsule", now_is + days(1))), "unsafe_path");
  EXPECT_EQ(code_of(at(home_ / "late", now_is - days(1))), "invalid_argument");
  EXPECT_EQ(fs::status(capsule_path()).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace
}  // namespace efface::test
