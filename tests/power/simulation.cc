#include "power/simulation.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace efface::test::power {
namespace {

constexpr unsigned hang_seconds = 60;

std::string file_name(const std::filesystem::path& path) {
  const auto parent = path.parent_path().filename();
  return parent.empty() ? path.string() : (parent / path.filename()).string();
}

std::string_view name(Operation::Kind kind) noexcept {
  switch (kind) {
    case Operation::Kind::write:
      return "write to";
    case Operation::Kind::truncate:
      return "truncation of";
    case Operation::Kind::sync_data:
      return "fdatasync of";
    case Operation::Kind::sync:
      return "fsync of";
    case Operation::Kind::create:
      return "creation of";
    case Operation::Kind::rename:
      return "renaming of";
    case Operation::Kind::unlink:
      return "removal of";
    case Operation::Kind::mark:
      return "mark";
  }
  return "?";
}

}  // namespace

std::vector<DiskOptions> disks_of(std::span<const std::size_t> units_bytes) {
  std::vector<DiskOptions> disks;
  for (const std::size_t unit_bytes : units_bytes)
    for (const auto model : {FileSystemModel::ordered, FileSystemModel::strict})
      disks.push_back({model, unit_bytes});
  return disks;
}

void Tally::find(std::string_view what) noexcept {
  ++violations;
  const std::size_t used = std::strlen(findings.data());
  if (used + what.size() + 2 > findings.size()) return;
  std::copy(what.begin(), what.end(), findings.begin() + static_cast<std::ptrdiff_t>(used));
  findings[used + what.size()] = '\n';
}

Tally in_child_with_tally(const std::function<void(Tally&)>& body) {
  void* shared =
      ::mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) std::abort();
  Tally& tally = *new (shared) Tally;
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) std::abort();
  if (pid == 0) {
    try {
      body(tally);
    } catch (...) {  // The library throws nothing.
      simulation_broke();
    }
    _exit(0);
  }
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) std::abort();
  tally.broken = tally.broken || (WIFEXITED(status) && WEXITSTATUS(status) == broken_status);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    tally.find(std::string(tally.where.data()) +
               (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": it hangs" : ": it dies"));
  const Tally told = tally;
  ::munmap(shared, sizeof(Tally));
  return told;
}

Simulation::Simulation(const Scenario& scenario, const std::filesystem::path& home)
    : scenario_(scenario), place_(scenario.place), universe_(universe_of(scenario)) {
  place_.home = home;
  start_.possible.emplace_back();
  for (const Op& op : scenario_.before)
    start_.possible.front() = stages(op, start_.possible.front()).back();
  record();
}

void Simulation::record() {
  Session session(place_);
  const auto fail = [](const char* what) {
    std::fprintf(stderr, "the scenario does not succeed: %s\n", what);
    simulation_broke();
  };
  for (const Op& op : scenario_.before)
    if (session.perform(op)) fail("before");
  const bool opens = session.is_open() && !scenario_.counts_opening;
  if (opens) {
    session.close();
    if (session.open()) fail("open");
  }
  recording_.base = read_tree(place_.home);
  Recorder recorder(place_.home);
  std::uint32_t done = 0;
  for (const Op& op : scenario_.ops) {
    Outcome& outcome = recording_.outcomes.emplace_back();
    if (is_erasure(op.what)) {
      std::size_t next = 0;
      for (const auto& [region, slot] : session.in_force()) {
        Doomed& one = outcome.doomed.at(next++);
        region.copy(one.region.data(), one.region.size() - 1);
        one.slot = slot;
      }
    }
    recorder.mark(done + 1, done);
    if (const auto failed = session.perform(op)) fail(failed->note());
    ++done;
    for (Doomed& one : outcome.doomed)
      for (const Erasure::InRegion& region : session.ended())
        one.acknowledged = one.acknowledged || region.region == one.region.data();
    recorder.mark(done, done);
  }
  session.close();
  recording_.log = recorder.take();
  const DiskOptions options{};
  Disk recorded(sectors_, recording_.base, options);
  for (const Operation& operation : recording_.log) {
    recorded.begin(operation);
    recorded.finish(operation);
  }
  const std::vector<Found> there = read_tree(place_.home);
  const Disk real(sectors_, there, options);
  log_is_complete_ = recorded.hold_all().hash == real.hold_all().hash;
}

std::string Simulation::describe(const Log& log, std::size_t at) const {
  std::map<Inode, std::string> paths;
  for (const Found& found : recording_.base)
    paths[found.inode] =
        found.parent == no_inode ? "." : (std::filesystem::path(paths[found.parent]) / found.name);
  for (std::size_t i = 0; i <= at && i < log.size(); ++i)
    if (log[i].kind == Operation::Kind::create)
      paths[log[i].inode] = std::filesystem::path(paths[log[i].parent]) / log[i].name;
  if (at >= log.size()) return "the end";
  const Operation& operation = log[at];
  if (operation.kind == Operation::Kind::mark)
    return operation.begun == operation.ended ? "acknowledgement" : "beginning";
  return std::string(name(operation.kind)) + " " + file_name(paths[operation.inode]);
}

