// model/kill_program.h -- random operations on a store that is killed in between: what is drawn
// from a seed, and what it does to the store as it then is.
//
// Shape  Numbers alone, so that a program can be printed: never an id, a name or a value.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <vector>

#include "crash/model.h"
#include "crash/steps.h"

namespace efface::test {

struct Step {
  enum class What : std::uint8_t { operation, kill };
  What what = What::operation;
  Op::What op = Op::What::reopen;
  std::uint32_t person = 0;
  std::uint32_t others = 0;  // A set of people.
  std::uint32_t purpose = 0;
  std::uint32_t record = 0;
  std::uint32_t region = 0;
  std::uint32_t number = 0;  // Of the value.
  std::uint32_t bytes = 0;   // Likewise.
  Then then = Then::stop;    // How it is killed,
  std::uint32_t after = 0;   // and in place of which call that changes a file, from there on.
};
using Program = std::vector<Step>;
std::ostream& operator<<(std::ostream& out, const Step& step);

Program program_of(std::uint64_t seed);

// What it begins with: performed once, unhindered.
std::vector<Op> beginning();
// What the step does where that is what stands there; nothing: it is not possible there.
std::optional<Op> operation_of(const Step& step, const Model& model);

}  // namespace efface::test
