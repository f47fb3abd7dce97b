// How many people a second can be erased: many in one call, and by many threads at once?
//
// A store of 1M people. 1 to 100,000 of them, picked at random, are erased in one call; and single
// people by 1 to 64 threads, and by one while another puts records. Beside it plain LMDB deletes as
// many people as the largest call, of 100 records each, in one transaction and in the order of
// their keys; their bytes stay in its file.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "support/must.h"
#include "support/people.h"
#include "support/plan.h"
#include "support/raw_lmdb.h"

namespace efface::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int repetitions = 5;
constexpr int erasures_per_thread = 8;
constexpr std::uint64_t records_each = 100;
constexpr std::size_t value_bytes = 8;

std::size_t crowd() { return full_or_quick<std::size_t>(1'000'000, 15'000); }
std::int64_t largest() { return full_or_quick(100'000, 1'000); }

struct World {
  People people{"erase-rate"};
  std::vector<std::uint32_t> order = shuffled(crowd());
  std::atomic<std::size_t> next{0};

  World() { people.enrol(0, crowd()); }

  std::string take() { return person_id(order.at(next++)); }
};

World& world() {
  static World all;
  return all;
}

void erase_bulk(benchmark::State& state) {
  World& w = world();
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<std::string> names;
  std::vector<SubjectId> ids;
  while (names.size() < n) names.push_back(w.take());
  for (const std::string& text : names) ids.emplace_back(text);
  for ([[maybe_unused]] auto _ : state) {
    const auto begin = Clock::now();
    if (must(w.people.tenant().erase(ids)).erased != n) give_up("erase", "not everybody");
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - begin).count());
  }
}

void erase_by_threads(benchmark::State& state) {
  World& w = world();
  std::vector<Subject> subjects;
  for (int i = 0; i < erasures_per_thread; ++i)
    subjects.push_back(must(w.people.tenant().subject(SubjectId(w.take()))));
  for ([[maybe_unused]] auto _ : state) {
    if (must(w.people.tenant().erase(std::move(subjects.back()))).erased != 1)
      give_up("erase", "nobody");
    subjects.pop_back();
  }
}

// One by one, while another thread puts records of others, each durably.
void erase_under_load(benchmark::State& state) {
  World& w = world();
  constexpr std::size_t writers_people = 100;
  std::vector<Subject> others;
  while (others.size() < writers_people)
    others.push_back(must(w.people.tenant().subject(SubjectId(w.take()))));
  std::atomic<bool> ends{false};
  std::thread writer([&] {
    for (std::uint64_t put = 0; !ends; ++put)
      must(w.people.activity().put(others[put % others.size()], RecordName(record_name(put)),
                                   value_of(put, value_bytes)));
  });
  for ([[maybe_unused]] auto _ : state) {
    Subject subject = must(w.people.tenant().subject(SubjectId(w.take())));
    const auto begin = Clock::now();
    if (must(w.people.tenant().erase(std::move(subject))).erased != 1) give_up("erase", "nobody");
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  ends = true;
  writer.join();
}

// Everybody's records, in the order of their keys, as they are loaded fastest.
struct RawWorld {
  RawLmdb raw{"erase-rate"};
  std::vector<std::uint32_t> order = shuffled(crowd());
  std::size_t next = 0;

  RawWorld() {
    constexpr std::size_t people_per_commit = 50'000;
    std::vector<std::uint64_t> everybody(crowd());
    for (std::size_t i = 0; i < everybody.size(); ++i) everybody[i] = i;
    sort(everybody);
    for (std::size_t first = 0; first < everybody.size(); first += people_per_commit) {
      RawWrite write(raw);
      for (std::size_t i = first; i < std::min(first + people_per_commit, everybody.size()); ++i)
        put_all(write, everybody[i]);
      write.commit();
    }
  }

  static void sort(std::vector<std::uint64_t>& people) {
    std::sort(people.begin(), people.end(),
              [](std::uint64_t a, std::uint64_t b) { return raw_key(a, 0) < raw_key(b, 0); });
  }

 private:
  static void put_all(RawWrite& write, std::uint64_t person) {
    std::vector<RawKey> keys;
    for (std::uint64_t record = 0; record < records_each; ++record)
      keys.push_back(raw_key(person, record));
    std::sort(keys.begin(), keys.end());
    for (const RawKey& key : keys) write.put(key, value_of(person, value_bytes));
  }
};

void lmdb_delete_bulk(benchmark::State& state) {
  static RawWorld w;
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<std::uint64_t> people;
  while (people.size() < n) people.push_back(w.order.at(w.next++));
  RawWorld::sort(people);
  for ([[maybe_unused]] auto _ : state) {
    const auto begin = Clock::now();
    RawWrite write(w.raw);
    for (const std::uint64_t person : people)
      if (write.remove(person) != records_each) give_up("delete", "another number of records");
    write.commit();
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - begin).count());
  }
}

}  // namespace

void register_benchmarks() {
  const auto add = [](const char* name, void (*body)(benchmark::State&), int iterations) {
    return benchmark::RegisterBenchmark(name, body)
        ->Iterations(iterations)
        ->Repetitions(repetitions)
        ->Unit(benchmark::kMicrosecond);
  };
  for (std::int64_t people = 1; people <= largest(); people *= 10)
    add("erase_bulk", erase_bulk, 1)->Arg(people)->UseManualTime();
  add("lmdb_delete_bulk", lmdb_delete_bulk, 1)->Arg(largest())->UseManualTime();
  for (const int threads : {1, 2, 4, 8, 16, 32, 64})
    add("erase_threads", erase_by_threads, erasures_per_thread)->Threads(threads)->UseRealTime();
  add("erase_under_load", erase_under_load, 4 * erasures_per_thread)->UseManualTime();
}

}  // namespace efface::bench
