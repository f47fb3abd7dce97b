// faults/trial.h -- one operation, with one call failing, in a child process; then another child
// opens what is left and tells what is wrong with it.
//
// Findings  Sentences without ids, names or values. None: all that was promised holds.
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "crash/root_key_slots.h"
#include "faults/injector.h"
#include "faults/operations.h"
#include "support/temp_directory.h"

namespace efface::test {

// Written by a child, read by its parent, whatever became of the child.
struct Report {
  static constexpr std::size_t calls_max = 8192;
  static constexpr std::size_t text_bytes = 8192;
  bool ended = false;  // The operation answered.
  Errc code{};         // Of its error; zero: acknowledged.
  std::array<char, 160> note{};
  bool reached = false;
  Call kind{};
  std::size_t calls = 0;
  std::array<Call, calls_max> kinds{};
  std::size_t library_calls = 0;
  std::array<Call, calls_max> library_kinds{};
  std::size_t allocations = 0;
  bool probe_acknowledged = false;
  std::ptrdiff_t blocks = 0;   // That are still allocated, more than before.
  std::ptrdiff_t handles = 0;  // Descriptors likewise.
  std::array<char, text_bytes> observed{};
  std::array<char, text_bytes> findings{};

  void find(std::string_view what) noexcept;  // Appends a line.
};

// What may be there, when all is as promised.
struct Expected {
  std::string before;  // World::observe; empty: no store.
  std::string after;
  std::vector<LiveSlot> doomed;  // The root key in force before, in each file of the region "eu".
};

// In a child of its own, whose findings go to the report.
void check(World& world, const Operation& operation, const Expected& expected, Report& report,
           bool thoroughly);

class Room {
 public:
  explicit Room(const Operation& operation);
  // As a crash in place of a call of `crashed` left it: to be opened.
  Room(const Operation& crashed, std::size_t stop_at);
  ~Room();

  // Of the operation when nothing fails.
  const std::vector<Call>& calls() const noexcept { return calls_; }
  const std::vector<Call>& library_calls() const noexcept { return library_calls_; }
  std::size_t allocations() const noexcept { return allocations_; }

  // It changes nothing, so that there is no harm in what it believes.
  bool bears_lies() const noexcept;

  struct Trial {
    bool reached = false;
    Errc code{};
    std::vector<std::string> findings;
  };
  Trial run(const Fault& fault);

  // A breach of trust between run and check, for controls.
  bool puts_base_back = false;

 private:
  void prepare();
  void measure();
  void measure_blocks();
  void act(const Fault& fault);
  void act_on(World& world, const Fault& fault);
  void note_answer(const Status& answer, const Fault& fault);
  void look_at_once(World& world, const Activity* activity, const Subject* who, const Fault& fault);
  std::string in_child(const std::function<void()>& body);
  World world() const { return work_world(home_ / "work"); }
  World work_world(std::filesystem::path home) const {
    return World(std::move(home), operation_.two_regions, operation_.later, operation_.manner);
  }

  Operation operation_;
  TempDirectory home_{"faults"};
  Expected expected_;
  std::vector<Call> calls_;
  std::vector<Call> library_calls_;
  std::size_t allocations_ = 0;
  std::ptrdiff_t blocks_ = 0;
  std::size_t trials_ = 0;
  Report* report_ = nullptr;
};

}  // namespace efface::test
