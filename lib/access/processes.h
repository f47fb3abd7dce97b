// access/processes.h -- what the processes that share a region keep one another from.
//
// Shape   DIR/NAME/processes: its first bytes are locked (os/lock.h); from 64 on, 128 bytes say of
//         which boot and which namespace of process ids the sharers are. Where one process has the
//         region alone it is not looked at, and the threads' own locks do.
// Errors  busy: the deadline passed.
#pragma once
#include <mutex>
#include <shared_mutex>

#include "access/region.h"

namespace efface::access {

// Bytes besides those of the keyring and of the records.
inline constexpr std::size_t resealing_byte = 2;
inline constexpr std::size_t moving_byte = 3;
inline constexpr std::size_t upkeep_byte = 4;
static_assert(keyring::writer_byte == 0 && records::records_byte == 1);

// Held by whoever reads all records of a person, so that none moves to another scope meanwhile.
// Before the keyring's lock.
struct AllReading {
  std::shared_lock<std::shared_mutex> here;
  os::ByteLocks::Held there{};
};
Result<AllReading> read_all(RegionState& region);

// Held by whoever moves records to other scopes.
struct Resealing {
  std::unique_lock<std::shared_mutex> here;
  os::ByteLocks::Held there{};
};
Result<Resealing> reseal(RegionState& region);

// Held while somebody is being transferred, or merged: who is marked as moving while nobody is was
// left so by a crash.
Result<os::ByteLocks::Held> move_somebody(RegionState& region);
bool somebody_moves_elsewhere(RegionState& region);

// One upkeep at a time.
Result<os::ByteLocks::Held> keep_up(RegionState& region);

}  // namespace efface::access
