// Store::forensics: what of old files the keys of today open, and nothing of who was erased; unless
// the root key store lies, which has to show.
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <random>

#include "rights/rights_fixture.h"
#include "storage/data_file.h"
#include "support/bad_root_keys.h"
#include "support/file_content.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t page_bytes = 4096;

std::vector<char> content_of(const fs::path& path) {
  const std::string content = file_content(path);
  return {content.begin(), content.end()};
}

void write_file(const fs::path& path, const std::vector<char>& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::vector<char> noise(std::size_t size) {
  std::mt19937_64 random(7);
  std::vector<char> bytes(size);
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

class Forensics : public RightsTest {
 protected:
  struct OfPerson {
    std::uint64_t objects = 0;
    bool beyond_today = false;
  };
  struct Found {
    ForensicsReport report;
    std::map<std::string, OfPerson> people;
    std::uint64_t of(const std::string& id) const {
      const auto at = people.find(id);
      return at == people.end() ? 0 : at->second.objects;
    }
    std::uint64_t objects() const {
      return report.counts.records.opened + report.counts.files.opened;
    }
  };

  void SetUp() override {
    RightsTest::SetUp();
    for (const char* id : {"alice", "bob"}) {
      const Subject subject = enrol(id);
      grant(subject);  // Now there is a file on her.
      put(subject, "ratings", "small", "x");
      put(subject, "ratings", "large", std::string(10'000, 'y'));  // On pages of its own.
      put(subject, "news", "read", "z");
      put(subject, "logs", "visit", "w");
    }
  }

  // Lock files of LMDB stay: closing one ends its lock.
  fs::path save(const fs::path& directory, const std::string& called = "saved") {
    const fs::path saved = home_ / called;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      if (!entry.is_regular_file() || entry.path().filename() == "lock.mdb") continue;
      const fs::path to = saved / fs::relative(entry.path(), directory);
      fs::create_directories(to.parent_path());
      fs::copy_file(entry.path(), to);
    }
    return saved;
  }
  fs::path save() { return save(home_ / "store"); }

  Found search(const std::vector<fs::path>& places) {
    Found found;
    ForensicsOptions options;
    options.whose = [&](const ForensicsPerson& person) {
      EXPECT_EQ(person.tenant, "acme");
      OfPerson& of = found.people[std::string(person.subject)];
      of.objects += person.objects;
      of.beyond_today = of.beyond_today || person.beyond_today;
    };
    const auto report = store_->forensics(places, options);
    EXPECT_TRUE(report) << name(report.error().code()) << ": " << report.error().note();
    if (report) found.report = *report;
    EXPECT_EQ(found.report.people, found.people.size());
    return found;
  }
  void erase(std::string_view id) { ASSERT_TRUE(tenant_->erase(find(id))); }

  // Past the end of what is kept for "logs".
  void pass_days() {
    advance(Days(40));
    MaintainOptions options;
    options.expiry_days_max = 60;
    EXPECT_GE(maintain(options).buckets_expired, 1u);
  }

  // From now on the root key store of "eu" keeps what it says it destroyed.
  void lie() {
    close_all();
    liar_.emplace(std::shared_ptr<RootKeyStore>(eu_keys_.get(), [](RootKeyStore*) {}));
    open(*liar_);
  }
  void open(RootKeyStore& eu_keys, const std::vector<fs::path>& mirrors = {}) {
    OpenOptions given = options();
    given.regions[0].root_keys = &eu_keys;
    given.regions[0].keyring_mirrors = mirrors;
    auto store = Store::open(given);
    ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
    store_.emplace(*std::move(store));
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }
  void TearDown() override { close_all(); }

  std::optional<RootKeysThatAreKept> liar_;
};

TEST_F(Forensics, OpensOldFilesForTheLivingAndNothingOfTheErased) {
  const fs::path saved = save();
  const Found before = search({saved});
  EXPECT_GE(before.of("alice"), 6u);  // Records, her id, a file.
  EXPECT_GE(before.of("bob"), 6u);
  EXPECT_GT(before.report.counts.nodes.opened, 0u);
  EXPECT_GT(before.report.counts.roots.opened, 0u);
  EXPECT_EQ(before.objects(), before.of("alice") + before.of("bob"));
  EXPECT_EQ(before.report.beyond_today, 0u);

  erase("alice");
  const Found after = search({saved});
  EXPECT_FALSE(after.people.contains("alice"));
  EXPECT_FALSE(after.people.contains(""));
  EXPECT_EQ(after.of("bob"), before.of("bob"));
  EXPECT_EQ(after.objects(), after.of("bob"));
  EXPECT_EQ(after.report.counts.records.found, before.report.counts.records.found);
  EXPECT_LT(after.report.counts.nodes.opened, before.report.counts.nodes.opened);
  EXPECT_EQ(after.report.beyond_today, 0u);
  EXPECT_EQ(after.report.opened_beyond_today, 0u);
}

TEST_F(Forensics, SearchesTheLiveFilesAsWell) {
  erase("alice");
  maintain();
  const Found found = search({home_ / "store"});
  EXPECT_FALSE(found.people.contains("alice"));
  EXPECT_GE(found.of("bob"), 6u);
  EXPECT_EQ(found.report.beyond_today, 0u);
  EXPECT_EQ(get(find("bob"), "ratings", "small"), "x");  // And they are still in use.
  put(find("bob"), "ratings", "small", "more");
}

// Control: with an honest root key store none of this opens.
TEST_F(Forensics, OpensHersWhereTheRootKeyStoreLies) {
  lie();
  const fs::path saved = save();
  const Found before = search({saved});
  erase("alice");
  const Found after = search({saved});
  EXPECT_GT(after.report.beyond_today, 0u);
  EXPECT_EQ(after.of("alice"), before.of("alice"));
  EXPECT_EQ(after.report.opened_beyond_today, before.of("alice"));
  EXPECT_TRUE(after.people.at("alice").beyond_today);
  EXPECT_FALSE(after.people.at("bob").beyond_today);
}

TEST_F(Forensics, SaysWhatTheRootKeyStoreCannotBeAskedAbout) {
  close_all();
  RootKeysThatFail failing(std::shared_ptr<RootKeyStore>(eu_keys_.get(), [](RootKeyStore*) {}));
  open(failing);
  const fs::path saved = save();
  erase("alice");
  EXPECT_EQ(search({saved}).report.roots_unanswered, 0u);
  failing.arm({.at = 1, .for_ever = true});
  const Found found = search({saved});
  failing.arm({});
  EXPECT_GT(found.report.roots_unanswered, 0u);
  EXPECT_GE(found.of("bob"), 6u);  // What does not rest on it is told.
  close_all();
}

TEST_F(Forensics, OpensNothingOfAPurposeWithoutConsentNorOfADayThatIsOver) {
  const fs::path saved = save();
  const Found before = search({saved});
  ASSERT_TRUE(tenant_->withdraw(find("alice"), purpose("news")));
  const Found withdrawn = search({saved});
  EXPECT_LT(withdrawn.of("alice"), before.of("alice"));
  EXPECT_EQ(withdrawn.of("bob"), before.of("bob"));
  pass_days();
  const Found expired = search({saved});
  EXPECT_LT(expired.of("bob"), before.of("bob"));
  EXPECT_EQ(expired.report.beyond_today, 0u);
}

TEST_F(Forensics, OpensADayThatIsOverWhereTheRootKeyStoreLies) {
  lie();
  const fs::path saved = save();
  const Found before = search({saved});
  pass_days();
  const Found expired = search({saved});
  EXPECT_GT(expired.report.beyond_today, 0u);
  EXPECT_EQ(expired.of("bob"), before.of("bob"));
  EXPECT_TRUE(expired.people.at("bob").beyond_today);
}

TEST_F(Forensics, OpensWhatWasOverwrittenUntilItsScopeIsReKeyed) {
  const fs::path saved = save();
  const Found before = search({saved});
  put(find("bob"), "ratings", "small", "another");
  EXPECT_EQ(search({saved}).of("bob"), before.of("bob"));
  MaintainOptions now;
  now.residue_window = std::chrono::hours(0);
  EXPECT_GE(maintain(now).scopes_rekeyed, 1u);
  EXPECT_LT(search({saved}).of("bob"), before.of("bob"));
  EXPECT_EQ(search({saved}).report.beyond_today, 0u);
}

TEST_F(Forensics, OpensSharedRecordsWhileSomebodyOfThemIsThere) {
  const Subject alice = find("alice");
  const Subject bob = find("bob");
  const Subject* const both[] = {&alice, &bob};
  for (const auto& [record, sharing] : {std::pair("any", Sharing::any), {"all", Sharing::all}})
    ASSERT_TRUE(activity("ratings").put_shared(both, sharing, RecordName(record), as_bytes("s")));
  const fs::path saved = save();
  const auto before = search({saved}).report.counts.shared;
  EXPECT_GE(before.opened, 2u);
  EXPECT_EQ(before.opened, before.found);
  erase("alice");
  const auto after = search({saved}).report.counts.shared;
  EXPECT_GE(after.opened, 1u);
  EXPECT_LT(after.opened, before.opened);
  erase("bob");
  EXPECT_EQ(search({saved}).report.counts.shared.opened, 0u);
}

TEST_F(Forensics, SearchesBackupsAndMirrors) {
  close_all();
  open(*eu_keys_, {home_ / "mirror"});
  const fs::path mirror = save(home_ / "mirror", "old-mirror");
  BackupOptions options;
  options.target = home_ / "backup";
  ASSERT_TRUE(store_->backup(options));
  EXPECT_GE(search({home_ / "backup"}).of("alice"), 5u);
  const Found of_mirror = search({mirror});
  EXPECT_EQ(of_mirror.of("alice"), 1u);  // Her file.
  EXPECT_GT(of_mirror.report.counts.nodes.opened, 0u);
  erase("alice");
  const Found after = search({home_ / "backup", mirror, home_ / "mirror"});
  EXPECT_FALSE(after.people.contains("alice"));
  EXPECT_GE(after.of("bob"), 6u);
  EXPECT_EQ(after.report.beyond_today, 0u);
}

TEST_F(Forensics, FindsADatabaseAnywhereInAnImageOfADisk) {
  const fs::path saved = save();
  const std::vector<char> records = content_of(saved / "eu" / "records" / "data.mdb");
  const Found whole = search({saved / "eu" / "records" / "data.mdb"});
  ASSERT_GE(whole.of("bob"), 5u);
  for (const std::size_t before : {3 * page_bytes, 300 * page_bytes}) {
    std::vector<char> disk = noise(before);
    disk.insert(disk.end(), records.begin(), records.end());
    const std::vector<char> behind = noise(5'000);
    disk.insert(disk.end(), behind.begin(), behind.end());
    write_file(home_ / "disk", disk);
    const Found found = search({home_ / "disk"});
    EXPECT_EQ(found.of("bob"), whole.of("bob"));
    EXPECT_EQ(found.of("alice"), whole.of("alice"));
  }
}

TEST_F(Forensics, TakesFilesThatAreCutShort) {
  const fs::path saved = save();
  const std::vector<char> records = content_of(saved / "eu" / "records" / "data.mdb");
  const std::vector<char> keyring = content_of(saved / "eu" / "keyring" / "data.mdb");
  const Found whole = search({saved});
  for (std::size_t part = 1; part < 8; ++part) {
    std::vector<char> some(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(
                                                                  records.size() * part / 8 - 77));
    write_file(home_ / "cut", some);
    some.assign(keyring.begin(),
                keyring.begin() + static_cast<std::ptrdiff_t>(keyring.size() * part / 8 - 77));
    write_file(home_ / "cut-too", some);
    const Found found = search({home_ / "cut", home_ / "cut-too"});
    EXPECT_LE(found.objects(), whole.objects());
    EXPECT_EQ(found.report.unreadable, 0u);
  }
}

TEST_F(Forensics, FindsNothingInWhatIsNotOurs) {
  const fs::path others = home_ / "others";
  fs::create_directory(others);
  write_file(others / "noise", noise(1 << 20));
  write_file(others / "empty", {});
  write_file(others / "zeros", std::vector<char>(100'000));
  fs::create_directory(others / "lmdb");
  small_image().write(others / "lmdb");
  ASSERT_EQ(::mkfifo((others / "pipe").c_str(), 0600), 0);
  fs::create_symlink(home_ / "store", others / "link");
  fs::create_symlink(others, others / "loop");
  const Found found = search({others});
  EXPECT_EQ(found.report.files, 4u);
  EXPECT_EQ(found.report.counts.records.found + found.report.counts.nodes.found, 0u);
  EXPECT_EQ(found.objects(), 0u);
}

// Somebody else's store has all the shapes of ours.
TEST_F(Forensics, OpensNothingOfAnotherStore) {
  const fs::path saved = save();
  close_all();
  fs::remove_all(home_ / "store");
  for (const char* region : {"eu", "us"}) fs::remove(home_ / region);
  eu_keys_.reset();
  us_keys_.reset();
  RightsTest::SetUp();
  enrol("alice");
  const Found found = search({saved});
  EXPECT_GT(found.report.counts.records.found, 0u);
  EXPECT_GT(found.report.counts.nodes.found, 0u);
  EXPECT_EQ(found.objects(), 0u);
  EXPECT_EQ(found.report.counts.nodes.opened + found.report.counts.roots.opened, 0u);
}

TEST_F(Forensics, NamesFilesAndNobodyUnlessAsked) {
  const fs::path saved = save();
  std::map<fs::path, ForensicsCounts> files;
  ForensicsOptions options;
  options.on_file = [&](const ForensicsFile& file) { files[file.path] = file.counts; };
  const fs::path places[] = {saved};
  const auto report = store_->forensics(places, options);
  ASSERT_TRUE(report);
  EXPECT_GT(files.at(fs::canonical(saved) / "eu/records/data.mdb").records.opened, 0u);
  EXPECT_GT(files.at(fs::canonical(saved) / "eu/keyring/data.mdb").nodes.opened, 0u);
  std::uint64_t opened = 0;
  for (const auto& [path, counts] : files) opened += counts.records.opened;
  EXPECT_EQ(opened, report->counts.records.opened);
}

TEST_F(Forensics, SaysThatAPlaceIsNotThere) {
  const fs::path places[] = {home_ / "nowhere"};
  EXPECT_EQ(code_of(store_->forensics(places, {})), Errc::store_missing);
}

TEST_F(Forensics, SaysHowFarItIs) {
  const fs::path saved = save();
  std::vector<Progress> told;
  ForensicsOptions options;
  bool through = false;
  options.on_progress = [&](const Progress& at) {
    EXPECT_FALSE(through);
    EXPECT_TRUE(told.empty() || at.done >= told.back().done);
    EXPECT_LE(at.done, at.total);
    told.push_back(at);
  };
  options.on_file = [&](const ForensicsFile&) { through = true; };
  const fs::path places[] = {saved};
  const auto report = store_->forensics(places, options);
  ASSERT_TRUE(report);
  EXPECT_TRUE(through);
  ASSERT_GT(told.size(), 3u);
  EXPECT_EQ(told.front().total, report->bytes);  // Known from the beginning.
  EXPECT_LT(told.front().done, report->bytes);
  EXPECT_EQ(told.back().done, report->bytes);
}

}  // namespace
}  // namespace efface::test
