// What Store::diagnose finds when it is made true, and does not find when it is not.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <set>

#include "rights/rights_fixture.h"
#include "storage/data_file.h"
#include "support/root_keys_over.h"

namespace efface::test {
namespace {

class Doctor : public RightsTest {
 protected:
  std::vector<Finding> all() { return store_->diagnose().value(); }

  Finding finding_of(std::string_view check, std::string_view region = "eu") {
    for (const Finding& finding : all())
      if (finding.check == check && finding.region == region) return finding;
    ADD_FAILURE() << "nothing was said of " << check;
    return {};
  }
  Severity of(std::string_view check, std::string_view region = "eu") {
    return finding_of(check, region).severity;
  }

  void reopen_with(const OpenOptions& options) {
    close_all();
    auto store = Store::open(options);
    ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
    store_.emplace(*std::move(store));
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }
};

TEST_F(Doctor, SaysOneThingOfEachCheckAndWhatToDoWhereSomethingIsToBeDone) {
  std::set<std::pair<std::string, std::string_view>> seen;
  for (const Finding& finding : all()) {
    EXPECT_TRUE(seen.emplace(finding.region, finding.check).second) << finding.check;
    EXPECT_NE(std::string_view(finding.says), "") << finding.check;
    EXPECT_EQ(finding.severity == Severity::ok, std::string_view(finding.remedy).empty())
        << finding.check;
  }
  EXPECT_EQ(std::ranges::count(seen, "eu", &std::pair<std::string, std::string_view>::first), 17);
  EXPECT_EQ(std::ranges::count(seen, "us", &std::pair<std::string, std::string_view>::first), 17);
  EXPECT_EQ(std::ranges::count(seen, "", &std::pair<std::string, std::string_view>::first), 3);
}

TEST_F(Doctor, SaysThatRootKeysLieOnTheVolumeOfTheData) {
  EXPECT_EQ(of("root_keys_volume"), Severity::danger);
  EXPECT_EQ(of("root_keys_clear"), Severity::note);
  // One that does not lie anywhere.
  close_all();
  RootKeysOver elsewhere{std::shared_ptr<RootKeyStore>(std::move(eu_keys_))};
  OpenOptions given = options();
  given.regions[0].root_keys = &elsewhere;
  reopen_with(given);
  EXPECT_EQ(of("root_keys_volume"), Severity::ok);
  EXPECT_EQ(of("root_keys_clear"), Severity::ok);
  close_all();
}

TEST_F(Doctor, SaysThatAPassphraseIsAllThatGuardsRootKeysOnThatVolume) {
  FileRootKeyStoreOptions sealed = root_key_options(home_ / "sealed");
  sealed.passphrase = as_bytes("correct horse");
  sealed.passphrase_memory_kib = 8 * 1024;
  sealed.passphrase_passes = 1;
  const auto keys = FileRootKeyStore::create(sealed).value();
  ASSERT_TRUE(store_->migrate_root(*eu_, *keys, Actor("test")));
  EXPECT_EQ(of("root_keys_volume"), Severity::warning);
  EXPECT_EQ(of("root_keys_clear"), Severity::ok);
  close_all();
}

TEST_F(Doctor, SaysThatAFileIsOpenToOthers) {
  EXPECT_EQ(of("modes"), Severity::ok);
  const auto data = home_ / "store" / "eu" / "records" / "data.mdb";
  std::filesystem::permissions(data, std::filesystem::perms{0640});
  EXPECT_EQ(of("modes"), Severity::danger);
  EXPECT_EQ(of("modes", "us"), Severity::ok);
  std::filesystem::permissions(data, std::filesystem::perms{0600});
  EXPECT_EQ(of("modes"), Severity::ok);
}

TEST_F(Doctor, SaysThatACrashMayLeaveMemoryBehind) {
  const int before = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  ASSERT_EQ(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
  EXPECT_EQ(of("core_dumps", ""), Severity::ok);
  ASSERT_EQ(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_CORE, &limit), 0);
  const rlimit most{limit.rlim_max, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_CORE, &most), 0);
  const Severity expected = limit.rlim_max != 0 ? Severity::warning : of("core_dumps", "");
  EXPECT_EQ(of("core_dumps", ""), expected);
  ::setrlimit(RLIMIT_CORE, &limit);
  ::prctl(PR_SET_DUMPABLE, before, 0, 0, 0);
}

TEST_F(Doctor, SaysWhereMirrorsAreMissing) {
  EXPECT_EQ(of("mirrors"), Severity::warning);
  OpenOptions given = options();
  given.regions[0].keyring_mirrors = {home_ / "mirror", home_ / "missing" / "mirror"};
  reopen_with(given);
  const Finding finding = finding_of("mirrors");
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_EQ(finding.number, 1u);
  std::filesystem::create_directory(home_ / "missing");
  std::filesystem::permissions(home_ / "missing", std::filesystem::perms{0700});
  maintain();
  EXPECT_EQ(finding_of("mirrors").number, 2u);
  EXPECT_NE(std::string_view(finding_of("mirrors").says), finding.says);
}

TEST_F(Doctor, SaysThatTheLedgersCopyIsGone) {
  EXPECT_EQ(of("ledger_copy"), Severity::note);  // On the same volume.
  const auto copy = home_ / "store" / "eu" / "ledger";
  std::filesystem::rename(copy, home_ / "away");
  EXPECT_EQ(of("ledger_copy"), Severity::danger);
  std::filesystem::rename(home_ / "away", copy);
  EXPECT_EQ(of("ledger_copy"), Severity::note);
}

TEST_F(Doctor, CountsWhatWasOverwrittenUntilItIsReKeyed) {
  const Subject alice = enrol("alice");
  put(alice, "ratings", "a", "x");
  EXPECT_EQ(of("residue"), Severity::ok);
  put(alice, "ratings", "a", "y");
  EXPECT_EQ(of("residue"), Severity::note);
  EXPECT_EQ(finding_of("residue").number, 1u);
  advance(Days(9));
  EXPECT_EQ(of("residue"), Severity::warning);
  maintain();
  EXPECT_EQ(of("residue"), Severity::ok);
}

TEST_F(Doctor, CountsWhatErasuresLeftUntilItIsSwept) {
  put(enrol("alice"), "ratings", "a", "x");
  EXPECT_EQ(of("unswept"), Severity::ok);
  ASSERT_TRUE(tenant_->erase(find("alice")));
  EXPECT_EQ(of("unswept"), Severity::note);
  EXPECT_EQ(of("unswept", "us"), Severity::ok);
  maintain();
  EXPECT_EQ(of("unswept"), Severity::ok);
}

TEST_F(Doctor, CountsExpiredDaysUntilTheyAreDestroyed) {
  put(enrol("alice"), "logs", "a", "x");
  EXPECT_EQ(of("expiry"), Severity::ok);
  advance(Days(31));
  EXPECT_EQ(of("expiry"), Severity::note);
  EXPECT_EQ(finding_of("expiry").number, 1u);
  maintain();
  EXPECT_EQ(of("expiry"), Severity::ok);
}

TEST_F(Doctor, SeesThatTheClockWentBackOrFarAhead) {
  enrol("alice");
  EXPECT_EQ(of("clock"), Severity::ok);
  go_back(Days(1));
  EXPECT_EQ(of("clock"), Severity::danger);
  advance(Days(1));
  EXPECT_EQ(of("clock"), Severity::ok);
  advance(Days(500));
  EXPECT_EQ(of("clock"), Severity::warning);
}

TEST_F(Doctor, SeesThatTheClockWentBehindADayThatWasDestroyed) {
  put(enrol("alice"), "logs", "a", "x");
  advance(Days(31));
  ASSERT_EQ(maintain().buckets_expired, 1u);
  EXPECT_EQ(of("clock"), Severity::ok);
  go_back(Days(2));
  EXPECT_EQ(of("clock"), Severity::danger);
}

TEST_F(Doctor, SeesReadersThatDied) {
  EXPECT_EQ(of("stale_readers"), Severity::ok);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    LmdbWriter reader(home_ / "store" / "eu" / "records", std::size_t{64} << 20);
    reader.pin();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(of("stale_readers"), Severity::warning);
  EXPECT_EQ(finding_of("stale_readers").number, 1u);
  reopen();
  EXPECT_EQ(of("stale_readers"), Severity::ok);
}

TEST_F(Doctor, SeesThatADatabaseIsAlmostFull) {
  EXPECT_EQ(of("map"), Severity::ok);
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 5; ++i) {
    PurposeTerms terms;
    terms.name = "plain" + std::to_string(i);
    terms.compress = false;
    ASSERT_TRUE(tenant_->declare_purpose(terms));
    put(i == 0 ? enrol("alice") : RightsTest::find("alice"), terms.name, "large", large);
  }
  OpenOptions narrow = options();
  narrow.map_bytes_max = std::uint64_t{6} << 20;
  reopen_with(narrow);
  EXPECT_GE(of("map"), Severity::warning);
  EXPECT_EQ(of("map", "us"), Severity::ok);
  reopen();
  EXPECT_EQ(of("map"), Severity::ok);
}

TEST_F(Doctor, LooksAtNothingOfARegionThatIsNotOpen) {
  reopen_without_us();
  EXPECT_EQ(of("open", "us"), Severity::note);
  EXPECT_EQ(std::ranges::count(all(), "us", &Finding::region), 1);
}

}  // namespace
}  // namespace efface::test
