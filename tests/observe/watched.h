// observe/watched.h -- a store of one region over root keys in memory, on which hooks are set
// before it is made.
#pragma once
#include <gtest/gtest.h>

#include <optional>

#include "efface/efface.h"
#include "support/memory_root_key_store.h"
#include "support/store_fixture.h"

namespace efface::test {

class WatchedStore : public testing::Test {
 protected:
  WatchedStore() {
    options_.directory = home_ / "store";
    options_.regions = {{"eu", &root_keys_}};
    options_.require_locked_memory = false;
    options_.accept_l0 = true;
  }

  // The store, and a tenant with one purpose.
  void create_with(const PurposeTerms& terms) {
    ASSERT_NO_FATAL_FAILURE(take(Store::create(options_)));
    const Region regions[] = {region()};
    tenant_.emplace(store_->declare_tenant("acme", regions, Actor("test")).value());
    ASSERT_TRUE(tenant_->declare_purpose(terms));
  }
  void take(Result<Store> made) {
    ASSERT_TRUE(made) << name(made.error().code()) << ": " << made.error().note();
    store_.emplace(*std::move(made));
  }
  Region region() { return store_->region("eu").value(); }

  TempDirectory home_{"watched"};
  MemoryRootKeyStore root_keys_;
  OpenOptions options_;
  std::optional<Store> store_;
  std::optional<Tenant> tenant_;
};

}  // namespace efface::test
