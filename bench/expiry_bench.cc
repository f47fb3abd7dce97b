// Does destroying an expired day depend on how many records expire in it?
//
// One store holds 1,000 people. A day gets 1,000 or 1M records of 20 B, spread over all of them,
// the clock moves past it, and maintain() does what is due. Timed is what it takes until the root
// key store has destroyed the old root key: from then on nobody can read them. Their ciphertext is
// removed after that, which takes as long as there is of it, and is measured apart.
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "efface/efface.h"
#include "support/data.h"
#include "support/must.h"
#include "support/plan.h"
#include "support/root_keys_over.h"

namespace efface::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t people = 1'000;
constexpr std::size_t value_bytes = 20;
constexpr std::size_t records_per_commit = 50'000;

struct Size {
  std::size_t records;  // Of a day.
  int days;             // As many expire.
};

std::vector<Size> sizes() {
  if (is_quick()) return {{1'000, 7}, {10'000, 7}};
  return {{1'000, 21}, {1'000'000, 11}};
}

// Root keys in a file, and when one was last destroyed.
class TimedRootKeys final : public test::RootKeysOver {
 public:
  TimedRootKeys() : RootKeysOver(make()) {}

  int rotations() const noexcept { return rotations_; }
  Clock::time_point last_rotation() const noexcept { return last_rotation_; }

  Status rotate(Epoch destroyed, Epoch created, const Anchor& anchor) override {
    Status done = RootKeysOver::rotate(destroyed, created, anchor);
    last_rotation_ = Clock::now();
    ++rotations_;
    return done;
  }

 private:
  static std::unique_ptr<FileRootKeyStore> make() {
    FileRootKeyStoreOptions options;
    options.path = scratch() / "expiry.key";
    options.accept_l0 = true;
    return must(FileRootKeyStore::create(options));
  }

  int rotations_ = 0;
  Clock::time_point last_rotation_{};
};

std::atomic<std::uint32_t> days_passed{0};

std::chrono::system_clock::time_point now() {
  return std::chrono::system_clock::now() + Days(days_passed.load());
}

Store make_store(RootKeyStore& root_keys) {
  OpenOptions options;
  options.directory = scratch() / "expiry";
  options.regions = {{"here", &root_keys, {}}};
  options.require_locked_memory = false;
  options.accept_l0 = true;
  options.now = now;
  return must(Store::create(options));
}

Tenant declare(const Store& store, const Region& region) {
  return must(store.declare_tenant("tenant", {&region, 1}, Actor("bench")));
}

struct Seconds {
  double destruction = 0;
  double sweep = 0;
};

class World {
 public:
  World()
      : store_(make_store(root_keys_)),
        region_(must(store_.region("here"))),
        tenant_(declare(store_, region_)),
        purpose_(must(tenant_.declare_purpose({"purpose"}))),
        activity_(must(tenant_.activity(purpose_))) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < people; ++i) names.push_back(person_id(i));
    std::vector<SubjectId> ids;
    for (const std::string& text : names) ids.emplace_back(text);
    subjects_ = must(tenant_.find_or_enrol(ids, region_, {&purpose_, 1}));
  }

  // What the day number n of that many records took, of its size; expires it if nobody asked yet.
  Seconds day(std::size_t records, std::size_t n) {
    std::vector<Seconds>& expired = expired_[records];
    while (expired.size() <= n) expired.push_back(expire(records));
    return expired[n];
  }

 private:
  Seconds expire(std::size_t records) {
    load(records);
    settle();
    days_passed += 3;
    const int rotations = root_keys_.rotations();
    const auto begin = Clock::now();
    const Maintained done = must(store_.maintain(no_re_keying()));
    const auto end = Clock::now();
    if (done.buckets_expired != 1 || root_keys_.rotations() != rotations + 1)
      give_up("expire", "not exactly one day");
    if (done.records_removed != records) give_up("expire", "another number of records");
    const std::chrono::duration<double> destruction = root_keys_.last_rotation() - begin;
    const std::chrono::duration<double> sweep = end - root_keys_.last_rotation();
    return {destruction.count(), sweep.count()};
  }

  // The scopes' summaries are overwritten from day to day, and that is not measured.
  static MaintainOptions no_re_keying() {
    MaintainOptions options;
    options.residue_window = std::chrono::hours(24 * 36'500);
    return options;
  }

  void load(std::size_t records) {
    PutOptions options;
    options.retention = Days(1);
    const std::size_t each = records / people;
    for (std::size_t person = 0; person < people;) {
      Batch batch = activity_.batch(region_);
      for (; person < people && batch.records() + each <= records_per_commit; ++person)
        for (std::size_t record = 0; record < each; ++record)
          must(batch.put(subjects_[person], RecordName(record_name(record)),
                         value_of(person * each + record, value_bytes), options));
      must(activity_.commit(std::move(batch)));
    }
  }

  // What loading left to do for the disk and the caches is not part of what is measured: a million
  // records drive out of the caches what a thousand leave there, so that all begin with cold ones.
  void settle() {
    for (int i = 0; i < 5; ++i)
      must(tenant_.erase(must(tenant_.enrol(SubjectId("passer-by"), region_))));
    must(store_.maintain(no_re_keying()));
    for (std::size_t at = 0; at < other_.size(); at += 64) ++other_[at];
    benchmark::DoNotOptimize(other_.data());
  }

  TimedRootKeys root_keys_;
  Store store_;
  Region region_;
  Tenant tenant_;
  Purpose purpose_;
  Activity activity_;
  std::vector<Subject> subjects_;
  std::vector<char> other_ = std::vector<char>(std::size_t{256} << 20);  // More than any cache.
  std::map<std::size_t, std::vector<Seconds>> expired_;                  // By records.
};

World& world() {
  static World all;
  return all;
}

void destroy_day(benchmark::State& state) {
  static std::map<std::size_t, std::size_t> done;
  const auto records = static_cast<std::size_t>(state.range(0));
  for ([[maybe_unused]] auto _ : state)
    state.SetIterationTime(world().day(records, done[records]++).destruction);
}

void sweep_day(benchmark::State& state) {
  static std::map<std::size_t, std::size_t> done;
  const auto records = static_cast<std::size_t>(state.range(0));
  for ([[maybe_unused]] auto _ : state)
    state.SetIterationTime(world().day(records, done[records]++).sweep);
}

}  // namespace

void register_benchmarks() {
  const auto add = [](const char* name, void (*body)(benchmark::State&), const Size& size) {
    benchmark::RegisterBenchmark(name, body)
        ->Arg(static_cast<std::int64_t>(size.records))
        ->Iterations(1)
        ->Repetitions(size.days)
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  };
  for (const Size& size : sizes()) {
    add("expiry", destroy_day, size);
    add("expiry_sweep", sweep_day, size);
  }
}

}  // namespace efface::bench
