// How much larger are the files than those of plain LMDB, and what does a person cost in the
// keyring?
//
// Incompressible values; 100 records a person, 1,000 records or 1,000 people a commit. Counted are
// the whole files, free pages, keyring and all.
#include <benchmark/benchmark.h>

#include <string>

#include "support/must.h"
#include "support/people.h"
#include "support/plan.h"
#include "support/raw_lmdb.h"

namespace efface::bench {
namespace {

constexpr std::size_t records_each = 100;
constexpr std::size_t people_per_commit = 10;
constexpr std::size_t enrolled_per_commit = 1'000;

std::size_t loaded_people() { return full_or_quick<std::size_t>(2'000, 200); }
std::size_t enrolled_people() { return full_or_quick<std::size_t>(200'000, 20'000); }

void size_of_store(benchmark::State& state) {
  const auto value_bytes = static_cast<std::size_t>(state.range(0));
  for ([[maybe_unused]] auto _ : state) {
    const People people("size-" + std::to_string(value_bytes));
    const std::vector<Subject> subjects = people.enrol(0, loaded_people());
    for (std::size_t first = 0; first < subjects.size(); first += people_per_commit) {
      Batch batch = people.activity().batch(people.region());
      for (std::size_t person = first; person < first + people_per_commit; ++person)
        for (std::size_t record = 0; record < records_each; ++record)
          must(batch.put(subjects[person], RecordName(record_name(record)),
                         value_of(person * records_each + record, value_bytes)));
      must(people.activity().commit(std::move(batch)));
    }
    const RegionStats stats = people.stats();
    state.counters["bytes"] =
        static_cast<double>(stats.records_file_bytes + stats.keyring_file_bytes);
  }
}

void size_of_lmdb(benchmark::State& state) {
  const auto value_bytes = static_cast<std::size_t>(state.range(0));
  for ([[maybe_unused]] auto _ : state) {
    const RawLmdb raw("size-" + std::to_string(value_bytes));
    for (std::size_t first = 0; first < loaded_people(); first += people_per_commit) {
      RawWrite write(raw);
      for (std::size_t person = first; person < first + people_per_commit; ++person)
        for (std::size_t record = 0; record < records_each; ++record)
          write.put(raw_key(person, record), value_of(person * records_each + record, value_bytes));
      write.commit();
    }
    state.counters["bytes"] = static_cast<double>(raw.file_bytes());
  }
}

void size_of_keyring(benchmark::State& state) {
  const auto n = static_cast<double>(enrolled_people());
  for ([[maybe_unused]] auto _ : state) {
    const People people("size-keyring");
    for (std::size_t first = 0; first < enrolled_people(); first += enrolled_per_commit)
      people.enrol(first, enrolled_per_commit);
    const RegionStats stats = people.stats();
    state.counters["bytes"] = static_cast<double>(stats.keyring_file_bytes) / n;
    state.counters["used_bytes"] = static_cast<double>(stats.keyring_used_bytes) / n;
  }
}

}  // namespace

void register_benchmarks() {
  const auto add = [](const char* name, void (*body)(benchmark::State&)) {
    return benchmark::RegisterBenchmark(name, body)
        ->Iterations(1)
        ->Repetitions(1)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  add("size", size_of_store)->Arg(200)->Arg(1000);
  add("lmdb_size", size_of_lmdb)->Arg(200)->Arg(1000);
  add("keyring_size", size_of_keyring);
}

}  // namespace efface::bench