std::string Simulation::operation_at(const Log& log, std::size_t at) const {
  for (std::size_t i = std::min(at, log.size()); i-- > 0;) {
    if (log[i].kind != Operation::Kind::mark) continue;
    return std::string(test::name(scenario_.ops.at(log[i].begun - 1).what));
  }
  return "nothing";
}

const Knowledge& Simulation::known(const Progress& progress) {
  const auto [at, fresh] = knowledge_.try_emplace({progress.begun, progress.ended});
  if (fresh) at->second = learn(start_, scenario_.ops, recording_.outcomes, progress);
  return at->second;
}

void Simulation::run(const Run& run, const Effort& effort, Tally& tally) {
  tally_ = &tally;
  for (const DiskOptions& options : effort.disks) run_on(run, options, effort);
}

void Simulation::run_on(const Run& run, const DiskOptions& options, const Effort& effort) {
  const Log& log = run.log;
  Disk disk(sectors_, recording_.base, options);
  Position position{&log, 0, {}};
  const auto look = [&] {
    if (position.at < run.first) return true;
    return each_state(disk, options.model, effort.bounds, random_, [&](const Tree& tree) {
      visit(tree, position, effort);
      return !(run.stops_at_finding && tally_->violations > 0) &&
             tally_->states < effort.states_max;
    });
  };
  for (; position.at < log.size(); ++position.at) {
    const Operation& operation = log[position.at];
    disk.begin(operation);
    if (operation.kind == Operation::Kind::mark)
      position.progress = {operation.begun, operation.ended};
    const bool syncs = operation.is_sync() || operation.syncs_itself;
    if (syncs && !look()) return;
    disk.finish(operation);
    if ((syncs || operation.kind == Operation::Kind::mark) && !look()) return;
  }
  look();
}

void Simulation::visit(const Tree& tree, const Position& position, const Effort& effort) {
  ++tally_->candidates;
  const std::size_t ended = position.progress.ended;
  if (!seen_.insert({tree.hash[0], tree.hash[1], ended, 0}).second) return;
  const std::size_t number = ++tally_->states;
  const std::string where = scenario_.label + ", " + std::to_string(position.at) + " (" +
                            describe(*position.log, position.at) + ")";
  const Knowledge& knowledge = known(position.progress);
  materialise(tree, sectors_, place_.home);
  check(knowledge, where, number % effort.thorough_every == 0);
  if (effort.recover_every != 0 && number % effort.recover_every == 0)
    cut_recovery(tree, knowledge, where, ended, effort);
}

void Simulation::check(const Knowledge& known, const std::string& where, bool thorough) {
  ::alarm(hang_seconds);
  std::snprintf(tally_->where.data(), tally_->where.size(), "%s", where.c_str());
  Checker checker(place_, universe_, std::nullopt);
  tally_->thorough += thorough ? 1 : 0;
  const auto found = thorough ? checker.check_all_bytes(known) : checker.check_briefly(known);
  if (found) tally_->find(where + ": " + *found);
  ::alarm(0);
}

// What opening does to a state is recorded, and cut in its turn. Once it has opened and was read,
// what it said stays so.
void Simulation::cut_recovery(const Tree& tree, const Knowledge& known, const std::string& where,
                              std::size_t ended, const Effort& effort) {
  materialise(tree, sectors_, place_.home);
  const std::vector<Found> base = read_tree(place_.home);
  Log log;
  Knowledge read = known;
  std::uint64_t which = 0;
  {
    Session session(place_);
    Recorder recorder(place_.home);
    if (session.open()) return;  // Of a store that was not finished there is nothing to recover.
    recorder.mark(0, 0);
    const auto observed = session.observe(universe_);
    session.close();
    log = recorder.take();
    if (!observed) return;
    const auto at = std::ranges::find(known.possible, *observed);
    which = static_cast<std::uint64_t>(at - known.possible.begin()) + 1;
    read.possible = {*observed};
  }
  for (const DiskOptions& options : effort.recovery_disks) {
    Disk disk(sectors_, base, options);
    bool opened = false;
    const auto look = [&](std::size_t at) {
      each_state(disk, options.model, effort.recovery_bounds, random_, [&](const Tree& left) {
        ++tally_->candidates;
        const std::uint64_t key = opened ? which : 0;
        if (!seen_.insert({left.hash[0], left.hash[1], ended, key}).second) return true;
        ++tally_->states;
        ++tally_->in_recovery;
        materialise(left, sectors_, place_.home);
        check(opened ? read : known, where + ", and " + std::to_string(at) + " of its recovery",
              false);
        return true;
      });
    };
    for (std::size_t at = 0; at < log.size(); ++at) {
      disk.begin(log[at]);
      opened = opened || log[at].kind == Operation::Kind::mark;
      const bool syncs = log[at].is_sync() || log[at].syncs_itself;
      if (syncs) look(at);
      disk.finish(log[at]);
      if (log[at].kind == Operation::Kind::mark) look(at);
    }
    look(log.size());
  }
}

}  // namespace efface::test::power
