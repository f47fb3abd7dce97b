// crash/knowledge.h -- what is known of a store from the operations that were begun and
// acknowledged: what it may hold, and what it must not have any more.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "crash/model.h"
#include "crash/session.h"

namespace efface::test {

struct Scenario {
  std::string label;
  Place place;             // Its home is the room's.
  std::vector<Op> before;  // Performed once, unhindered.
  std::vector<Op> ops;
  bool counts_opening = false;  // Whether the steps of opening the store count too.
};

// The key in force in a region when an erasure began.
struct Doomed {
  std::array<char, 16> region{};
  LiveSlot slot;
  bool acknowledged = false;  // The erasure ended its epoch, and said so.
};

// What a store may hold now, and what it must not have any more.
struct Knowledge {
  std::vector<Model> possible;
  std::vector<Doomed> doomed;
  std::vector<Op> unfinished;  // Those that were not acknowledged.
};

// How an operation ended.
struct Outcome {
  static constexpr std::size_t regions_max = 2;
  std::uint16_t code = 0;  // Of the error; 0: acknowledged.
  std::array<Doomed, regions_max> doomed{};
};

// How far it had come when it was cut.
struct Progress {
  std::size_t begun = 0;  // Operations.
  std::size_t ended = 0;  // Of these; the outcomes of others mean nothing.
};

bool is_erasure(Op::What what) noexcept;  // Ends an epoch.
bool is_relaxed(Op::What what) noexcept;  // Is acknowledged ahead of its commit.
Knowledge learn(const Knowledge& before, std::span<const Op> ops, std::span<const Outcome> outcomes,
                const Progress& progress);
Session::Universe universe_of(const Scenario& scenario);

}  // namespace efface::test
