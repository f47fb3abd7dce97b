// How long do the four roles of GDPRbench take, and is every answer right?
//
// Linked with one database. Each role begins with a fresh load. Its operations are timed one by
// one, and checked, untimed, against a model. A role that takes longer than its limit is broken
// off: roles are compared by the time of as many operations as both did ("s100": of 100).
// EFFACE_GDPRBENCH_SECONDS: another limit.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "gdprbench/database.h"
#include "support/must.h"
#include "support/plan.h"

namespace efface::bench::gdpr {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t load_commit = 10'000;

Seconds limit() {
  const char* const text = std::getenv("EFFACE_GDPRBENCH_SECONDS");
  return Seconds(text != nullptr ? std::strtod(text, nullptr) : full_or_quick(3.0, 0.2));
}

// What every record is, without a database.
class Model {
 public:
  Model() {
    for (std::uint32_t key = 0; key < record_count(); ++key) put(row_of(key));
  }

  void put(const Row& row) {
    if (row.key >= records_.size()) records_.resize(row.key + 1);
    records_[row.key] = {row.values, true};
  }
  bool remove(std::uint32_t key) { return key < records_.size() && take(records_[key]); }
  bool is_there(std::uint32_t key) const { return key < records_.size() && records_[key].there; }
  bool is_right(const Row& row) const {
    return is_there(row.key) && records_[row.key].values == row.values &&
           row.data == row_of(row.key).data;
  }

  template <class Change>
  std::size_t each_where(Field where, std::uint32_t value, Change&& change) {
    std::size_t found = 0;
    for (Record& record : records_) {
      if (!record.there || of(record.values, where) != value) continue;
      ++found;
      change(record);
    }
    return found;
  }
  std::size_t count_where(Field where, std::uint32_t value) {
    return each_where(where, value, [](const auto&) {});
  }
  std::size_t update_where(const Step& step) {
    return each_where(step.where, step.value, [&](auto& record) {
      record.values[static_cast<std::size_t>(step.field)] = step.to;
    });
  }
  std::size_t remove_where(Field where, std::uint32_t value) {
    return each_where(where, value, [](auto& record) { record.there = false; });
  }

 private:
  struct Record {
    Values values{};
    bool there = false;
  };
  static bool take(Record& record) { return std::exchange(record.there, false); }

  std::vector<Record> records_;
};

// Does it, takes the time of it, and answers whether the answer was right.
class Runner {
  template <class Body>
  auto timed(Body&& body) {
    struct Timer {
      ~Timer() { spent += Clock::now() - begin; }
      Seconds& spent;
      Clock::time_point begin = Clock::now();
    } timer{spent_};
    return body();
  }

 public:
  explicit Runner(Database& database) : database_(database) {}

  bool run(const Step& step) {
    switch (step.what) {
      case Do::insert: {
        const Row row = row_of(step.key);
        timed([&] { database_.insert(row); });
        model_.put(row);
        return true;
      }
      case Do::read:
      case Do::verify_deletion: {
        const auto found = timed([&] { return database_.read(step.key); });
        return found ? model_.is_right(*found) : !model_.is_there(step.key);
      }
      case Do::update: {
        const Row row = row_of(step.key);
        const bool was_there = model_.is_there(step.key);
        model_.put(row);
        return timed([&] { return database_.update(row); }) == was_there;
      }
      case Do::remove:
        return timed([&] { return database_.remove(step.key); }) == model_.remove(step.key);
      case Do::read_where: {
        const auto rows = timed([&] { return database_.read_where(step.where, step.value); });
        return rows.size() == model_.count_where(step.where, step.value) &&
               std::all_of(rows.begin(), rows.end(), [&](const Row& row) {
                 return of(row.values, step.where) == step.value && model_.is_right(row);
               });
      }
      case Do::update_where:
        return timed([&] {
                 return database_.update_where(step.where, step.value, step.field, step.to);
               }) == model_.update_where(step);
      case Do::remove_where:
        return timed([&] { return database_.remove_where(step.where, step.value); }) ==
               model_.remove_where(step.where, step.value);
      case Do::read_log:
        return timed([&] { return database_.read_log(step.lines); }) <= step.lines;
    }
    give_up("gdprbench", "an unknown step");
  }

  Seconds spent() const { return spent_; }

 private:
  Database& database_;
  Model model_;
  Seconds spent_{0};
};

void load(Database& database) {
  std::vector<Row> rows;
  for (std::uint32_t key = 0; key < record_count(); ++key) {
    rows.push_back(row_of(key));
    if (rows.size() < load_commit && key + 1 < record_count()) continue;
    database.load(rows);
    rows.clear();
  }
}

// 1, 2, 5, 10, 20 ...
bool is_mark(std::size_t count) {
  while (count % 10 == 0) count /= 10;
  return count == 1 || count == 2 || count == 5;
}

void run(benchmark::State& state, const Role& role, bool as_shipped) {
  for ([[maybe_unused]] auto _ : state) {
    const std::unique_ptr<Database> database = make_database(as_shipped);
    load(*database);
    state.counters["space"] = static_cast<double>(database->file_bytes()) /
                              static_cast<double>(record_count() * data_bytes);
    Runner runner(*database);
    std::size_t done = 0;
    std::size_t right = 0;
    for (const Step& step : steps_of(role)) {
      right += runner.run(step) ? 1U : 0U;
      ++done;
      if (is_mark(done))
        state.counters[std::string("s").append(std::to_string(done))] = runner.spent().count();
      if (runner.spent() > limit()) break;
    }
    state.counters["operations"] = static_cast<double>(done);
    state.counters["right"] = static_cast<double>(right) / static_cast<double>(done);
    state.SetIterationTime(runner.spent().count());
  }
}

}  // namespace
}  // namespace efface::bench::gdpr

namespace efface::bench {

void register_benchmarks() {
  const gdpr::Facts facts = gdpr::facts();
  benchmark::AddCustomContext("gdprbench " + facts.name, facts.model);
  for (const bool as_shipped : {false, true}) {
    if (as_shipped && !facts.has_as_shipped) continue;
    for (const gdpr::Role& role : gdpr::roles()) {
      if (as_shipped && std::string_view(role.mix) != "shipped") continue;
      const std::string name = std::string("gdprbench/") + role.name + "/" + role.mix + "/" +
                               facts.name + (as_shipped ? "_as_shipped" : "");
      const auto body = [&role, as_shipped](benchmark::State& state) {
        gdpr::run(state, role, as_shipped);
      };
      benchmark::RegisterBenchmark(name.c_str(), body)
          ->Iterations(1)
          ->Repetitions(1)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace efface::bench
