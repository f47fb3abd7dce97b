// power/simulation.h -- a scenario, recorded once; and every state that a loss of power may leave
// while it runs, or while what it left is recovered, opened by the library and checked.
//
// Threads  One. Everything happens in a child of its own: one that dies has found something.
#pragma once
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crash/checker.h"
#include "power/states.h"
#include "support/temp_directory.h"

namespace efface::test::power {

struct Recording {
  std::vector<Found> base;
  Log log;
  std::vector<Outcome> outcomes;  // Of the scenario's operations, all of which succeed.
};

// Of both models, with units of these sizes.
std::vector<DiskOptions> disks_of(std::span<const std::size_t> units_bytes);
inline std::vector<DiskOptions> disks_of(std::initializer_list<std::size_t> units_bytes) {
  return disks_of(std::span(units_bytes.begin(), units_bytes.size()));
}

struct Effort {
  std::vector<DiskOptions> disks = disks_of({page_bytes, sector_bytes});
  Bounds bounds{};
  std::size_t recover_every = 0;  // The recovery of each so many-th state is recorded and cut too.
  std::vector<DiskOptions> recovery_disks = disks_of({page_bytes});
  Bounds recovery_bounds{
      .exhaustive_max = 4, .random_subsets = 2, .product_max = 32, .torn = false};
  std::size_t thorough_every = 16;  // Each so many-th state is checked thoroughly.
  std::size_t states_max = ~std::size_t{0};
};

// What a child tells. Lies in memory that it shares.
struct Tally {
  std::size_t candidates = 0;   // States, of which many are one.
  std::size_t states = 0;       // Distinct ones, each checked.
  std::size_t in_recovery = 0;  // Of these, those that a loss within recovery leaves.
  std::size_t thorough = 0;
  std::size_t violations = 0;
  bool broken = false;             // The simulation itself failed, and so says nothing.
  std::array<char, 2048> where{};  // It is, or was.
  std::array<char, 65536> findings{};

  void find(std::string_view what) noexcept;
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, const std::filesystem::path& home);

  const Recording& recording() const noexcept { return recording_; }
  const Sectors& sectors() const noexcept { return sectors_; }
  // The tree that the log alone makes is the tree that is there.
  bool log_is_complete() const noexcept { return log_is_complete_; }

  // Of the recording's log, or another that was made of it. A state that an earlier run has seen is
  // not checked again.
  struct Run {
    const Log& log;
    std::size_t first = 0;  // Nothing is lost before.
    bool stops_at_finding = false;
  };
  void run(const Run& run, const Effort& effort, Tally& tally);

  // Such as "erase" and "fsync of eu/ledger".
  std::string operation_at(const Log& log, std::size_t at) const;
  std::string describe(const Log& log, std::size_t at) const;

 private:
  struct Position {
    const Log* log;
    std::size_t at;
    Progress progress;
  };
  using Seen = std::set<std::array<std::uint64_t, 4>>;

  void record();
  void run_on(const Run& run, const DiskOptions& options, const Effort& effort);
  void visit(const Tree& tree, const Position& position, const Effort& effort);
  void check(const Knowledge& known, const std::string& where, bool thorough);
  void cut_recovery(const Tree& tree, const Knowledge& known, const std::string& where,
                    std::size_t ended, const Effort& effort);
  const Knowledge& known(const Progress& progress);

  Scenario scenario_;
  Place place_;
  Session::Universe universe_;
  Knowledge start_;
  Recording recording_;
  Sectors sectors_;
  bool log_is_complete_ = false;
  std::map<std::pair<std::size_t, std::size_t>, Knowledge> knowledge_;
  Seen seen_;
  std::mt19937 random_{1};
  Tally* tally_ = nullptr;
};

// Runs body in a child, and answers what it told.
Tally in_child_with_tally(const std::function<void(Tally&)>& body);

}  // namespace efface::test::power
