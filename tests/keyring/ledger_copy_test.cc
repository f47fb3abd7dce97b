// The ledger's copy has an erasure before the root key store destroys the old root key. The same
// source is built once more over a library that does not wait for the copy, and has to see that.
#include <gtest/gtest.h>

#include "support/root_keys_over.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

#ifdef EFFACE_COPY_IS_LATE
constexpr bool copy_comes_first = false;
#else
constexpr bool copy_comes_first = true;
#endif

// Looks at the copy whenever it is told to destroy.
class RootKeysThatLook final : public RootKeysOver {
 public:
  RootKeysThatLook(std::unique_ptr<RootKeyStore> store, std::filesystem::path copy)
      : RootKeysOver(std::move(store)), copy_(std::move(copy)) {}
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override {
    if (std::filesystem::exists(copy_)) bytes_then_ = std::filesystem::file_size(copy_);
    return RootKeysOver::rotate(destroyed, created, anchor);
  }
  std::uintmax_t bytes_then() const { return bytes_then_; }

 private:
  std::filesystem::path copy_;
  std::uintmax_t bytes_then_ = 0;
};

TEST(LedgerCopy, HasTheErasureBeforeTheOldRootKeyIsDestroyed) {
  const TempDirectory home("copy");
  const auto copy = home / "store/eu/ledger";
  auto file = FileRootKeyStore::create(root_key_options(home / "root.key"));
  ASSERT_TRUE(file);
  RootKeysThatLook root_keys(*std::move(file), copy);
  OpenOptions options;
  options.directory = home / "store";
  options.regions = {{.name = "eu", .root_keys = &root_keys}};
  options.require_locked_memory = false;
  options.accept_l0 = true;
  const auto store = Store::create(options);
  ASSERT_TRUE(store);
  const Region regions[] = {store->region("eu").value()};
  const auto tenant = store->declare_tenant("acme", regions, Actor("test"));
  ASSERT_TRUE(tenant);
  ASSERT_TRUE(tenant->enrol(SubjectId("alice"), regions[0]));
  const auto before = std::filesystem::file_size(copy);
  ASSERT_TRUE(tenant->erase(tenant->subject(SubjectId("alice")).value()));
  EXPECT_EQ(root_keys.bytes_then() > before, copy_comes_first);
}

}  // namespace
}  // namespace efface::test
