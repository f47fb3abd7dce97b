#include "golden/expected.h"

#include "support/two_regions.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

// The modes that a checkout does not keep.
void copy_private(const fs::path& from, const fs::path& to) {
  fs::copy(from, to, fs::copy_options::recursive);
  const auto tighten = [](const fs::path& path) {
    fs::permissions(path, fs::is_directory(path) ? fs::perms::owner_all
                                                 : fs::perms::owner_read | fs::perms::owner_write);
  };
  tighten(to);
  if (!fs::is_directory(to)) return;
  for (const auto& entry : fs::recursive_directory_iterator(to)) tighten(entry.path());
}

class Golden : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path golden = fs::path(EFFACE_GOLDEN_DIR) / "format-1";
    copy_private(golden / "store", home_ / "store");
    copy_private(golden / "root.key", home_ / "root.key");
    auto opened = FileRootKeyStore::open(root_key_options(home_ / "root.key"));
    ASSERT_TRUE(opened) << name(opened.error().code());
    root_keys_ = *std::move(opened);
    OpenOptions options;
    options.directory = home_ / "store";
    options.regions = {{"eu", root_keys_.get(), {}}};
    options.accept_l0 = true;
    options.require_locked_memory = false;
    options.verify_structure = true;
    auto store = Store::open(options);
    ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
    store_.emplace(*std::move(store));
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }

  TempDirectory home_{"golden"};
  std::unique_ptr<FileRootKeyStore> root_keys_;
  std::optional<Store> store_;
  std::optional<Tenant> tenant_;
};

TEST_F(Golden, AStoreOfFormatOneOpensAndHoldsWhatItHeld) {
  const auto& people = golden_people();
  std::size_t read = 0;
  for (const GoldenRecord& record : golden_records()) {
    const std::size_t person = static_cast<std::size_t>(
        std::find(people.begin(), people.end(), record.person) - people.begin());
    const auto subject = tenant_->subject(SubjectId(record.person));
    if (person % golden_erased_each == 0) {
      EXPECT_EQ(code_of(subject), Errc::subject_unknown);
      continue;
    }
    ASSERT_TRUE(subject);
    const Activity activity = tenant_->activity(tenant_->purpose(record.purpose).value()).value();
    EXPECT_EQ(text_of(activity.get(*subject, RecordName(record.name))), record.value);
    ++read;
  }
  EXPECT_EQ(read, 35u * 3u);
}

TEST_F(Golden, AStoreOfFormatOneGoesOn) {
  const Activity orders = tenant_->activity(tenant_->purpose("orders").value()).value();
  const Region region = store_->region("eu").value();
  ASSERT_TRUE(orders.put(SubjectId("new"), region, RecordName("a"), as_bytes("x")));
  const SubjectId ids[] = {SubjectId("person-1"), SubjectId("new")};
  EXPECT_EQ(tenant_->erase(ids)->erased, 2u);
  EXPECT_EQ(store_->maintain()->records_removed, (5u + 1u) * 4u + 3u);
}

}  // namespace
}  // namespace efface::test
