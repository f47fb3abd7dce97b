// support/memory_root_key_store.h -- a root key store in memory that keeps the rules of the file
// one, unless it is told to break one.
//
// Switches  lying: keeps what it destroys; kept() and unwrap_kept() bring it back.
//           fail_next_rotate: the next rotation does nothing and answers io.
//           fail_after_rotate: the next rotation is done, and answers io.
// Threads   One at a time, as RootKeyStore.
#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/random.h"
#include "crypto/root_wrap.h"
#include "crypto/secret.h"
#include "efface/root_key_store.h"

namespace efface::test {

class MemoryRootKeyStore final : public RootKeyStore {
 public:
  using Keys = std::map<Epoch, crypto::SecretKey>;

  bool lying = false;
  bool fail_next_rotate = false;   // Falls back to false when it has failed.
  bool fail_after_rotate = false;  // Likewise.
  AssuranceLevel level = AssuranceLevel::l1_overwritten;
  std::size_t rotations = 0;

  StoreId id() const override { return id_; }
  Assurance assurance() const override { return {level, "A map in memory, for tests."}; }

  Result<std::vector<Epoch>> list() override {
    std::vector<Epoch> epochs;
    for (const auto& [epoch, key] : live_) epochs.push_back(epoch);
    return epochs;
  }

  Result<Anchor> anchor() override { return anchor_; }

  Status create(Epoch epoch, const Anchor& anchor) override {
    if (live_.size() >= 2) return Error(Errc::exists, "two epochs are held");
    return add(epoch, anchor);
  }

  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    const auto found = live_.find(epoch);
    if (found == live_.end()) return Error(Errc::root_key_missing, "the epoch is not held");
    return crypto::wrap_root(found->second.bytes(), {id_, epoch}, context, key);
  }

  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override {
    return unwrap_with(live_, epoch, context, wrapped, out);
  }

  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override {
    if (std::exchange(fail_next_rotate, false)) return Error(Errc::io, "told to fail");
    if (!live_.contains(destroyed) && live_.size() >= 2)
      return Error(Errc::exists, "two epochs are held");
    if (const Status added = add(created, anchor); !added) return added;
    forget(destroyed);
    ++rotations;
    if (std::exchange(fail_after_rotate, false)) return Error(Errc::io, "told to fail");
    return {};
  }

  Status destroy(Epoch epoch) override {
    forget(epoch);
    return {};
  }

  Result<bool> lies_within(const std::string&) const override { return false; }

  // What it would give to whoever holds it; and what a liar still has.
  const Keys& live() const noexcept { return live_; }
  const Keys& kept() const noexcept { return kept_; }
  Status unwrap_kept(Epoch epoch, Bytes context, Bytes wrapped, Key out) const {
    return unwrap_with(kept_, epoch, context, wrapped, out);
  }

 private:
  Status unwrap_with(const Keys& keys, Epoch epoch, Bytes context, Bytes wrapped, Key out) const {
    const auto found = keys.find(epoch);
    if (found == keys.end()) return Error(Errc::root_key_missing, "the epoch is not held");
    return crypto::unwrap_root(found->second.bytes(), {id_, epoch}, context, wrapped, out);
  }

  Status add(Epoch epoch, const Anchor& anchor) {
    if (epoch == 0) return Error(Errc::invalid_argument, "epochs begin at one");
    if (epoch <= highest_) return Error(Errc::exists, "the epoch was seen");
    live_.emplace(epoch, crypto::SecretKey::random());
    highest_ = epoch;
    anchor_ = anchor;
    return {};
  }

  void forget(Epoch epoch) {
    auto gone = live_.extract(epoch);  // Wiped with this scope, unless it is kept.
    if (lying && !gone.empty()) kept_.insert(std::move(gone));
  }

  // The first use of crypto in many a test.
  const StoreId id_ = [] {
    static_cast<void>(crypto::initialise());
    return crypto::random_id();
  }();
  Keys live_;
  Keys kept_;
  Epoch highest_ = 0;
  Anchor anchor_;
};

}  // namespace efface::test
