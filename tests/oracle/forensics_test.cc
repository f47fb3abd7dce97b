// Store::forensics and the disclosure oracle, which share no code, agree on what old files
// disclose.
#include <algorithm>
#include <set>

#include "oracle/disclosure.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

class ForensicsOracle : public StoreTest {
 protected:
  struct Found {
    ForensicsReport report;
    std::set<std::string> people;
  };

  // A hundred a commit, so that the databases leave pages behind, and the trees grow.
  void put_people(int from, int to) {
    for (int first = from; first < to; first += 100) {
      std::vector<std::string> names;
      for (int i = first; i < first + 100; ++i) names.push_back("person-" + std::to_string(i));
      const std::vector<SubjectId> ids(names.begin(), names.end());
      const auto people = tenant_->find_or_enrol(ids, region());
      ASSERT_TRUE(people) << name(people.error().code());
      Batch batch = activity().batch(region());
      for (std::size_t i = 0; i < people->size(); ++i) {
        const std::string value = i % 50 == 7 ? std::string(9'000, 'v') : "value of " + names[i];
        ASSERT_TRUE(batch.put((*people)[i], RecordName("n"), as_bytes(value)));
      }
      ASSERT_TRUE(activity().commit(std::move(batch)));
    }
  }
  std::filesystem::path save(const std::string& called) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(home_ / "store")) {
      if (entry.path().filename() != "data.mdb") continue;
      const auto to = home_ / called / entry.path().parent_path().filename();
      std::filesystem::create_directories(to);
      std::filesystem::copy_file(entry.path(), to / "data.mdb");
    }
    return home_ / called;
  }
  Found search(const std::vector<std::filesystem::path>& places) {
    Found found;
    ForensicsOptions options;
    options.whose = [&](const ForensicsPerson& person) {
      found.people.insert(std::string(person.subject));
    };
    const auto report = store_->forensics(places, options);
    EXPECT_TRUE(report) << name(report.error().code()) << ": " << report.error().note();
    if (report) found.report = *report;
    return found;
  }
  // With what today's keyring opens: it is given as one more file, where no place has it.
  enum class Today : bool { in_a_place, given };
  disclosure::Result oracle(const std::vector<std::filesystem::path>& places, Today today) {
    disclosure::Images images;
    for (const auto& place : places) EXPECT_TRUE(images.add_directory(place));
    if (today == Today::given) {
      EXPECT_TRUE(images.add_live(home_ / "store" / "eu" / "keyring" / "data.mdb"));
    }
    return disclosure::search(images, *disclosure::RootKeys::from_file(home_ / "root.key"));
  }
  static std::set<std::string> people_of(const disclosure::Result& found) {
    std::set<std::string> people;
    for (const auto& record : found.opened_records())
      if (record.purpose == 0) people.insert(record.value);
    return people;
  }
};

// Of one copy, and of one from before the trees grew: what left a bucket is gone from it as well.
TEST_F(ForensicsOracle, AgreeWhomOldFilesDisclose) {
  put_people(0, 100);
  std::vector<std::filesystem::path> saved{save("young")};
  put_people(100, 1'500);
  saved.push_back(save("old"));
  EXPECT_EQ(search(saved).people.size(), 1'500u);
  std::vector<std::string> gone{"person-444", "person-1499"};
  for (int i = 0; i < 100; i += 7) gone.push_back("person-" + std::to_string(i));
  const std::vector<SubjectId> ids(gone.begin(), gone.end());
  ASSERT_TRUE(tenant_->erase(ids));
  put_people(2'000, 2'100);
  const Found found = search(saved);
  const disclosure::Result expected = oracle(saved, Today::given);
  EXPECT_EQ(found.people, people_of(expected));
  EXPECT_EQ(found.people.size(), 1'500u - gone.size());
  EXPECT_EQ(found.report.beyond_today, 0u);
  // Images that are alike count once there.
  EXPECT_GE(found.report.counts.records.opened, expected.opened_records().size());
  EXPECT_GT(found.report.counts.nodes.opened, 1u);
  EXPECT_LT(found.report.counts.nodes.opened, found.report.counts.nodes.found);
}

// In a backup and in a mirror, which are written anew, nothing stands twice.
TEST_F(ForensicsOracle, AgreeHowMuchOpensWhereNothingStandsTwice) {
  put_people(0, 1'500);
  close();
  OpenOptions mirrored = options();
  mirrored.regions[0].keyring_mirrors = {home_ / "mirror"};
  auto store = Store::open(mirrored);
  ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
  store_.emplace(*std::move(store));
  tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  BackupOptions backup;
  backup.target = home_ / "backup";
  ASSERT_TRUE(store_->backup(backup));
  const std::vector<std::filesystem::path> places{home_ / "backup", home_ / "mirror"};
  const ForensicsReport found = search(places).report;
  const disclosure::Result expected = oracle(places, Today::in_a_place);
  EXPECT_EQ(found.counts.records.opened, expected.opened_records().size());
  EXPECT_EQ(found.counts.records.found, found.counts.records.opened);
  EXPECT_EQ(found.counts.nodes.opened, expected.nodes_opened());
  EXPECT_EQ(found.counts.nodes.found, found.counts.nodes.opened);
}

}  // namespace
}  // namespace efface::test
