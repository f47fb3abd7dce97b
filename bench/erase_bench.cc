// Does erasing depend on how much the person has? And what does one durable erasure cost beside one
// durable put of plain LMDB?
//
// One store holds everybody: a crowd, and among it people with 1 to 1M records of 20 B. They are
// erased in random order. Beside it, plain LMDB deletes the same records of the same people, one
// transaction a person, and puts single values of 200 B; the bytes that it deletes stay in its
// file.
#include <benchmark/benchmark.h>

#include <chrono>
#include <map>
#include <string>

#include "support/must.h"
#include "support/people.h"
#include "support/plan.h"
#include "support/raw_lmdb.h"

namespace efface::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t small_value_bytes = 20;
constexpr std::size_t value_bytes = 200;

struct Size {
  std::size_t records;
  int people;  // As many are erased.
};

std::vector<Size> sizes() {
  if (is_quick()) return {{1, 9}, {10, 9}, {100, 9}, {1'000, 9}, {10'000, 7}};
  return {{1, 21}, {10, 21}, {100, 21}, {1'000, 21}, {10'000, 21}, {100'000, 11}, {1'000'000, 5}};
}

std::size_t crowd() { return full_or_quick<std::size_t>(1'000'000, 10'000); }
int single_repetitions() { return full_or_quick(151, 25); }

struct World {
  People people{"erase"};
  RawLmdb raw{"erase"};
  std::map<std::size_t, std::vector<std::uint64_t>> waiting;  // By records: who is still there.
  std::uint64_t next_of_crowd = 0;
  std::uint64_t next_raw = 0;

  World() {
    people.enrol(0, crowd());
    std::uint64_t person = crowd();
    for (const Size& size : sizes()) {
      for (int i = 0; i < size.people; ++i, ++person) {
        const Subject subject = std::move(people.enrol(person, 1).front());
        people.load(subject, 0, size.records, small_value_bytes);
        raw.load(person, 0, size.records, small_value_bytes);
        waiting[size.records].push_back(person);
      }
    }
  }

  Subject find(std::uint64_t person) const {
    return must(people.tenant().subject(SubjectId(person_id(person))));
  }
};

World& world() {
  static World all;
  return all;
}

template <class Body>
void timed(benchmark::State& state, Body&& body) {
  const auto begin = Clock::now();
  body();
  state.SetIterationTime(std::chrono::duration<double>(Clock::now() - begin).count());
}

void erase(World& w, benchmark::State& state, std::uint64_t person) {
  Subject subject = w.find(person);
  timed(state, [&] {
    if (must(w.people.tenant().erase(std::move(subject))).erased != 1) give_up("erase", "nobody");
  });
}

void erase_of_size(benchmark::State& state) {
  World& w = world();
  const auto records = static_cast<std::size_t>(state.range(0));
  for ([[maybe_unused]] auto _ : state) {
    const std::uint64_t person = w.waiting[records].back();
    w.waiting[records].pop_back();
    erase(w, state, person);
  }
}

// The people are those that erase_of_size takes, from the other end: neither store knows the other.
void delete_of_size(benchmark::State& state) {
  World& w = world();
  const auto records = static_cast<std::size_t>(state.range(0));
  static std::map<std::size_t, std::uint64_t> done;
  std::uint64_t first = crowd();
  for (const Size& size : sizes()) {
    if (size.records == records) break;
    first += static_cast<std::uint64_t>(size.people);
  }
  for ([[maybe_unused]] auto _ : state) {
    const std::uint64_t person = first + done[records]++;
    timed(state, [&] {
      if (w.raw.remove_durably(person) != records) give_up("delete", "another number of records");
    });
  }
}

void erase_one_of_the_crowd(benchmark::State& state) {
  World& w = world();
  for ([[maybe_unused]] auto _ : state) erase(w, state, scrambled(w.next_of_crowd++) % crowd());
}

void put_one_in_lmdb(benchmark::State& state) {
  World& w = world();
  for ([[maybe_unused]] auto _ : state) {
    const RawKey key = raw_key(w.next_raw, 0);
    const Bytes value = value_of(w.next_raw++, value_bytes);
    timed(state, [&] { w.raw.put_durably(key, value); });
  }
}

}  // namespace

void register_benchmarks() {
  const auto add = [](const std::string& name, void (*body)(benchmark::State&), int repetitions) {
    return benchmark::RegisterBenchmark(name.c_str(), body)
        ->Iterations(1)
        ->Repetitions(repetitions)
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  };
  for (const Size& size : sizes()) {
    const auto records = static_cast<std::int64_t>(size.records);
    add("erase", erase_of_size, size.people)->Arg(records);
    add("lmdb_delete", delete_of_size, size.people)->Arg(records);
  }
  add("erase_one", erase_one_of_the_crowd, single_repetitions());
  add("lmdb_put", put_one_in_lmdb, single_repetitions());
}

}  // namespace efface::bench
