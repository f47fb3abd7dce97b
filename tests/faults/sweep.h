// faults/sweep.h -- every mishap at every call and every allocation of an operation, one at a time.
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "faults/trial.h"

namespace efface::test {

struct Sweep {
  static constexpr std::size_t findings_max = 12;  // Then it stops.

  std::size_t injections = 0;  // Whose call came.
  std::size_t recoveries = 0;  // Of these, into the opening of a store after a crash.
  std::size_t points = 0;      // Calls and allocations that failed.
  std::vector<std::string> findings;

  bool enough() const noexcept { return findings.size() >= findings_max; }
  Sweep& operator+=(const Sweep& other);
};

// Whose calls fail: all of the system's and the allocations, all of the libraries', or those that
// lock files, begin a transaction or ask the root key store.
enum class Whose : std::uint8_t { system, libraries, locks };

// Every point fails, each in one way, those of a kind in turn.
inline constexpr std::size_t one_a_point = 0;
// The stride of the normal run; `thorough`: where EFFACE_EVERY_MISHAP is set.
std::size_t stride_of(std::size_t usual, std::size_t thorough = 1);

// stride: of all mishaps at all points every such many-eth, or one_a_point.
Sweep at_every_point(Room& room, std::size_t stride = stride_of(one_a_point),
                     Whose whose = Whose::system);
Sweep of_operation(const Operation& one, std::size_t stride = stride_of(one_a_point),
                   Whose whose = Whose::system);
Sweep of_operations(std::initializer_list<std::string_view> names,
                    std::size_t stride = stride_of(one_a_point), Whose whose = Whose::system);
// Opening what a crash left, at each of the crashed operation's calls that change a file.
Sweep of_recovery(std::string_view crashed, std::size_t stride, Whose whose = Whose::system);

// Likewise how many injections there are at least.
inline std::size_t least(std::size_t usual, std::size_t thorough) {
  return stride_of(usual, thorough);
}

// Expects no findings and no fewer injections, and prints how many there were.
void expect_sound(const Sweep& sweep, std::size_t injections_min);

}  // namespace efface::test
