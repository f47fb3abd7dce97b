// model/kill_run.h -- runs a program that is killed on a store, compares the store with the model,
// and makes a program that shows a difference short.
//
// Shape     Each life is a child process: it opens the store, which must hold what the model says
//           or, of an operation that was cut, one of its stages; goes on with the program; and ends
//           at the call that a kill names. While it works, a thread of it reads: what it sees must
//           be in the model at some time between the beginning and the end of the reading.
// Replay    Everything but that thread's timing comes from the program.
#pragma once
#include <cstddef>
#include <optional>
#include <string>

#include "model/kill_program.h"

namespace efface::test {

struct Ran {
  std::optional<std::string> finding;  // What is wrong; without ids, names or values.
  std::size_t operations = 0;          // Acknowledged.
  std::size_t erasures = 0;            // Of these, those that ended an epoch.
  std::size_t kills = 0;
  std::size_t cut = 0;      // Kills within an operation.
  std::size_t opening = 0;  // Kills while the store was being opened.
  std::size_t readings = 0;
  std::size_t growths = 0;  // Of the map.
};

// A disk that says that it synced, and did not: the control.
enum class Disk : bool { honest, lies };

Ran run(const Program& program, Disk disk = Disk::honest);
// Fewer and smaller steps with which something is still wrong.
Program shrunk(Program program, Disk disk = Disk::honest);

}  // namespace efface::test
