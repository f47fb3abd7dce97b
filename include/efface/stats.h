// efface/stats.h -- numbers about a store. None says anything about a person.
//
// Example
//   const std::string scraped = prometheus_text(store.stats().value());
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "efface/root_key_store.h"

namespace efface {

// A copy of a region's keyring in another place.
enum class MirrorState : std::uint8_t {
  in_step = 0,  // Has every commit of the keyring.
  behind = 1,   // Failed: written again, whole, by the next maintain or open.
  absent = 2,   // Its directory cannot be reached, or nothing is there yet.
};
EFFACE_EXPORT const char* name(MirrorState state) noexcept;  // "in_step", "behind", "absent"
struct MirrorStats {
  MirrorState state = MirrorState::absent;
  std::uint64_t sequence = 0;  // The last that it is known to have.
  friend bool operator==(const MirrorStats&, const MirrorStats&) = default;
};

struct RegionStats {
  std::string name;
  bool open = false;                  // If not, the rest is zero.
  Epoch epoch = 0;                    // Erasures end one and start the next.
  Assurance assurance;                // Of the root key store.
  bool erase_pending = false;         // A destruction waits for the root key store.
  std::uint64_t reclaim_entries = 0;  // Waiting for maintain().
  // Ciphertexts: the records, an id for each person and a summary for each scope; the unswept ones
  // of the erased included.
  std::uint64_t records = 0;
  std::uint64_t residue_records = 0;  // Overwritten or removed, not yet shredded by a new key.
  std::uint64_t residue_bytes = 0;    // Of their ciphertext.
  std::optional<std::chrono::system_clock::time_point> residue_oldest{};
  std::uint64_t people_held = 0;
  std::uint64_t keyring_sequence = 0;  // Write transactions of the keyring so far.
  std::vector<MirrorStats> mirrors{};  // In the order of RegionOptions::keyring_mirrors.
  std::uint64_t keyring_file_bytes = 0;
  std::uint64_t keyring_used_bytes = 0;
  std::uint64_t records_file_bytes = 0;
  std::uint64_t records_used_bytes = 0;
  std::uint64_t cached_people = 0;
};

struct Stats {
  std::vector<RegionStats> regions;  // In name order.
  std::uint64_t tenants = 0;
  std::uint64_t locked_bytes = 0;    // Memory for keys, locked.
  std::uint64_t unlocked_bytes = 0;  // Memory for keys that the system refused to lock.
};

// All of it as gauges in the text format of Prometheus, version 0.0.4, for a service to answer a
// scrape with. Labels are names of regions: nothing of it says anything of a person or a tenant.
//
// Source  prometheus.io/docs/instrumenting/exposition_formats
EFFACE_EXPORT std::string prometheus_text(const Stats& stats);

}  // namespace efface
