// power/states.h -- the states that a disk may be left in, one after the other.
#pragma once
#include <cstddef>
#include <cstdint>
#include <random>

#include "efface/bytes.h"
#include "efface/result.h"
#include "power/disk.h"

namespace efface::test::power {

// Of up to exhaustive_max things that wait, every subset is tried. Of more: none, all, each alone,
// all but each, the first so many, and some that are chosen at random. Each unit also torn: half of
// its sectors, or its file's new length alone, with none, all or the earlier ones of the others.
struct Bounds {
  std::size_t exhaustive_max = 8;
  std::size_t random_subsets = 8;
  // Of the choices of units times those of names. Beyond, each is combined with few of the others.
  std::size_t product_max = 1024;
  bool torn = true;
};

// Stops when look does. False: it stopped.
bool each_state(const Disk& disk, FileSystemModel model, const Bounds& bounds, std::mt19937& random,
                FunctionRef<bool(const Tree&)> look);

}  // namespace efface::test::power
