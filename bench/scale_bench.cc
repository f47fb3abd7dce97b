// What grows with the number of people?
//
// Stores of 10,000 to 1M people with one purpose each, and 10,000 of the people with a record:
// enrolling, opening, a first read of somebody, one durable erasure, "everyone with this purpose"
// counted, the size of the keyring and the memory that a store takes when it is opened.
// EFFACE_BENCH_PEOPLE_MAX: another largest number, as 10000000.
// EFFACE_BENCH_RECORDS_EACH: everybody has that many records.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "support/data.h"
#include "support/must.h"
#include "support/people.h"
#include "support/plan.h"

namespace efface::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t with_record = 10'000;
constexpr std::size_t value_bytes = 200;
constexpr int opens = 11;
constexpr int singles = 25;
constexpr int counts = 5;

std::size_t number_from(const char* variable, std::size_t otherwise) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return otherwise;
  const std::string_view digits = text;
  std::size_t number = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  if (end != digits.data() + digits.size()) give_up(variable, "is not a number");
  return number;
}

std::size_t people_max() {
  return number_from("EFFACE_BENCH_PEOPLE_MAX", full_or_quick<std::size_t>(1'000'000, 20'000));
}
std::size_t records_each() { return number_from("EFFACE_BENCH_RECORDS_EACH", 0); }

// On the heap, in use.
double heap_bytes() {
  const struct mallinfo2 heap = ::mallinfo2();
  return static_cast<double>(heap.uordblks + heap.hblkhd);
}

class Crowd {
 public:
  explicit Crowd(std::size_t n) : label_("scale-" + std::to_string(n)), order_(shuffled(n)) {
    people_ = std::make_unique<People>(label_);
    const auto begin = Clock::now();
    for (std::size_t first = 0; first < n; first += limits::subjects_per_call_max)
      people_->enrol(first, std::min(n - first, limits::subjects_per_call_max));
    enrolled_ = (Clock::now() - begin) / static_cast<double>(n);
    load(n);
  }

  // A store that was closed: how long until somebody of it can be served.
  Seconds open_again() {
    people_.reset();
    const double before = heap_bytes();
    const auto begin = Clock::now();
    people_ = std::make_unique<People>(label_, People::existing);
    const Seconds took = Clock::now() - begin;
    memory_bytes = heap_bytes() - before + static_cast<double>(people_->locked_bytes());
    return took;
  }

  Seconds erase_one() {
    Subject subject = find(order_.at(order_.size() - 1 - erased_++));
    const auto begin = Clock::now();
    if (must(people_->tenant().erase(std::move(subject))).erased != 1) give_up("erase", "nobody");
    return Clock::now() - begin;
  }

  // Of somebody whose keys are not cached, as far as there is anybody.
  Seconds read_one() {
    const std::uint32_t person = order_.at(read_++ % holders());
    bool found = false;
    const auto begin = Clock::now();
    const Subject subject = find(person);
    found = must(people_->activity().visit(subject, RecordName(record_name(0)), [](Bytes) {}));
    const Seconds took = Clock::now() - begin;
    if (!found) give_up("read", "it is not there");
    return took;
  }

  Seconds count() {
    Query query;
    query.purpose = people_->activity().purpose();
    const auto begin = Clock::now();
    const std::uint64_t found = must(people_->tenant().count(query));
    const Seconds took = Clock::now() - begin;
    if (found != order_.size() - erased_) give_up("count", "another number of people");
    return took;
  }

  Seconds enrolled() const { return enrolled_; }
  RegionStats stats() const { return people_->stats(); }
  double memory_bytes = 0;

 private:
  std::size_t holders() const { return std::min(with_record, order_.size() / 2); }
  Subject find(std::uint64_t person) const {
    return must(people_->tenant().subject(SubjectId(person_id(person))));
  }

  void load(std::size_t n) {
    constexpr std::size_t records_per_commit = 50'000;
    Batch batch = people_->activity().batch(people_->region());
    const auto put = [&](std::uint64_t person, std::size_t records) {
      const Subject subject = find(person);
      for (std::size_t record = 0; record < records; ++record)
        must(batch.put(subject, RecordName(record_name(record)),
                       value_of(person + record, value_bytes)));
      if (batch.records() < records_per_commit) return;
      must(people_->activity().commit(std::move(batch)));
      batch = people_->activity().batch(people_->region());
    };
    if (records_each() > 0) {
      for (std::uint64_t person = 0; person < n; ++person) put(person, records_each());
    } else {
      for (std::size_t i = 0; i < holders(); ++i) put(order_[i], 1);
    }
    must(people_->activity().commit(std::move(batch)));
  }

  std::string label_;
  std::vector<std::uint32_t> order_;
  std::unique_ptr<People> people_;
  Seconds enrolled_{0};
  std::size_t erased_ = 0;
  std::size_t read_ = 0;
};

Crowd& crowd_of(std::int64_t n) {
  static std::map<std::int64_t, Crowd> all;
  return all.try_emplace(n, static_cast<std::size_t>(n)).first->second;
}

template <class Body>
void measure(benchmark::State& state, Body&& body) {
  Crowd& crowd = crowd_of(state.range(0));
  for ([[maybe_unused]] auto _ : state) state.SetIterationTime(body(crowd).count());
}

void enrol(benchmark::State& state) {
  measure(state, [](Crowd& crowd) { return crowd.enrolled(); });
}
void open(benchmark::State& state) {
  measure(state, [](Crowd& crowd) { return crowd.open_again(); });
  state.counters["memory_bytes"] = crowd_of(state.range(0)).memory_bytes;
}
void erase(benchmark::State& state) {
  measure(state, [](Crowd& crowd) { return crowd.erase_one(); });
}
void read(benchmark::State& state) {
  measure(state, [](Crowd& crowd) { return crowd.read_one(); });
}
void count(benchmark::State& state) {
  measure(state, [](Crowd& crowd) { return crowd.count(); });
}
void size(benchmark::State& state) {
  const RegionStats stats = crowd_of(state.range(0)).stats();
  for ([[maybe_unused]] auto _ : state) state.SetIterationTime(1);
  state.counters["bytes"] = static_cast<double>(stats.keyring_file_bytes);
  state.counters["records_bytes"] = static_cast<double>(stats.records_file_bytes);
}

}  // namespace

void register_benchmarks() {
  const auto add = [](const char* name, void (*body)(benchmark::State&), std::int64_t people,
                      int repetitions) {
    benchmark::RegisterBenchmark(name, body)
        ->Arg(people)
        ->Iterations(1)
        ->Repetitions(repetitions)
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  };
  for (std::int64_t people = full_or_quick(10'000, 2'000);
       people <= static_cast<std::int64_t>(people_max()); people *= 10) {
    add("scale_enrol", enrol, people, 1);
    add("scale_open", open, people, opens);
    add("scale_erase", erase, people, singles);
    add("scale_read", read, people, singles * 4);
    add("scale_count", count, people, counts);
    add("scale_size", size, people, 1);
  }
}

}  // namespace efface::bench
