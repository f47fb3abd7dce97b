#include "power/states.h"

#include <algorithm>
#include <vector>

namespace efface::test::power {
namespace {

using Subset = std::vector<bool>;
using Parts = std::vector<Part>;

std::vector<Subset> prefixes(std::size_t count) {
  std::vector<Subset> all;
  for (std::size_t length = 0; length <= count; ++length) {
    Subset& one = all.emplace_back(count, false);
    std::fill_n(one.begin(), length, true);
  }
  return all;
}

std::vector<Subset> subsets(std::size_t count, const Bounds& bounds, std::mt19937& random) {
  std::vector<Subset> all;
  if (count <= bounds.exhaustive_max) {
    for (std::size_t bits = 0; bits < std::size_t{1} << count; ++bits) {
      Subset& one = all.emplace_back(count, false);
      for (std::size_t i = 0; i < count; ++i) one[i] = (bits >> i & 1) != 0;
    }
    return all;
  }
  all = prefixes(count);
  for (std::size_t i = 0; i < count; ++i) {
    all.emplace_back(count, false)[i] = true;
    all.emplace_back(count, true)[i] = false;
  }
  for (std::size_t n = 0; n < bounds.random_subsets; ++n) {
    Subset& one = all.emplace_back(count, false);
    for (std::size_t i = 0; i < count; ++i) one[i] = (random() & 1) != 0;
  }
  return all;
}

void add_torn(const std::vector<Unit>& units, FileSystemModel model, std::vector<Parts>& into) {
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (units[i].truncates) continue;
    std::vector<Part> parts;
    if (units[i].sectors.size() > 1) parts = {Part::first_half, Part::second_half};
    // A journal of metadata alone may have the length before the data.
    if (model == FileSystemModel::strict) parts.push_back(Part::size_alone);
    for (const Part part : parts) {
      for (const Part others : {Part::nothing, Part::all})
        into.emplace_back(units.size(), others)[i] = part;
      Parts& after = into.emplace_back(units.size(), Part::nothing);
      std::fill_n(after.begin(), i, Part::all);
      after[i] = part;
    }
  }
}

std::vector<Parts> parts_of(const std::vector<Unit>& units, FileSystemModel model,
                            const Bounds& bounds, std::mt19937& random) {
  std::vector<Parts> all;
  for (const Subset& subset : subsets(units.size(), bounds, random)) {
    Parts& parts = all.emplace_back(units.size(), Part::nothing);
    for (std::size_t i = 0; i < units.size(); ++i)
      if (subset[i]) parts[i] = Part::all;
  }
  if (bounds.torn) add_torn(units, model, all);
  return all;
}

}  // namespace

bool each_state(const Disk& disk, FileSystemModel model, const Bounds& bounds, std::mt19937& random,
                FunctionRef<bool(const Tree&)> look) {
  const auto units = parts_of(disk.units(), model, bounds, random);
  const std::size_t count = disk.names().size();
  const auto names =
      model == FileSystemModel::ordered ? prefixes(count) : subsets(count, bounds, random);
  const bool all = units.size() * names.size() <= bounds.product_max;
  for (std::size_t u = 0; u < units.size(); ++u)
    for (std::size_t n = 0; n < names.size(); ++n) {
      const bool end = n == 0 || n + 1 == names.size() || u == 0 || u + 1 == units.size();
      const bool chosen =
          all || end || random() % (units.size() * names.size()) < bounds.product_max;
      if (chosen && !look(disk.hold(units[u], names[n]))) return false;
    }
  return true;
}

}  // namespace efface::test::power
