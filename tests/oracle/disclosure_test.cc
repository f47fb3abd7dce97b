// What the oracle itself can and cannot do: it would be worth nothing if it opened too little.
#include "oracle/disclosure.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/store_fixture.h"

namespace efface::test {
namespace {

class DisclosureSearch : public StoreTest {
 protected:
  std::filesystem::path copy(const std::string& name) {
    const auto to = home_ / name;
    std::filesystem::copy(home_ / "store", to, std::filesystem::copy_options::recursive);
    return to;
  }
  disclosure::Result search(std::initializer_list<std::filesystem::path> directories,
                            const std::filesystem::path& root_keys) {
    disclosure::Images images;
    for (const auto& directory : directories) EXPECT_TRUE(images.add_directory(directory));
    const auto keys = disclosure::RootKeys::from_file(root_keys);
    EXPECT_TRUE(keys);
    return disclosure::search(images, *keys);
  }
  // One commit each, so that the database writes and leaves behind many pages.
  void put_each(int people) {
    for (int i = 0; i < people; ++i) {
      const std::string id = "person-" + std::to_string(i);
      ASSERT_TRUE(
          activity().put(SubjectId(id), region(), RecordName("n"), as_bytes("value of " + id)));
    }
  }
};

TEST_F(DisclosureSearch, OpensEveryRecordOfALiveStoreAndSaysWhatItSays) {
  put_each(200);
  const std::string large(9000, 'x');
  std::string noise;
  for (int i = 0; i < 6000; ++i) noise.push_back(static_cast<char>('a' + (i * i / 7 + i) % 26));
  ASSERT_TRUE(activity().put(enrol("alice"), RecordName("large"), as_bytes(large)));
  ASSERT_TRUE(activity().put(enrol("bob"), RecordName("noise"), as_bytes(noise)));
  const auto found = search({home_ / "store"}, home_ / "root.key");
  for (int i = 0; i < 200; ++i) {
    const std::string id = "person-" + std::to_string(i);
    EXPECT_TRUE(found.could_tell(id));
    EXPECT_TRUE(found.opens_value("value of " + id));
  }
  EXPECT_TRUE(found.opens_value(large));
  EXPECT_TRUE(found.opens_value(noise));
  EXPECT_FALSE(found.could_tell("carol"));
  EXPECT_TRUE(found.opens_terms(1));
  EXPECT_TRUE(std::ranges::any_of(found.opened_records(), [&](const auto& record) {
    return record.name == "large" && record.value == large && record.purpose == 1;
  }));
}

TEST_F(DisclosureSearch, OfTheErasedFindsNothingInOldCopiesAndAllOfTheOthers) {
  put_each(200);
  copy("old");
  const std::string id = "person-77";
  ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId(id)).value()));
  const auto found = search({home_ / "old", home_ / "store"}, home_ / "root.key");
  EXPECT_FALSE(found.could_tell(id));
  EXPECT_FALSE(found.opens_value("value of " + id));
  for (const int other : {0, 76, 78, 199})
    EXPECT_TRUE(found.opens_value("value of person-" + std::to_string(other)));
  EXPECT_GT(found.superseded_nodes_opened(), 0u);
  EXPECT_GT(found.nodes_shut(), 0u);
}

TEST_F(DisclosureSearch, WithAnOldCopyOfTheRootKeysFindsTheErasedAgain) {
  put_each(200);
  copy("old");
  std::filesystem::copy(home_ / "root.key", home_ / "old.key");
  const std::string id = "person-77";
  ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId(id)).value()));
  const auto found = search({home_ / "old", home_ / "store"}, home_ / "old.key");
  EXPECT_TRUE(found.could_tell(id));
  EXPECT_TRUE(found.opens_value("value of " + id));
}

TEST_F(DisclosureSearch, WithoutRootKeysOpensNothing) {
  put_each(20);
  disclosure::Images images;
  ASSERT_TRUE(images.add_directory(home_ / "store"));
  const auto found = disclosure::search(images, {});
  EXPECT_EQ(found.nodes_opened(), 0u);
  EXPECT_TRUE(found.opened_records().empty());
  EXPECT_GT(images.nodes(), 0u);
  EXPECT_GT(images.records(), 0u);
}

TEST_F(DisclosureSearch, OfTheLiveTreeSeesOneImageOfEachPlaceAndThemAll) {
  put_each(200);
  disclosure::Images live;
  ASSERT_TRUE(live.add_live(home_ / "store" / "eu" / "keyring" / "data.mdb"));
  const auto keys = disclosure::RootKeys::from_file(home_ / "root.key");
  ASSERT_TRUE(keys);
  const auto found = disclosure::search(live, *keys);
  EXPECT_EQ(found.nodes_opened(), live.nodes());
  EXPECT_EQ(found.superseded_nodes_opened(), 0u);
  EXPECT_TRUE(found.could_tell("person-0"));
  EXPECT_TRUE(found.could_tell("person-199"));
}

}  // namespace
}  // namespace efface::test
