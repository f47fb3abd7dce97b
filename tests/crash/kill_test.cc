// SIGKILL at any moment, again and again: the next process finds all that was acknowledged.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>

#include "crash/checker.h"
#include "crash/sweep.h"

namespace efface::test {
namespace {

using What = Op::What;

constexpr int kills = 200;
constexpr std::uint64_t seed = 20250611;
constexpr std::chrono::microseconds life_max{25'000};

Scenario population() {
  return {.label = "kill",
          .place = {},
          .before = {{.what = What::create},
                     {.what = What::declare, .tenant = "acme", .regions = {"eu"}},
                     {.what = What::purpose, .tenant = "acme", .purpose = "ratings"}},
          .ops = {{.what = What::enrol_many, .tenant = "acme", .ids = numbered("p", 0, 24)}}};
}

// The next operation, from the random numbers and the model alone: parent and child agree.
Op random_op(std::mt19937_64& random, const Model& model) {
  const auto& people = model.tenants.at("acme").people;
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Op op{.what = What::put_new, .tenant = "acme", .purpose = "ratings", .regions = {"eu"}};
  op.name = "n" + std::to_string(below(4));
  op.value = std::string(1 + below(600), static_cast<char>('a' + below(26)));
  const std::string someone = "p" + std::to_string(below(24));
  op.ids = {someone};
  const std::size_t dice = below(20);
  if (dice == 0) op.what = What::maintain;
  if (dice <= 5 || !people.contains(someone)) return op;
  if (dice <= 9) op.what = What::put;
  if (dice == 10) op.what = What::remove;
  if (dice >= 11) op.what = What::erase;
  if (dice < 14) return op;
  op.what = dice < 17 ? What::batch : What::erase_many;
  for (const auto& [id, person] : people)
    if (below(4) == 0 && id != someone) op.ids.push_back(id);
  return op;
}

class Killing {
 public:
  Killing() {
    void* shared =
        ::mmap(nullptr, sizeof(Journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) std::abort();
    journal_ = new (shared) Journal;
    place_.home = home_.path();
    known_.possible.emplace_back();
    const Scenario scenario = population();
    for (const Op& op : scenario.before)
      known_.possible.front() = stages(op, known_.possible.front()).back();
    const int status = in_child([&] {
      Session session(place_);
      for (const Op& op : scenario.before)
        if (session.perform(op)) _exit(1);
    });
    EXPECT_EQ(status, 0);
  }

  // One life: opens, compares, works, dies.
  void live(std::uint64_t number, std::chrono::microseconds life) {
    journal_ = new (journal_) Journal;
    const int pid = start_child();
    if (pid == 0) be_child(number);
    ::usleep(static_cast<useconds_t>(life.count()));
    ::kill(pid, SIGKILL);
    const int status = wait_for(pid);
    EXPECT_EQ(status, 128 + SIGKILL);
    EXPECT_STREQ(journal_->report.data(), "");
    learn_of(number);
  }

  void check_all() {
    const int status = in_child([&] {
      Checker checker(place_, universe_of(population()), std::nullopt);
      if (const auto found = checker.check(known_)) journal_->find(*found);
    });
    EXPECT_EQ(status, 0);
    EXPECT_STREQ(journal_->report.data(), "");
  }

  std::size_t acknowledged = 0;
  std::size_t erasures = 0;
  std::size_t cut = 0;  // Lives that ended within an operation.

 private:
  [[noreturn]] void fail(std::string_view what) {
    journal_->find(what);
    _exit(1);
  }

  [[noreturn]] void be_child(std::uint64_t number) {
    Session session(place_);
    if (session.open()) fail("the store does not open");
    const auto observed = session.observe(universe_of(population()));
    if (!observed) fail("the store does not read");
    const auto at = std::ranges::find(known_.possible, *observed);
    if (at == known_.possible.end()) fail("the store is not what was acknowledged");
    journal_->chosen = static_cast<std::uint32_t>(at - known_.possible.begin()) + 1;
    std::mt19937_64 random(seed + number);
    Model model = *at;
    for (Journal::Entry& entry : journal_->entries) {
      const Op op = random_op(random, model);
      if (op.what == What::erase || op.what == What::erase_many)
        for (const auto& [region, slot] : session.in_force()) {
          region.copy(entry.doomed[0].region.data(), 15);
          entry.doomed[0].slot = slot;
        }
      ++journal_->begun;
      if (session.perform(op)) fail("an operation fails");
      entry.doomed[0].acknowledged = !session.ended().empty();
      ++journal_->ended;
      model = stages(op, model).back();
    }
    for (;;) ::pause();
  }

  void learn_of(std::uint64_t number) {
    if (journal_->chosen == 0) return;  // Killed before it knew.
    known_.possible = {known_.possible.at(journal_->chosen - 1)};
    known_.doomed.clear();
    std::mt19937_64 random(seed + number);
    Model model = known_.possible.front();
    std::vector<Op> ops;
    for (std::size_t i = 0; i < journal_->begun; ++i) {
      ops.push_back(random_op(random, model));
      model = stages(ops.back(), model).back();
    }
    known_ = learn(known_, ops, *journal_);
    acknowledged += journal_->ended;
    cut += journal_->begun - journal_->ended;
    const auto file = raw_root_key_file(place_.root_key("eu"));
    for (const Doomed& one : known_.doomed) {
      if (!one.acknowledged) continue;
      ++erasures;
      EXPECT_FALSE(holds_key(file, one.slot.key));
    }
  }

  TempDirectory home_{"kill"};
  Place place_;
  Knowledge known_;
  Journal* journal_;
};

TEST(Kill, AtAnyMomentLeavesAllThatWasAcknowledgedAndNoKeyThatWasDestroyed) {
  Killing killing;
  std::mt19937_64 random(seed);
  for (int i = 0; i < kills && !testing::Test::HasFailure(); ++i) {
    const auto life = random() % static_cast<std::uint64_t>(life_max.count());
    killing.live(static_cast<std::uint64_t>(i), std::chrono::microseconds(life));
  }
  killing.check_all();
  EXPECT_GT(killing.erasures, 0u);
  EXPECT_GT(killing.cut, 0u);
  std::printf("             %zu operations acknowledged, %zu of them erasures; %zu lives cut\n",
              killing.acknowledged, killing.erasures, killing.cut);
}

}  // namespace
}  // namespace efface::test
