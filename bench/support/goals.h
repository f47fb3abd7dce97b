// support/goals.h -- what is to be reached: ratios of medians from one run, by name.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "support/measured.h"

namespace efface::bench {

enum class Reach : bool { at_most, at_least };

struct Goal {
  std::string name;
  std::string question;
  Reach reach;
  double limit;
  std::function<std::optional<double>(const Measured&)> value;  // Nothing: it was not measured.
};

const std::vector<Goal>& goals();

// As many operations of a role of GDPRbench as both databases did in every round, and what they
// took, in seconds.
struct Compared {
  std::size_t operations = 0;
  double ours = 0;
  double theirs = 0;
};
std::optional<Compared> compared(const Measured& measured, const std::string& role,
                                 const std::string& peer);

}  // namespace efface::bench
