// support/root_keys_over.h -- a root key store that hands every call on to another one: what is to
// be otherwise is overridden.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "efface/root_key_store.h"

namespace efface::test {

class RootKeysOver : public RootKeyStore {
 public:
  explicit RootKeysOver(std::shared_ptr<RootKeyStore> store) : store_(std::move(store)) {}

  StoreId id() const override { return store_->id(); }
  Assurance assurance() const override { return store_->assurance(); }
  Replicas replicas() const override { return store_->replicas(); }
  Result<std::vector<Epoch>> list() override { return store_->list(); }
  Result<Anchor> anchor() override { return store_->anchor(); }
  Status create(Epoch epoch, const Anchor& anchor) override {
    return store_->create(epoch, anchor);
  }
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    return store_->wrap(epoch, context, key);
  }
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override {
    return store_->unwrap(epoch, context, wrapped, out);
  }
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override {
    return store_->rotate(destroyed, created, anchor);
  }
  Status destroy(Epoch epoch) override { return store_->destroy(epoch); }
  Result<bool> lies_within(const std::string& directory) const override {
    return store_->lies_within(directory);
  }

 protected:
  bool is_oldest(Epoch epoch) const {
    const auto held = store_->list();
    return held && !held->empty() && held->front() == epoch;
  }
  std::shared_ptr<RootKeyStore> store_;
};

}  // namespace efface::test
