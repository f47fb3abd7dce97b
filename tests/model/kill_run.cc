#include "model/kill_run.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <thread>

#include "crash/checker.h"
#include "crash/trial.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

using What = Op::What;

constexpr std::uint64_t first_map_bytes = std::uint64_t{64} << 20;

Session::Universe universe() {
  return {{"acme"}, {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"}};
}

// Written by a child, read by its parent, whatever became of the child.
struct Life {
  Journal journal;
  std::atomic<std::size_t> at = 0;  // The step of the program that it has come to.
  std::atomic<std::size_t> readings = 0;
  std::atomic<std::size_t> growths = 0;
};

// What the steps from one on do to a store that holds so much. Before them is done again what takes
// several commits and was cut, as include/efface/store.h says.
struct Course {
  std::vector<Op> ops;
  std::vector<std::size_t> at;  // The step of each.
  std::vector<Model> models;    // Before each, and after the last.
};
Course course(const Program& program, std::size_t from, const Model& start,
              const std::optional<Op>& again) {
  Course out;
  out.models.push_back(start);
  const auto add = [&](const Op& op, std::size_t at) {
    out.ops.push_back(op);
    out.at.push_back(at);
    out.models.push_back(stages(op, out.models.back()).back());
  };
  if (again) add(*again, from);
  for (std::size_t i = from; i < program.size(); ++i) {
    if (program[i].what == Step::What::kill) continue;
    if (const auto op = operation_of(program[i], out.models.back())) add(*op, i);
  }
  return out;
}

std::optional<Op> what_mends(Op cut) {
  switch (cut.what) {
    case What::suppress:
      return cut;
    case What::enrol:
    case What::put_new:
      cut.what = What::enrol_many;
      return cut;
    default:
      return std::nullopt;
  }
}

// Reads anybody's records while operations go on.
class Reader {
 public:
  Reader(const Store& store, const Course& course, Life& life)
      : store_(store), course_(course), life_(life), thread_([this] { read(); }) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    stop_ = true;
    thread_.join();
  }

 private:
  using Value = std::optional<std::string>;
  struct Place {
    std::string id;
    std::pair<std::string, std::string> record;  // Its purpose and name.
  };

  void read() {
    std::mt19937_64 random(life_.journal.begun);
    while (!stop_) {
      const Place place{
          "p" + std::to_string(random() % universe().ids.size()),
          {random() % 2 == 0 ? "ratings" : "mail", "n" + std::to_string(random() % 3)}};
      const std::size_t from = life_.journal.ended;
      const Value seen = see(place);
      const std::size_t until = life_.journal.begun;
      ++life_.readings;
      if (!allows(place, seen, from, until))
        return life_.journal.find(description(seen, from, until));
    }
  }

  // Absence, or an error that says the same, is nothing.
  Value see(const Place& place) {
    const auto tenant = store_.tenant("acme", Actor("test"));
    if (!tenant) return nothing(tenant.error());
    const auto activity = tenant->activity(tenant->purpose(place.record.first).value());
    if (!activity) return nothing(activity.error());
    const auto subject = tenant->subject(SubjectId(place.id));
    if (!subject) return nothing(subject.error());
    const auto got = activity->get(*subject, RecordName(place.record.second));
    if (!got) return nothing(got.error());
    if (!*got) return std::nullopt;
    return text_of_value(as_text((**got).bytes()));
  }

  Value nothing(const Error& error) {
    switch (error.code()) {
      case Errc::subject_unknown:
      case Errc::subject_erased:
      case Errc::suppressed:
      case Errc::purpose_not_permitted:  // Another purpose has one of that name.
        break;
      default:
        life_.journal.find(std::string("a reader is refused: ") + name(error.code()));
    }
    return std::nullopt;
  }

  bool allows(const Place& place, const Value& seen, std::size_t from, std::size_t until) const {
    const auto is_seen = [&](const Model& model) {
      const auto& people = model.tenants.at("acme").people;
      const auto her = people.find(place.id);
      if (her == people.end()) return !seen;
      const auto at = her->second.records.find(place.record);
      return (at == her->second.records.end() ? Value() : Value(at->second)) == seen;
    };
    if (is_seen(course_.models[from])) return true;
    for (std::size_t i = from; i < until; ++i) {
      const Op& op = course_.ops[i];
      if (std::ranges::any_of(stages(op, course_.models[i]), is_seen)) return true;
      // A Subject of before a transfer is of nobody any more.
      if (!seen && op.what == What::transfer && op.ids.front() == place.id) return true;
    }
    return false;
  }

  std::string description(const Value& seen, std::size_t from, std::size_t until) const {
    std::string out = seen ? "a reader sees a value" : "a reader sees nothing";
    out += " where that never was while it read; meanwhile:";
    for (std::size_t i = from; i < until; ++i) out += " " + std::string(name(course_.ops[i].what));
    return out;
  }

  const Store& store_;
  const Course& course_;
  Life& life_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class Run {
 public:
  Run(const Program& program, Disk disk) : program_(program), disk_(disk) {
    void* shared =
        ::mmap(nullptr, sizeof(Life), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) std::abort();
    life_ = new (shared) Life;
    place_.home = home_.path();
    place_.regions = {"eu", "us"};
    known_.possible.emplace_back();
    for (const Op& op : beginning())
      known_.possible.front() = stages(op, known_.possible.front()).back();
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() { ::munmap(life_, sizeof(Life)); }

  Ran run() {
    const int made = in_child([&] {
      Session session(place_);
      for (const Op& op : beginning())
        if (session.perform(op)) _exit(1);
    });
    if (made != 0) ran_.finding = "the store cannot be made";
    for (std::size_t next = 0; next < program_.size() && !ran_.finding;) next = live(next);
    if (!ran_.finding) check();
    return ran_;
  }

 private:
  // Answers the step that the next life begins with.
  std::size_t live(std::size_t from) {
    life_ = new (life_) Life;
    life_->at = from;
    const int status = in_child([&] { be_child(from); });
    const Journal& journal = life_->journal;
    ran_.readings += life_->readings;
    ran_.growths += life_->growths;
    ran_.operations += journal.ended;
    if (journal.report[0] != '\0')
      ran_.finding = journal.report.data();
    else if (status != 0 && status != stopped_status && status != untorn_status)
      ran_.finding = "a life ends with " + std::to_string(status);
    if (ran_.finding) return program_.size();
    learn_of(from);
    if (status == 0) return program_.size();
    ++ran_.kills;
    ran_.cut += journal.begun - journal.ended;
    ran_.opening += journal.chosen == 0 ? 1 : 0;
    return life_->at + 1;
  }

  void learn_of(std::size_t from) {
    const Journal& journal = life_->journal;
    if (journal.chosen == 0) return;  // Killed before it knew.
    known_.possible = {Model(known_.possible.at(journal.chosen - 1))};
    const Course all = course(program_, from, known_.possible.front(), again_);
    known_ = learn(known_, all.ops, journal);
    again_.reset();
    if (journal.begun > journal.ended) again_ = what_mends(all.ops[journal.ended]);
    for (std::size_t i = 0; i < journal.ended; ++i)
      ran_.erasures += is_erasure(all.ops[i].what) ? 1 : 0;
    for (const Doomed& one : known_.doomed)
      if (one.acknowledged &&
          holds_key(raw_root_key_file(place_.root_key(one.region.data())), one.slot.key))
        ran_.finding = "the root key file holds a key that an acknowledged erasure destroyed";
  }

  [[noreturn]] void fail(std::string_view what) {
    life_->journal.find(what);
    _exit(1);
  }

  void obey(const Step& kill) {
    const bool lies = disk_ == Disk::lies;
    arm({.at = kill.after, .then = lies ? Then::power_loss : kill.then, .syncs_lost = lies});
  }

  void be_child(std::size_t from) {
    Session session(place_);
    std::size_t next = from;
    for (; next < program_.size() && program_[next].what == Step::What::kill; ++next) {
      life_->at = next;
      obey(program_[next]);
    }
    if (const auto failed = session.open())
      fail(std::string("the store does not open: ") + name(failed->code()));
    Journal& journal = life_->journal;
    const std::size_t chosen = find(session, known_.possible);
    journal.chosen = static_cast<std::uint32_t>(chosen) + 1;
    const Course all = course(program_, from, known_.possible[chosen], again_);
    auto reader = std::make_unique<Reader>(session.store(), all, *life_);
    for (std::size_t i = 0; i < all.ops.size(); ++i) {
      for (; next <= all.at[i]; ++next) {
        life_->at = next;
        if (program_[next].what == Step::What::kill) obey(program_[next]);
      }
      if (all.ops[i].what == What::reopen) reader.reset();
      perform(session, all.ops[i], journal.entries.at(i));
      if (reader) continue;
      find(session, {&all.models[i + 1], 1});
      reader = std::make_unique<Reader>(session.store(), all, *life_);
    }
    reader.reset();
    find(session, {&all.models.back(), 1});
    disarm();
    life_->at = program_.size();
  }

  std::size_t find(Session& session, std::span<const Model> possible) {
    const auto observed = session.observe(universe());
    if (!observed) fail(std::string("the store does not read: ") + name(observed.error().code()));
    const auto at = std::ranges::find(possible, *observed);
    if (at == possible.end()) fail("the store does not hold what the model says");
    return static_cast<std::size_t>(at - possible.begin());
  }

  void perform(Session& session, const Op& op, Outcome& entry) {
    if (is_erasure(op.what)) {
      std::size_t next = 0;
      for (const auto& [region, slot] : session.in_force()) {
        Doomed& one = entry.doomed.at(next++);
        region.copy(one.region.data(), one.region.size() - 1);
        one.slot = slot;
      }
    }
    ++life_->journal.begun;
    if (const auto failed = session.perform(op))
      fail(std::string(name(op.what)) + " fails: " + name(failed->code()) + " (" + failed->note() +
           ")");
    for (Doomed& one : entry.doomed)
      for (const Erasure::InRegion& region : session.ended())
        one.acknowledged = one.acknowledged || region.region == one.region.data();
    ++life_->journal.ended;
    const auto stats = session.store().stats();
    if (stats && std::ranges::any_of(stats->regions, [](const RegionStats& region) {
          return region.records_used_bytes > first_map_bytes;
        }))
      life_->growths = 1;
  }

  void check() {
    life_ = new (life_) Life;
    Journal& journal = life_->journal;
    const int status = in_child([&] {
      Checker checker(place_, universe(), std::nullopt);
      if (const auto found = checker.check(known_)) journal.find(*found);
    });
    if (status != 0) ran_.finding = "checking ends with " + std::to_string(status);
    if (journal.report[0] != '\0') ran_.finding = journal.report.data();
  }

  TempDirectory home_{"program"};
  const Program& program_;
  Disk disk_;
  Place place_;
  Knowledge known_;
  std::optional<Op> again_;
  Ran ran_;
  Life* life_;
};

}  // namespace

Ran run(const Program& program, Disk disk) { return Run(program, disk).run(); }

Program shrunk(Program program, Disk disk) {
  const auto try_less = [&](Program less) {
    if (!run(less, disk).finding) return false;
    program = std::move(less);
    return true;
  };
  for (std::size_t piece = std::max<std::size_t>(program.size() / 2, 1); piece > 0; piece /= 2)
    for (std::size_t at = 0; at + piece <= program.size();) {
      Program less = program;
      const auto first = less.begin() + static_cast<std::ptrdiff_t>(at);
      less.erase(first, first + static_cast<std::ptrdiff_t>(piece));
      if (!try_less(std::move(less))) at += piece;
    }
  for (std::size_t i = 0; i < program.size(); ++i) {
    Program less = program;
    less[i].bytes = less[i].number = 1;
    less[i].others = 0;
    try_less(less);
    while (program[i].after > 1) {
      less = program;
      less[i].after /= 2;
      if (!try_less(less)) break;
    }
  }
  return program;
}

}  // namespace efface::test
