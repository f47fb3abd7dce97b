#include "faults/sweep.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace efface::test {
namespace {

bool changes_a_file(Call call) {
  switch (call) {
    case Call::write:
    case Call::sync:
    case Call::rename:
    case Call::unlink:
    case Call::make_directory:
      return true;
    default:
      return false;
  }
}

}  // namespace

Sweep& Sweep::operator+=(const Sweep& other) {
  injections += other.injections;
  recoveries += other.recoveries;
  points += other.points;
  findings.insert(findings.end(), other.findings.begin(), other.findings.end());
  return *this;
}

std::size_t stride_of(std::size_t usual, std::size_t thorough) {
  return std::getenv("EFFACE_EVERY_MISHAP") != nullptr ? thorough : usual;
}

Sweep at_every_point(Room& room, std::size_t stride, Whose whose) {
  Sweep all;
  std::size_t next = 0;
  std::array<std::size_t, call_kinds> points{};
  const auto inject = [&](const Fault& fault) {
    if (all.enough()) return;
    Room::Trial trial = room.run(fault);
    all.injections += trial.reached ? 1 : 0;
    for (std::string& finding : trial.findings) {
      std::printf("%s\n", finding.c_str());
      all.findings.push_back(std::move(finding));
    }
  };
  const auto at_point = [&](Fault fault, Call call) {
    const std::size_t before = all.injections;
    std::vector<Mishap> possible;
    for (const Mishap& mishap : mishaps(call))
      if (!mishap.is_a_lie || room.bears_lies()) possible.push_back(mishap);
    const std::size_t turn = points[static_cast<std::size_t>(call)]++;
    for (std::size_t i = 0; i < possible.size(); ++i) {
      if (stride == one_a_point ? i != turn % possible.size() : next++ % stride != 0) continue;
      const Mishap& mishap = possible[i];
      fault.error = mishap.error;
      fault.for_ever = mishap.for_ever;
      fault.is_a_lie = mishap.is_a_lie;
      inject(fault);
    }
    all.points += all.injections > before ? 1 : 0;
  };
  if (whose == Whose::locks) {
    for (std::size_t at = 1; at <= room.calls().size(); ++at)
      if (room.calls()[at - 1] == Call::lock_file) at_point({.at = at}, Call::lock_file);
  }
  if (whose != Whose::system) {
    for (std::size_t at = 1; at <= room.library_calls().size(); ++at)
      if (whose == Whose::libraries || room.library_calls()[at - 1] == Call::begin ||
          room.library_calls()[at - 1] == Call::root_keys)
        at_point({.at = at, .library = true, .kind = room.library_calls()[at - 1]},
                 room.library_calls()[at - 1]);
    return all;
  }
  for (std::size_t at = 1; at <= room.calls().size(); ++at)
    at_point({.at = at}, room.calls()[at - 1]);
  for (std::size_t at = 1; at <= room.allocations(); ++at)
    at_point({.at = at, .allocation = true}, Call::allocate);
  return all;
}

Sweep of_operation(const Operation& one, std::size_t stride, Whose whose) {
  Room room(one);
  const Sweep sweep = at_every_point(room, stride, whose);
  std::printf("%s: %zu points, %zu injections\n", one.name.c_str(), sweep.points, sweep.injections);
  return sweep;
}

Sweep of_operations(std::initializer_list<std::string_view> names, std::size_t stride,
                    Whose whose) {
  Sweep all;
  for (const std::string_view name : names) all += of_operation(operation(name), stride, whose);
  return all;
}

Sweep of_recovery(std::string_view crashed, std::size_t stride, Whose whose) {
  Sweep all;
  const std::vector<Call> calls = Room(operation(crashed)).calls();
  for (std::size_t at = 1; at <= calls.size() && !all.enough(); ++at) {
    if (!changes_a_file(calls[at - 1])) continue;
    Room room(operation(crashed), at);
    all += at_every_point(room, stride, whose);
  }
  all.recoveries = all.injections;
  return all;
}

void expect_sound(const Sweep& sweep, std::size_t injections_min) {
  std::printf("%zu injections at %zu points, %zu of them into recovery: %zu findings\n",
              sweep.injections, sweep.points, sweep.recoveries, sweep.findings.size());
  for (const std::string& finding : sweep.findings) ADD_FAILURE() << finding;
  EXPECT_GE(sweep.injections, injections_min);
}

}  // namespace efface::test
