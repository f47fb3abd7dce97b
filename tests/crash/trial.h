// crash/trial.h -- one scenario, run again and again in child processes: each time another step is
// the last one, or fails; then another child opens what is left and tells what is wrong with it.
//
// Shape     The process that runs trials never opens a store itself. What a child acknowledged
//           stands in memory that it shares.
// Findings  Sentences without ids, names or values. None: all that was promised holds.
#pragma once
#include <unistd.h>

#include <array>
#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crash/knowledge.h"
#include "crash/steps.h"
#include "support/temp_directory.h"

namespace efface::test {

// Written by a child, read by its parent, whatever became of the child.
struct Journal {
  static constexpr std::size_t ops_max = 512;
  using Entry = Outcome;
  std::atomic<std::uint32_t> begun{0};
  std::atomic<std::uint32_t> ended{0};
  std::array<Entry, ops_max> entries{};
  std::uint16_t opening_code = 0;
  std::uint32_t chosen = 0;  // Of the possible models, which it found; from 1.
  std::size_t steps = 0;
  std::size_t lmdb_writes = 0;
  bool reached = false;  // The plan's step came.
  std::array<char, 4096> report{};

  void find(std::string_view what) noexcept;  // Appends to the report.
};

Knowledge learn(const Knowledge& before, std::span<const Op> ops, const Journal& journal);

class Room {
 public:
  explicit Room(Scenario scenario);

  struct Trial {
    bool reached = false;  // Else the scenario was over before the plan's step.
    bool news = true;      // Something of it was run that no other plan runs.
    std::size_t steps = 0;
    std::size_t lmdb_writes = 0;
    std::vector<std::uint16_t> codes;  // One for each operation that ended.
    std::string where;
    std::vector<std::string> findings;
  };
  // From the scenario's beginning.
  Trial run(const Plan& plan);
  // From what the last run left: opens it under the plan. To be repeated; run() forgets it.
  Trial recover(const Plan& plan);

  RootKeyWrapper wrapper;
  bool puts_base_back = false;           // A breach of trust between run and check, for controls.
  bool loses_keyrings = false;           // Before each check: mirrors are what is left.
  bool starts_without_keyrings = false;  // recover() does.

 private:
  struct Act {
    std::span<const Op> ops;
    bool opens_first;
    bool counts_opening;
    const Knowledge& before;
  };
  Trial act(const Plan& plan, const Act& what, Knowledge& after);
  [[noreturn]] void act_in_child(const Plan& plan, const Act& what);
  void perform_in_child(Session& session, const Op& op, Journal::Entry& entry, bool& failed);
  std::uint16_t judge(const Session::Failure& answer, bool failed_before);
  void check(const Knowledge& known, Trial& into);
  std::filesystem::path at(std::string_view name) const { return home_ / name; }

  Scenario scenario_;
  TempDirectory home_{"crash"};
  Place place_;  // Where trials happen.
  Session::Universe universe_;
  Knowledge start_;
  Knowledge last_;
  Journal* journal_;
};

int start_child();      // As fork; the child dies of SIGALRM when it hangs.
int wait_for(int pid);  // Answers its exit status, or 128 and its signal.

// Runs body in a child and waits.
template <class F>
int in_child(F&& body) {
  const int pid = start_child();
  if (pid != 0) return wait_for(pid);
  body();
  _exit(0);
}

}  // namespace efface::test
