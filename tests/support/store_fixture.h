// support/store_fixture.h -- a store in a temporary directory, its root key file beside it.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "efface/efface.h"
#include "support/temp_directory.h"

namespace efface::test {

// A file root key store, with the level of whatever file system the tests run on.
inline FileRootKeyStoreOptions root_key_options(const std::filesystem::path& path) {
  FileRootKeyStoreOptions options;
  options.path = path;
  options.accept_l0 = true;
  return options;
}

inline std::string text_of(const Result<std::optional<Record>>& found) {
  if (!found) return std::string("error: ") + name(found.error().code());
  if (!*found) return "absent";
  return std::string(as_text((**found).bytes()));
}

// A store with one region "eu", one tenant "acme" and one purpose "ratings".
class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = FileRootKeyStore::create(root_key_options(home_ / "root.key"));
    ASSERT_TRUE(made) << name(made.error().code()) << ": " << made.error().note();
    root_keys_ = *std::move(made);
    auto store = Store::create(options());
    ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
    store_.emplace(*std::move(store));
    const Region regions[] = {region()};
    auto tenant = store_->declare_tenant("acme", regions, Actor("test"));
    ASSERT_TRUE(tenant) << name(tenant.error().code()) << ": " << tenant.error().note();
    tenant_.emplace(*std::move(tenant));
    declare("ratings");
  }

  OpenOptions options() {
    OpenOptions options;
    options.directory = home_ / "store";
    options.regions = {{"eu", root_keys_.get(), {}}};
    options.require_locked_memory = false;
    options.accept_l0 = true;
    return options;
  }

  void declare(std::string purpose_name, std::optional<Days> retention = std::nullopt) {
    auto purpose =
        tenant_->declare_purpose({std::move(purpose_name), LegalBasis::contract, retention, true});
    ASSERT_TRUE(purpose) << name(purpose.error().code()) << ": " << purpose.error().note();
  }

  Region region() { return store_->region("eu").value(); }
  Activity activity(std::string_view purpose_name = "ratings") {
    return tenant_->activity(tenant_->purpose(purpose_name).value()).value();
  }
  Subject enrol(std::string_view id) { return tenant_->enrol(SubjectId(id), region()).value(); }

  void close() {
    tenant_.reset();
    store_.reset();
  }
  // Also the root key file is closed and opened again.
  void reopen() {
    close();
    root_keys_.reset();
    auto opened = FileRootKeyStore::open(root_key_options(home_ / "root.key"));
    ASSERT_TRUE(opened) << name(opened.error().code()) << ": " << opened.error().note();
    root_keys_ = *std::move(opened);
    auto store = Store::open(options());
    ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
    store_.emplace(*std::move(store));
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }

  TempDirectory home_{"store"};
  std::unique_ptr<FileRootKeyStore> root_keys_;
  std::optional<Store> store_;
  std::optional<Tenant> tenant_;
};

}  // namespace efface::test
