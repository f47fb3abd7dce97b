// rights/doctor.h -- is a store well? First the facts are gathered, then they are judged, so that
// what no test can bring about on a machine can still be judged in one.
//
// Threads  Shared. Errors  those of reading.
#pragma once
#include "access/site.h"
#include "efface/doctor.h"
#include "efface/stats.h"
#include "os/host.h"

namespace efface::rights {

struct HostFacts {
  std::uint64_t unlocked_bytes = 0;  // Of memory for keys.
  bool may_dump_core = false;
  std::optional<bool> swap{};  // Nothing: the system does not tell.
};

struct RegionFacts {
  std::string region;
  // Where things lie.
  bool root_keys_on_volume = false;
  bool root_keys_in_clear = false;
  bool retiring = false;
  Assurance assurance{};
  Replicas replicas{};
  bool open_to_others = false;
  os::Volume volume{};
  std::optional<std::uint64_t> ledger_copy_device{};  // Nothing: it is not there.
  bool ledger_copy_in_step = true;
  std::vector<MirrorStats> mirrors{};
  std::size_t mirrors_on_volume = 0;
  // What waits.
  bool erase_pending = false;
  std::uint64_t residue_records = 0;
  std::optional<TimePoint> residue_oldest{};
  std::uint64_t reclaim_entries = 0;
  std::uint64_t expired_days = 0;
  std::uint64_t stale_readers = 0;
  // Time.
  TimePoint now{};
  std::optional<TimePoint> last_entry{};  // Of the ledger.
  std::uint32_t high_water_day = 0;       // The last whose keys were destroyed; 0: none.
  // Room, of the database that has the least.
  std::uint64_t used_bytes = 0;
  std::uint64_t map_bytes_max = 0;
};

void judge(const HostFacts& facts, std::vector<Finding>& into);
void judge(const RegionFacts& facts, std::vector<Finding>& into);

HostFacts host_facts();
Result<RegionFacts> region_facts(const access::Site& site, access::RegionState& region);

// All of it, of the regions that are open.
Result<std::vector<Finding>> diagnose(const access::Site& site);

}  // namespace efface::rights
