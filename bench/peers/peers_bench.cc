// What do a get, a put and an erasure take in one database, asked the same as all others?
//
// Linked with one peer. A crowd of people with 100 records of 200 B each stands there. A person
// with 1 to 100,000 such records joins them, and is erased until no file has her bytes; so are 100
// people at once. After it everything below scratch() is searched for what their values begin with.
// Before it the same search must find it, unless the peer encrypts.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <vector>

#include "peers/peer.h"
#include "support/files.h"
#include "support/must.h"
#include "support/plan.h"

namespace efface::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t value_bytes = 200;
constexpr std::uint64_t records_each = 100;
constexpr std::size_t load_commit = 10'000;
constexpr std::size_t put_commit = 1'000;

std::uint64_t crowd() { return full_or_quick<std::uint64_t>(2'000, 50); }

// What all values of a person begin with, and nobody else's.
using Mark = std::array<std::byte, 24>;
Mark mark_of(std::uint64_t person) {
  const std::uint64_t parts[] = {scrambled(~person), scrambled(person << 32), scrambled(person)};
  Mark mark;
  std::memcpy(mark.data(), parts, sizeof parts);
  return mark;
}

struct World {
  std::unique_ptr<Peer> peer = make_peer();
  std::string name = peer->facts().name;
  std::vector<std::uint32_t> order = shuffled(crowd() * records_each);
  std::uint64_t next_person = crowd();
  std::uint64_t puts = 0;

  World() {
    std::vector<Item> items;
    for (std::uint64_t person = 0; person < crowd(); ++person)
      for (std::uint64_t record = 0; record < records_each; ++record)
        add(items, {person, record, value_of(person * records_each + record, value_bytes)});
    put_all(items);
    peer->settle();
  }

  // A person whom nobody erased yet.
  std::uint64_t join(std::uint64_t records) {
    const std::uint64_t person = next_person++;
    const Mark mark = mark_of(person);
    std::vector<std::array<std::byte, value_bytes>> values(std::min(records, load_commit));
    std::vector<Item> items;
    for (std::uint64_t record = 0; record < records; ++record) {
      auto& value = values[record % load_commit];
      std::memcpy(value.data(), value_of(record, value_bytes).data(), value_bytes);
      std::memcpy(value.data(), mark.data(), mark.size());
      add(items, {person, record, value});
    }
    put_all(items);
    return person;
  }

 private:
  void add(std::vector<Item>& items, const Item& item) {
    items.push_back(item);
    if (items.size() == load_commit) put_all(items);
  }
  void put_all(std::vector<Item>& items) {
    if (!items.empty()) peer->put(items);
    items.clear();
  }
};

World& world() {
  static World all;
  return all;
}

void get(benchmark::State& state) {
  World& w = world();
  std::array<std::byte, value_bytes> copy{};
  std::size_t at = 0;
  for ([[maybe_unused]] auto _ : state) {
    at = at + 1 == w.order.size() ? 0 : at + 1;
    if (w.peer->get(w.order[at] / records_each, w.order[at] % records_each, copy) != value_bytes)
      give_up("get", "not what was put");
    benchmark::DoNotOptimize(copy);
  }
}

void put_1000(benchmark::State& state) {
  World& w = world();
  std::vector<Item> items(put_commit);
  for ([[maybe_unused]] auto _ : state) {
    for (Item& item : items) {
      const std::uint64_t put = w.puts++;
      item = {scrambled(put) % crowd(), records_each + put, value_of(put, value_bytes)};
    }
    w.peer->put(items);
  }
}

void must_be_there(World& w, std::uint64_t person, std::uint64_t records) {
  if (w.peer->count(person) != records) give_up("erase", "not everything was put");
  if (w.peer->facts().sealed.empty() && !is_in_a_file(scratch(), mark_of(person)))
    give_up("erase", "her bytes cannot be seen before it: that they are gone shows nothing");
}

void must_be_gone(World& w, std::uint64_t person) {
  if (is_in_a_file(scratch(), mark_of(person))) give_up("erase", "a file still has her bytes");
  if (w.peer->count(person) != 0) give_up("erase", "she is still there");
}

void erase(benchmark::State& state, std::size_t n, std::uint64_t records) {
  World& w = world();
  for ([[maybe_unused]] auto _ : state) {
    std::vector<std::uint64_t> people;
    while (people.size() < n) people.push_back(w.join(records));
    w.peer->settle();
    must_be_there(w, people.back(), records);
    ::sync();  // What their coming left to do for the disk is not measured.
    const auto begin = Clock::now();
    w.peer->erase(people);
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - begin).count());
    must_be_gone(w, people.front());
    must_be_gone(w, people.back());
  }
}

// One person with that many records.
void erase_one(benchmark::State& state) {
  erase(state, 1, static_cast<std::uint64_t>(state.range(0)));
}
// So many people at once, each with as many records as the crowd.
void erase_many(benchmark::State& state) {
  erase(state, static_cast<std::size_t>(state.range(0)), records_each);
}

void size(benchmark::State& state) {
  World& w = world();
  for ([[maybe_unused]] auto _ : state) {
    w.peer->settle();
    state.counters["bytes"] = static_cast<double>(bytes_below(scratch()));
  }
}

}  // namespace

void register_benchmarks() {
  const Facts facts = world().peer->facts();
  benchmark::AddCustomContext("peer " + facts.name + " version", facts.version);
  benchmark::AddCustomContext("peer " + facts.name + " settings", facts.settings);
  benchmark::AddCustomContext("peer " + facts.name + " sealed", facts.sealed);
  benchmark::AddCustomContext("peer " + facts.name + " erasing", facts.erasing);
  const auto add = [&](const char* what, void (*body)(benchmark::State&)) {
    return benchmark::RegisterBenchmark((facts.name + "/" + what).c_str(), body)
        ->Repetitions(1)
        ->Unit(benchmark::kMicrosecond);
  };
  world();
  add("size", size)->Iterations(1)->UseRealTime();
  add("get", get)->MinTime(full_or_quick(0.4, 0.02))->UseRealTime();
  add("put_1000", put_1000)->Iterations(full_or_quick(20, 2))->UseRealTime();
  const std::int64_t most = full_or_quick(100'000, 1'000);
  for (std::int64_t records = 1; records <= most; records *= 10)
    add("erase", erase_one)->Arg(records)->Iterations(1)->UseManualTime();
  add("erase_people", erase_many)->Arg(full_or_quick(100, 5))->Iterations(1)->UseManualTime();
}

}  // namespace efface::bench
