// support/bad_root_keys.h -- root key stores that break the one rule that their name says, over one
// that keeps them all. For controls: a harness that does not find them finds nothing.
#pragma once
#include <chrono>
#include <cstddef>
#include <thread>

#include "support/root_keys_over.h"

namespace efface::test {

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
    const auto held = store_->list();
    if (wrapped && held && held->front() < epoch)
      if (const Status gone = store_->destroy(held->front()); !gone) return gone.error();
    return wrapped;
  }
};

// Fails one call, or all from one on: before it has done what it was asked, or after.
class RootKeysThatFail final : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;

  struct Plan {
    std::size_t at = 0;  // The call, from 1; 0: none.
    bool for_ever = false;
    bool has_done_it = false;
    Errc code = Errc::token_unavailable;
  };
  // Stores that are given one counter are counted together: as when a process ends.
  void arm(const Plan& plan,
           std::shared_ptr<std::size_t> calls = std::make_shared<std::size_t>(0)) {
    plan_ = plan;
    calls_ = std::move(calls);
  }

  Result<std::vector<Epoch>> list() override {
    return failing([&] { return RootKeysOver::list(); });
  }
  Result<Anchor> anchor() override {
    return failing([&] { return RootKeysOver::anchor(); });
  }
  Status create(Epoch epoch, const Anchor& anchor) override {
    return failing([&] { return RootKeysOver::create(epoch, anchor); });
  }
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    return failing([&] { return RootKeysOver::wrap(epoch, context, key); });
  }
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override {
    return failing([&] { return RootKeysOver::unwrap(epoch, context, wrapped, out); });
  }
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override {
    return failing([&] { return RootKeysOver::rotate(destroyed, created, anchor); });
  }
  Status destroy(Epoch epoch) override {
    return failing([&] { return RootKeysOver::destroy(epoch); });
  }

 private:
  template <class Call>
  auto failing(Call&& call) -> decltype(call()) {
    const std::size_t number = ++*calls_;
    const bool fails = plan_.at != 0 && (plan_.for_ever ? number >= plan_.at : number == plan_.at);
    if (!fails) return call();
    if (plan_.has_done_it) static_cast<void>(call());
    return Error(plan_.code, "told to fail");
  }

  Plan plan_;
  std::shared_ptr<std::size_t> calls_ = std::make_shared<std::size_t>(0);
};

// Takes its time, as a token does.
class RootKeysThatAreSlow final : public RootKeysOver {
 public:
  RootKeysThatAreSlow(std::shared_ptr<RootKeyStore> store, std::chrono::milliseconds delay)
      : RootKeysOver(std::move(store)), delay_(delay) {}

  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    std::this_thread::sleep_for(delay_);
    return RootKeysOver::wrap(epoch, context, key);
  }
  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override {
    std::this_thread::sleep_for(delay_);
    return RootKeysOver::rotate(destroyed, created, anchor);
  }

 private:
  std::chrono::milliseconds delay_;
};

}  // namespace efface::test
