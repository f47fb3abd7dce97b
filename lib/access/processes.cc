#include "access/processes.h"

#include "base/check.h"

namespace efface::access {
namespace {

using Mode = os::ByteLocks::Mode;

Result<os::ByteLocks::Held> lock(RegionState& region, std::size_t byte, Mode mode) {
  if (region.processes == nullptr) return os::ByteLocks::Held();
  return base::waiting(region.watch, "processes.lock", region.deadline,
                       [&] { return region.processes->lock(byte, mode, region.deadline); });
}

}  // namespace

Result<AllReading> read_all(RegionState& region) {
  AllReading held{std::shared_lock(region.resealing)};
  EFFACE_ASSIGN(held.there, lock(region, resealing_byte, Mode::shared));
  return held;
}

Result<Resealing> reseal(RegionState& region) {
  Resealing held{std::unique_lock(region.resealing)};
  EFFACE_ASSIGN(held.there, lock(region, resealing_byte, Mode::alone));
  return held;
}

Result<os::ByteLocks::Held> move_somebody(RegionState& region) {
  return lock(region, moving_byte, Mode::shared);
}

bool somebody_moves_elsewhere(RegionState& region) {
  if (region.processes == nullptr) return false;
  return !region.processes->lock(moving_byte, Mode::alone, std::chrono::milliseconds(0));
}

Result<os::ByteLocks::Held> keep_up(RegionState& region) {
  return lock(region, upkeep_byte, Mode::alone);
}

}  // namespace efface::access
