// crash/bad_root_keys.h -- root key stores that break the one rule that their name says, over a
// file that keeps them all. For controls: a harness that does not find them finds nothing.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "efface/file_root_key_store.h"

namespace efface::test {

class RootKeysOver : public RootKeyStore {
 public:
  explicit RootKeysOver(std::unique_ptr<FileRootKeyStore> file) : file_(std::move(file)) {}

  StoreId id() const override { return file_->id(); }
  Assurance assurance() const override { return file_->assurance(); }
  Result<std::vector<Epoch>> list() override { return file_->list(); }
  Result<Anchor> anchor() override { return file_->anchor(); }
  Status create(Epoch epoch, const Anchor& anchor) override { return file_->create(epoch, anchor); }
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    return file_->wrap(epoch, context, key);
  }
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override {
    return file_->unwrap(epoch, context, wrapped, out);
  }
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override {
    return file_->rotate(destroyed, created, anchor);
  }
  Status destroy(Epoch epoch) override { return file_->destroy(epoch); }
  Result<bool> lies_within(const std::string& directory) const override {
    return file_->lies_within(directory);
  }

 protected:
  bool is_oldest(Epoch epoch) const {
    const auto held = file_->list();
    return held && !held->empty() && held->front() == epoch;
  }
  std::unique_ptr<FileRootKeyStore> file_;
};

// Says that it destroyed the epoch that ended, and has done nothing. (A spare it does destroy.)
class RootKeysThatAreKept final : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override {
    if (is_oldest(destroyed)) return {};
    return RootKeysOver::rotate(destroyed, created, anchor);
  }
};

// Destroys the epoch in force as soon as something is wrapped under the next: before the commit.
class RootKeysThatGoFirst final : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    auto wrapped = RootKeysOver::wrap(epoch, context, key);
    const auto held = file_->list();
    if (wrapped && held && held->front() < epoch)
      if (const Status gone = file_->destroy(held->front()); !gone) return gone.error();
    return wrapped;
  }
};

}  // namespace efface::test
