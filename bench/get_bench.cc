// How fast is a sealed get of 200 B, the Subject held and its keys cached, beside a get of plain
// LMDB with a read transaction that is renewed each time? And do reads scale?
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>

#include "support/must.h"
#include "support/people.h"
#include "support/plan.h"
#include "support/raw_lmdb.h"

namespace efface::bench {
namespace {

constexpr std::size_t value_bytes = 200;
constexpr std::size_t records_each = 100;

std::size_t people_count() { return full_or_quick<std::size_t>(10'000, 500); }

struct World {
  People people{"get"};
  RawLmdb raw{"get"};
  std::vector<Subject> subjects = people.enrol(0, people_count());
  std::vector<std::string> names;
  std::vector<std::uint32_t> order = shuffled(people_count() * records_each);

  World() {
    for (std::size_t record = 0; record < records_each; ++record)
      names.push_back(record_name(record));
    Batch batch = people.activity().batch(people.region());
    for (std::size_t person = 0; person < subjects.size(); ++person) {
      raw_load(person);
      for (std::size_t record = 0; record < records_each; ++record)
        must(batch.put(subjects[person], RecordName(names[record]), value(person, record)));
      if (batch.records() < 20'000 && person + 1 < subjects.size()) continue;
      must(people.activity().commit(std::move(batch)));
      batch = people.activity().batch(people.region());
    }
    must(people.activity().commit(std::move(batch)));
    for (const Subject& subject : subjects)  // The keys of everybody are cached.
      must(people.activity().visit(subject, RecordName(names[0]), [](Bytes) {}));
  }

  static Bytes value(std::size_t person, std::size_t record) {
    return value_of(person * records_each + record, value_bytes);
  }
  void raw_load(std::size_t person) {
    if (person % 200 == 0) {
      RawWrite write(raw);
      for (std::size_t p = person; p < std::min(person + 200, subjects.size()); ++p)
        for (std::size_t record = 0; record < records_each; ++record)
          write.put(raw_key(p, record), value(p, record));
      write.commit();
    }
  }
};

World& world() {
  static World all;
  return all;
}

// Everything in an order of its own for each thread.
class Walk {
 public:
  Walk(const World& world, int thread)
      : world_(world), at_(static_cast<std::size_t>(thread) * world.order.size() / 3) {}
  void next() {
    at_ = at_ + 1 == world_.order.size() ? 0 : at_ + 1;
    person = world_.order[at_] / records_each;
    record = world_.order[at_] % records_each;
  }
  std::size_t person = 0;
  std::size_t record = 0;

 private:
  const World& world_;
  std::size_t at_;
};

void get(benchmark::State& state) {
  const World& w = world();
  Walk walk(w, state.thread_index());
  for ([[maybe_unused]] auto _ : state) {
    walk.next();
    const auto found =
        must(w.people.activity().get(w.subjects[walk.person], RecordName(w.names[walk.record])));
    if (!found || found->bytes().size() != value_bytes) give_up("get", "not what was put");
  }
  state.SetItemsProcessed(state.iterations());
}

void visit(benchmark::State& state) {
  const World& w = world();
  Walk walk(w, state.thread_index());
  std::array<std::byte, value_bytes> copy{};
  for ([[maybe_unused]] auto _ : state) {
    walk.next();
    const bool found = must(w.people.activity().visit(
        w.subjects[walk.person], RecordName(w.names[walk.record]),
        [&](Bytes value) { std::memcpy(copy.data(), value.data(), value_bytes); }));
    if (!found) give_up("visit", "not what was put");
    benchmark::DoNotOptimize(copy);
  }
  state.SetItemsProcessed(state.iterations());
}

void lmdb_get(benchmark::State& state) {
  const World& w = world();
  Walk walk(w, state.thread_index());
  RawReader reader(w.raw);
  std::array<std::byte, value_bytes> copy{};
  for ([[maybe_unused]] auto _ : state) {
    walk.next();
    if (reader.get(raw_key(walk.person, walk.record), copy) != value_bytes)
      give_up("lmdb_get", "not what was put");
    benchmark::DoNotOptimize(copy);
  }
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

void register_benchmarks() {
  benchmark::RegisterBenchmark("get", get)->Threads(1)->Threads(2)->UseRealTime();
  benchmark::RegisterBenchmark("visit", visit)->Threads(1)->Threads(2)->UseRealTime();
  benchmark::RegisterBenchmark("lmdb_get", lmdb_get)->Threads(1)->Threads(2)->UseRealTime();
}

}  // namespace efface::bench
