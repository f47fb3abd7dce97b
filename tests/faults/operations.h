// faults/operations.h -- each public operation, as the injector sees it.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "faults/world.h"

namespace efface::test {

using Run = std::function<Status(World&)>;

// Whether it went well, whatever it answers.
template <class T>
Status status_of(const Result<T>& result) {
  if (result) return {};
  return result.error();
}

struct Operation {
  std::string name;
  // What it changes.
  enum class Kind : std::uint8_t {
    reads,         // Nothing.
    writes,        // One commit; after an error other than outcome_unknown nothing is there.
    decides,       // All or nothing; after an error, either.
    destroys,      // Likewise, and an epoch ends.
    opens,         // Begins with the store closed.
    creates,       // Begins with nothing.
    takes_a_copy,  // Nothing of the store; makes world.backup().
  };
  Kind kind = Kind::reads;
  bool two_regions = false;
  Days later{};  // How long after everything was made.
  // Before anything fails; what it obtains is kept for the run.
  std::function<std::function<Status(World&)>(World&)> prepare;
  std::function<Status(World&)> before{};  // Done to the store when it is made.
  // In several steps, each of which is mended by doing it again: after an error, what is there may
  // be neither all nor nothing.
  bool in_steps = false;
  Manner manner = Manner::alone;
  bool keyring_is_lost = false;  // Its mirror is all there is.
  // Though it changes nothing else: makes a key where one is missing, or copies what it finds.
  bool acts_on_what_it_finds = false;
  bool opens_only_after = false;  // What `before` leaves does not open: this mends it.
  // What else is claimed of what is there afterwards: a finding, or nothing.
  std::function<std::string(World&, bool acknowledged)> look{};
};

// One that needs nothing beforehand.
template <class F>
Operation of_store(std::string name, Operation::Kind kind, F body) {
  return {std::move(name), kind, false, {}, [body](World&) -> Run {
            return [body](World& now) -> Status { return status_of(body(now)); };
          }};
}

// Of a store that is there already, and of one that is to be made.
const std::vector<Operation>& operations();
const Operation& operation(std::string_view name);

// Of those that are there by now.
const Operation& operation_in(const std::vector<Operation>& all, std::string_view name);

// Those of custody_operations.cc: where keys and keyrings go, come from, and are kept twice.
void add_custody(std::vector<Operation>& all);
// Those of left_behind_operations.cc.
void add_left_behind(std::vector<Operation>& all);

}  // namespace efface::test
