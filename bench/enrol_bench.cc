// Do people who are enrolled by several threads at once share their commits?
//
// Each enrolment is durable: a commit of the keyring, and one of the records.
#include <benchmark/benchmark.h>

#include <atomic>
#include <string>

#include "support/data.h"
#include "support/must.h"
#include "support/people.h"
#include "support/plan.h"

namespace efface::bench {
namespace {

std::size_t people_count() { return full_or_quick<std::size_t>(10'000, 500); }

struct World {
  People people{"enrol"};
  std::atomic<std::uint64_t> next{people_count()};

  World() { people.enrol(0, people_count()); }
};

World& world() {
  static World all;
  return all;
}

void enrol_one(benchmark::State& state) {
  World& w = world();
  for ([[maybe_unused]] auto _ : state) {
    const std::string id = person_id(w.next++);
    must(w.people.tenant().enrol(SubjectId(id), w.people.region()));
  }
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

void register_benchmarks() {
  benchmark::RegisterBenchmark("enrol_one", enrol_one)
      ->Iterations(full_or_quick(100, 25))
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond)
      ->Threads(1)
      ->Threads(8);
}

}  // namespace efface::bench
