// How fast are durable puts of 200 B, 1,000 a commit, beside plain LMDB? Do single puts by several
// threads at once share their commits? And what is it worth not to wait for them?
//
// Both databases hold the same records to begin with; each put is a new record of a random person.
#include <benchmark/benchmark.h>

#include <atomic>

#include "support/must.h"
#include "support/people.h"
#include "support/plan.h"
#include "support/raw_lmdb.h"

namespace efface::bench {
namespace {

constexpr std::size_t value_bytes = 200;
constexpr std::size_t records_each = 100;  // To begin with.
constexpr std::int64_t records_per_commit = 1'000;

std::size_t people_count() { return full_or_quick<std::size_t>(10'000, 500); }

struct World {
  People people{"put"};
  RawLmdb raw{"put"};
  std::vector<Subject> subjects = people.enrol(0, people_count());
  std::atomic<std::uint64_t> puts{0};
  std::uint64_t raw_puts = 0;

  World() {
    Batch batch = people.activity().batch(people.region());
    for (std::uint64_t person = 0; person < subjects.size(); ++person) {
      for (std::uint64_t record = 0; record < records_each; ++record)
        must(batch.put(subjects[person], RecordName(record_name(record)),
                       value_of(person + record, value_bytes)));
      if (batch.records() < 20'000 && person + 1 < subjects.size()) continue;
      must(people.activity().commit(std::move(batch)));
      batch = people.activity().batch(people.region());
    }
    RawWrite write(raw);
    for (std::uint64_t person = 0; person < subjects.size(); ++person)
      for (std::uint64_t record = 0; record < records_each; ++record)
        write.put(raw_key(person, record), value_of(person + record, value_bytes));
    write.commit();
  }

  std::uint64_t person_of(std::uint64_t put) const { return scrambled(put) % subjects.size(); }
};

World& world() {
  static World all;
  return all;
}

void put_1000(benchmark::State& state) {
  World& w = world();
  for ([[maybe_unused]] auto _ : state) {
    Batch batch = w.people.activity().batch(w.people.region());
    for (std::int64_t i = 0; i < records_per_commit; ++i) {
      const std::uint64_t put = w.puts++;
      must(batch.put(w.subjects[w.person_of(put)], RecordName(record_name(records_each + put)),
                     value_of(put, value_bytes)));
    }
    must(w.people.activity().commit(std::move(batch)));
  }
  state.SetItemsProcessed(state.iterations() * records_per_commit);
}

void lmdb_put_1000(benchmark::State& state) {
  World& w = world();
  for ([[maybe_unused]] auto _ : state) {
    RawWrite write(w.raw);
    for (std::int64_t i = 0; i < records_per_commit; ++i) {
      const std::uint64_t put = w.raw_puts++;
      write.put(raw_key(w.person_of(put), records_each + put), value_of(put, value_bytes));
    }
    write.commit();
  }
  state.SetItemsProcessed(state.iterations() * records_per_commit);
}

void put_one(benchmark::State& state) {
  World& w = world();
  for ([[maybe_unused]] auto _ : state) {
    const std::uint64_t put = w.puts++;
    must(w.people.activity().put(w.subjects[w.person_of(put)],
                                 RecordName(record_name(records_each + put)),
                                 value_of(put, value_bytes)));
  }
  state.SetItemsProcessed(state.iterations());
}

// Until all of them are on disk: whoever finds no room commits, and each thread syncs in the end.
void put_relaxed(benchmark::State& state) {
  World& w = world();
  PutOptions options;
  options.durability = Durability::relaxed;
  std::int64_t left = static_cast<std::int64_t>(state.max_iterations);
  for ([[maybe_unused]] auto _ : state) {
    const std::uint64_t put = w.puts++;
    must(w.people.activity().put(w.subjects[w.person_of(put)],
                                 RecordName(record_name(records_each + put)),
                                 value_of(put, value_bytes), options));
    if (--left == 0) must(w.people.store().sync());
  }
  state.SetItemsProcessed(state.iterations());
}

void lmdb_put_one(benchmark::State& state) {
  World& w = world();
  for ([[maybe_unused]] auto _ : state) {
    const std::uint64_t put = w.raw_puts++;
    w.raw.put_durably(raw_key(w.person_of(put), records_each + put), value_of(put, value_bytes));
  }
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

void register_benchmarks() {
  const auto add = [](const char* name, void (*body)(benchmark::State&), int iterations) {
    return benchmark::RegisterBenchmark(name, body)
        ->Iterations(iterations)
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  };
  const int commits = full_or_quick(10, 3);
  const int singles = full_or_quick(100, 25);
  add("put_1000", put_1000, commits);
  add("lmdb_put_1000", lmdb_put_1000, commits);
  add("put_one", put_one, singles)->Threads(1)->Threads(8);
  add("put_relaxed", put_relaxed, full_or_quick(10'000, 500))->Threads(1)->Threads(8);
  add("lmdb_put_one", lmdb_put_one, singles);
}

}  // namespace efface::bench
