// A tree that grows by a level moves keys from the owner of its root into a new root. No old image
// may stay open under what was moved.
#include <gtest/gtest.h>

#include <set>

#include "oracle/disclosure.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

class TreeGrowth : public StoreTest {
 protected:
  void declare_tenant(const std::string& name) {
    const Region regions[] = {region()};
    auto tenant = store_->declare_tenant(name, regions, Actor("test"));
    ASSERT_TRUE(tenant);
    ASSERT_TRUE(tenant->declare_purpose({"p", LegalBasis::contract, std::nullopt, true}));
  }
  disclosure::Result search(const disclosure::Images& images) {
    const auto keys = disclosure::RootKeys::from_file(home_ / "root.key");
    EXPECT_TRUE(keys);
    disclosure::Options options;
    options.reach = disclosure::Reach::everywhere;
    return disclosure::search(images, *keys, options);
  }
  std::filesystem::path data() { return home_ / "store" / "eu" / "keyring" / "data.mdb"; }
};

// With acme's, seven tenants have 28 rows: one more than a leaf of one unit holds.
TEST_F(TreeGrowth, OfTheTopTreeLeavesNoOldRootOpenUnderALivingKey) {
  constexpr int tenants = 6;
  for (int i = 0; i < tenants; ++i) {
    const std::string name = "tenant-" + std::to_string(i);
    declare_tenant(name);
    const Tenant tenant = store_->tenant(name, Actor("test")).value();
    ASSERT_TRUE(tenant.enrol(SubjectId(name + "/stays"), region()));
    ASSERT_TRUE(tenant.enrol(SubjectId(name + "/goes"), region()));
  }
  std::filesystem::copy_file(data(), home_ / "old.mdb");
  disclosure::Images images;
  ASSERT_TRUE(images.add_file(home_ / "old.mdb"));
  // Only in tenants of the second bucket, so that the first keeps its key.
  std::set<std::uint32_t> second_bucket;
  const auto before = search(images);
  for (const disclosure::Row& row : before.rows())
    if (row.tree == disclosure::Tree::top && (row.tag[0] & std::byte{1}) != std::byte{0})
      second_bucket.insert(row.tenant);
  std::vector<std::string> gone;
  for (int i = 0; i < tenants; ++i) {
    const std::string name = "tenant-" + std::to_string(i);
    if (!second_bucket.contains(static_cast<std::uint32_t>(i) + 2)) continue;
    const Tenant tenant = store_->tenant(name, Actor("test")).value();
    ASSERT_TRUE(tenant.erase(tenant.subject(SubjectId(name + "/goes")).value()));
    gone.push_back(name + "/goes");
  }
  ASSERT_TRUE(images.add_file(data()));
  const auto found = search(images);
  for (const std::string& id : gone) EXPECT_FALSE(found.could_tell(id));
  for (int i = 0; i < tenants; ++i)
    EXPECT_TRUE(found.could_tell("tenant-" + std::to_string(i) + "/stays"));
}

}  // namespace
}  // namespace efface::test
