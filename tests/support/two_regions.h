// support/two_regions.h -- a store of two regions, a tenant in both, and a clock that can be moved.
#pragma once
#include "support/store_fixture.h"

namespace efface::test {

template <class T>
std::optional<Errc> code_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().code();
}

class TwoRegionsTest : public testing::Test {
 protected:
  void SetUp() override {
    offset_ = {};
    for (const char* region : {"eu", "us"}) {
      auto made = FileRootKeyStore::create(root_key_options(home_ / region));
      ASSERT_TRUE(made) << name(made.error().code());
      (region[0] == 'e' ? eu_keys_ : us_keys_) = *std::move(made);
    }
    auto store = Store::create(options());
    ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
    store_.emplace(*std::move(store));
    take_regions();
    const Region both[] = {*us_, *eu_};
    auto tenant = store_->declare_tenant("acme", both, Actor("test"));
    ASSERT_TRUE(tenant) << name(tenant.error().code()) << ": " << tenant.error().note();
    tenant_.emplace(*std::move(tenant));
    ASSERT_TRUE(tenant_->declare_purpose({"ratings"}));
  }

  OpenOptions options() {
    OpenOptions options;
    options.directory = home_ / "store";
    options.regions = {{"eu", eu_keys_.get(), {}}, {"us", us_keys_.get(), {}}};
    options.require_locked_memory = false;
    options.accept_l0 = true;
    options.cached_people_max = cached_people_max_;
    options.now = [] { return std::chrono::system_clock::now() + offset_; };
    return options;
  }

  void reopen_without_us() {
    tenant_.reset();
    eu_.reset();
    us_.reset();
    store_.reset();
    OpenOptions narrow = options();
    narrow.regions.pop_back();
    auto store = Store::open(narrow);
    ASSERT_TRUE(store) << name(store.error().code()) << ": " << store.error().note();
    store_.emplace(*std::move(store));
    take_regions();
    tenant_.emplace(store_->tenant("acme", Actor("test")).value());
  }

  void take_regions() {
    eu_.emplace(store_->region("eu").value());
    us_.emplace(store_->region("us").value());
  }

  Activity ratings() { return tenant_->activity(tenant_->purpose("ratings").value()).value(); }
  static void advance(Days days) { offset_ += days; }

  static inline std::chrono::seconds offset_{};
  std::size_t cached_people_max_ = OpenOptions().cached_people_max;
  TempDirectory home_{"regions"};
  std::unique_ptr<FileRootKeyStore> eu_keys_;
  std::unique_ptr<FileRootKeyStore> us_keys_;
  std::optional<Store> store_;
  std::optional<Region> eu_;
  std::optional<Region> us_;
  std::optional<Tenant> tenant_;
};

}  // namespace efface::test
