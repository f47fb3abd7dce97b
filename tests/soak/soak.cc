#include "soak/soak.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <new>
#include <random>
#include <thread>

#include "efface/doctor.h"
#include "efface/forensics.h"
#include "faults/injector.h"
#include "soak/desk.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Who writes, and erases, as whom. The people are shared out among all but the last.
enum Role : std::size_t {
  thread_0,
  thread_1,
  first_killed,
  second_killed,
  stopped,
  failed,
  checker
};
constexpr std::size_t roles = checker;
static_assert(checker < roles_of_history);
constexpr std::size_t pausing_parts = roles;
constexpr int rounds = 20;  // Of pauses, and of checks.
constexpr int samples_per_round = 4;
constexpr std::uint64_t tenants_per_sweep = 16;

// Waits while there is a pause. Called by each part, with nobody at work.
void pause_if_told(Soak& soak) {
  if (!soak.pause) return;
  ++soak.pausing;
  while (soak.pause && !soak.history.stop) ::usleep(1'000);
  --soak.pausing;
}

bool goes_on(const Soak& soak) { return !soak.history.stop && !soak.history.violated; }

// ---- children that end in the middle of things ----

using Life = void (*)(Soak&, const Peer&, std::mt19937_64&);

void live_briefly(Soak&, const Peer&, std::mt19937_64& random) {
  ::usleep(static_cast<useconds_t>(random() % 8'000));
}

void be_stopped(Soak& soak, const Peer& child, std::mt19937_64& random) {
  for (int i = 0; i < 3 && !soak.pause && goes_on(soak); ++i) {
    ::usleep(static_cast<useconds_t>(20'000 + random() % 200'000));
    child.kill(SIGSTOP);
    ::usleep(static_cast<useconds_t>(random() % 200'000));
    child.kill(SIGCONT);
    ++soak.stops;
  }
}

void bear_and_kill(Soak& soak, const SoakPlan& plan, Role role, Life life) {
  std::mt19937_64 random(plan.seed + role);
  while (goes_on(soak)) {
    pause_if_told(soak);
    const std::uint64_t seed = random();
    Peer child([&](const Channel&) {
      View view(plan.home);
      if (!view.status()) {
        soak.history.violate("a store does not open", name(view.status().error().code()));
        return 1;
      }
      Participant one(soak.history, view, seed, role, roles);
      while (!soak.history.violated) one.act();
      return 1;
    });
    ++soak.children;
    life(soak, child, random);
    child.kill(SIGKILL);
    const int status = child.join();
    soak.history.bury(role);
    ++soak.kills;
    if (status != 128 + SIGKILL)
      soak.history.violate("a child ends by itself", std::to_string(status));
  }
}

// One call fails, some way into its life; a while later it closes the store.
int live_with_a_fault(Soak& soak, const SoakPlan& plan, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  // Whom a lock is refused for ever does not keep the others waiting, who pause with him.
  View view(plan.home, std::chrono::milliseconds(500));
  if (!view.status()) {
    soak.history.violate("a store does not open", name(view.status().error().code()));
    return 1;
  }
  static_cast<void>(view.tenant());
  Participant one(soak.history, view, seed, failed, roles, Participant::Errors::some);
  arm({.at = 1 + random() % 2'000,
       .allocation = random() % 4 == 0,
       .chance = static_cast<std::size_t>(random() | 1)});
  for (int after = 0; after < 20 && goes_on(soak) && !soak.pause; after += was_reached() ? 1 : 0) {
    try {
      one.act();
    } catch (const std::bad_alloc&) {  // Of the test's own strings.
    }
  }
  disarm();
  soak.faults.fetch_add(was_reached() ? 1 : 0);
  return 0;
}

void bear_and_fail(Soak& soak, const SoakPlan& plan) {
  std::mt19937_64 random(plan.seed + failed);
  while (goes_on(soak)) {
    pause_if_told(soak);
    const std::uint64_t seed = random();
    Peer child([&](const Channel&) { return live_with_a_fault(soak, plan, seed); });
    ++soak.children;
    const int status = child.join();
    soak.history.bury(failed);
    if (status != 0)
      soak.history.violate("a child does not survive a fault", std::to_string(status));
  }
}

// ---- the process that stays ----

bool copy_files(const fs::path& from, const fs::path& to) {
  // By another process: closing a file ends all locks that this one has on it.
  const char* const arguments[] = {"cp", "-r", from.c_str(), to.c_str(), nullptr};
  pid_t child = 0;
  int status = 1;
  if (::posix_spawnp(&child, "cp", nullptr, nullptr, const_cast<char* const*>(arguments),
                     environ) != 0)
    return false;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

std::uint64_t people_in(Soak& soak, Store& store, const fs::path& copy) {
  const fs::path places[] = {copy};
  const auto report = store.forensics(places, {});
  if (!report) {
    soak.history.violate("a search of a copy fails", name(report.error().code()));
    return 0;
  }
  if (report->beyond_today != 0) soak.history.violate("a copy has what today's keys have not", "");
  return report->people;
}

void sweep(Soak& soak, View& view) {
  if (const auto swept = view.store().maintain(); !swept)
    soak.history.violate("a sweep fails", text_of(swept.error()));
}

void look_at_everything(Soak& soak, const SoakPlan& plan, View& view) {
  soak.pause = true;
  while (soak.pausing < pausing_parts && goes_on(soak)) ::usleep(1'000);
  if (goes_on(soak)) {
    sweep(soak, view);
    const auto report = view.store().check();
    if (!report)
      soak.history.violate("check fails", name(report.error().code()));
    else if (!report->damage.empty())
      soak.history.violate("damage", report->damage.front().what);
    else
      soak.objects_checked += report->nodes + report->rows + report->records + report->entries;

    const fs::path copy = plan.home / "copy";
    if (!copy_files(plan.home / "store", copy)) soak.history.violate("no copy", "");
    soak.people_in_copies += people_in(soak, view.store(), copy);
    Participant(soak.history, view, 0, checker, roles).erase_all();
    soak.people_in_copies_after += people_in(soak, view.store(), copy);
    fs::remove_all(copy);
    ++soak.checks;
  }
  soak.pause = false;
  while (soak.pausing != 0) ::usleep(1'000);
}

int stay(Soak& soak, const SoakPlan& plan) {
  View view(plan.home);
  if (!view.status()) return 1;
  static_cast<void>(view.tenant());  // Made once, and then read by all threads.
  std::vector<std::jthread> threads;
  for (const Role role : {thread_0, thread_1})
    threads.emplace_back([&, role] {
      Participant one(soak.history, view, plan.seed * 31 + role, role, roles);
      while (goes_on(soak)) {
        pause_if_told(soak);
        one.act();
      }
    });
  const auto round = std::chrono::milliseconds(1'000) * plan.seconds / (rounds + 1);
  auto next = Clock::now() + round;
  while (goes_on(soak)) {
    const std::string wrong = run_a_tenant(view.store(), soak.tenants, plan.home);
    if (!wrong.empty()) soak.history.violate("a tenant", wrong);
    if (++soak.tenants % tenants_per_sweep == 0) sweep(soak, view);
    if (Clock::now() < next) continue;
    look_at_everything(soak, plan, view);
    next = Clock::now() + round;
  }
  return 0;
}

}  // namespace

Samples run_soak(Soak& soak, const SoakPlan& plan) {
  Samples samples;
  const auto of = [&](auto&& part) {
    return std::make_unique<Peer>([&](const Channel&) {
      part();
      return 0;
    });
  };
  Peer steady([&](const Channel&) { return stay(soak, plan); });
  std::vector<std::unique_ptr<Peer>> nurseries;
  nurseries.push_back(of([&] { bear_and_kill(soak, plan, first_killed, live_briefly); }));
  nurseries.push_back(of([&] { bear_and_kill(soak, plan, second_killed, live_briefly); }));
  nurseries.push_back(of([&] { bear_and_kill(soak, plan, stopped, be_stopped); }));
  nurseries.push_back(of([&] { bear_and_fail(soak, plan); }));

  const auto end = Clock::now() + std::chrono::seconds(plan.seconds);
  const auto every = std::chrono::milliseconds(1'000) * plan.seconds / (rounds * samples_per_round);
  while (Clock::now() < end && !soak.history.violated) {
    std::this_thread::sleep_for(every);
    samples.push_back(gauges_of(steady.id(), plan.home / "store"));
  }
  soak.history.stop = true;
  for (const auto& nursery : nurseries)
    if (nursery->join() != 0) soak.history.violate("a nursery fails", "");
  if (steady.join() != 0) soak.history.violate("the process that stays fails", "");
  samples.push_back(gauges_of(0, plan.home / "store"));
  return samples;
}

}  // namespace efface::test
