// Whatever fails at whichever step: what is confirmed is forgotten, and what lives opens.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "custody/several.h"

namespace efface::test {
namespace {

constexpr std::size_t calls_max = 12;  // Of one member, within one step.

struct Step {
  enum class What : std::uint8_t { enrol, erase, rotate, settle, reopen } what;
  std::optional<std::size_t> member;  // None: all of them at once.
  RootKeysThatFail::Plan plan;
};

Step arbitrary_step(std::size_t members) {
  Step step{};
  step.what = *rc::gen::element(Step::What::enrol, Step::What::erase, Step::What::erase,
                                Step::What::rotate, Step::What::settle, Step::What::reopen);
  const auto member = *rc::gen::inRange<std::size_t>(0, members + 1);
  if (member < members) step.member = member;
  step.plan.at = *rc::gen::inRange<std::size_t>(0, calls_max * (step.member ? 1 : members));
  step.plan.for_ever = *rc::gen::arbitrary<bool>();
  step.plan.has_done_it = *rc::gen::arbitrary<bool>();
  step.plan.code = *rc::gen::element(Errc::token_unavailable, Errc::io);
  return step;
}

class Run {
 public:
  Run(Several kind, std::size_t count) : keyring_(kind, count) {}

  void take(const Step& step) {
    const auto calls = std::make_shared<std::size_t>(0);
    for (std::size_t i = 0; i < keyring_.stores.members.size(); ++i)
      if (!step.member || step.member == i) keyring_.stores.members[i]->arm(step.plan, calls);
    act(step.what);
    if (!step.member) reopen_well();
    keyring_.stores.all_well();
  }

  // A step that failed may leave it closed, or latched.
  void check() {
    RC_ASSERT(keyring_.open().has_value());
    RC_ASSERT(!keyring_->pending());
    RC_ASSERT(!keyring_.stores.thief_opens_any_before(keyring_->epoch()));
    for (const std::string& id : living_) RC_ASSERT(*keyring_.knows(id));
    for (const std::string& id : gone_) RC_ASSERT(!*keyring_.knows(id));
    const auto erased = keyring_.erase("nobody");
    RC_ASSERT(erased.has_value());
  }

 private:
  void confirmed(const Result<keyring::ErasureOutcome>& outcome) {
    if (!outcome || outcome->epoch_after == outcome->epoch_before) return;
    RC_ASSERT(!keyring_.stores.thief_opens_any_before(outcome->epoch_after));
    RC_ASSERT(outcome->replicas.confirmed >= 1u);
  }

  void act(Step::What what) {
    if (what == Step::What::reopen) {
      static_cast<void>(keyring_.open());
      if (!is_open()) reopen_well();
      return;
    }
    const std::string next = std::to_string(people_++);
    switch (what) {
      case Step::What::enrol:
        if (keyring_.enrol(next)) living_.insert(next);
        break;
      case Step::What::erase: {
        if (living_.empty()) break;
        const std::string id = *living_.begin();
        const auto erased = keyring_.erase(id);
        confirmed(erased);
        const Errc code = code_of(erased);
        if (code != Errc{} && code != Errc::erase_pending && code != Errc::outcome_unknown) break;
        living_.erase(id);
        if (code != Errc::outcome_unknown) gone_.insert(id);
        break;
      }
      case Step::What::rotate:
        confirmed(keyring_->rotate_root());
        break;
      case Step::What::settle:
        static_cast<void>(keyring_->settle());
        break;
      case Step::What::reopen:
        break;
    }
    if (!keyring_.knows("nobody")) reopen_well();  // Latched.
  }

  bool is_open() { return keyring_.is_open(); }
  void reopen_well() {
    keyring_.stores.all_well();
    RC_ASSERT(keyring_.open().has_value());
  }

  SeveralKeyring keyring_;
  int people_ = 0;
  std::set<std::string> living_;
  std::set<std::string> gone_;
};

void hold_whatever_fails(Several kind) {
  const auto count = *rc::gen::inRange<std::size_t>(2, 4);
  Run run(kind, count);
  const auto steps = *rc::gen::inRange(1, 24);
  for (int i = 0; i < steps; ++i) run.take(arbitrary_step(count));
  run.check();
}

TEST(CompositeProperty, WhatIsConfirmedIsForgottenAndWhatLivesOpensWhateverFails) {
  EXPECT_TRUE(rc::check([] { hold_whatever_fails(Several::composite); }));
}

TEST(ReplicatedProperty, WhatIsConfirmedIsForgottenAndWhatLivesOpensWhateverFails) {
  EXPECT_TRUE(rc::check([] { hold_whatever_fails(Several::replicated); }));
}

}  // namespace
}  // namespace efface::test
