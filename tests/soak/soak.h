// soak/soak.h -- a store under mixed load from many processes and threads, for as long as one
// likes, while children are killed, stopped and fail.
//
// Parts     One process that stays: threads that write, erase and read, and a desk that takes
//           tenants from their first day to their last. Nurseries bear children one after the
//           other: two whose children are killed within milliseconds, one whose children are
//           stopped and continued before that, one for whose children a call of the system or an
//           allocation fails.
// Checks    Every read against what all of them know (processes/history.h). Now and then all
//           pause: the store is swept and checked as a whole, and copied; everybody is erased; the
//           copy must not open for today's keys. What should not grow is measured all the time.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "processes/history.h"
#include "soak/gauges.h"

namespace efface::test {

struct Soak {
  History history;
  std::atomic<bool> pause{false};
  std::atomic<std::size_t> pausing{0};
  std::atomic<std::uint64_t> kills{0};
  std::atomic<std::uint64_t> stops{0};
  std::atomic<std::uint64_t> faults{0};  // Calls that failed.
  std::atomic<std::uint64_t> children{0};
  std::atomic<std::uint64_t> tenants{0};
  std::atomic<std::uint64_t> checks{0};
  std::atomic<std::uint64_t> objects_checked{0};
  std::atomic<std::uint64_t> people_in_copies{0};        // Found in copies of the files by today's
  std::atomic<std::uint64_t> people_in_copies_after{0};  // keys; and after they were erased.
};

struct SoakPlan {
  std::uint64_t seconds;
  std::uint64_t seed;
  std::filesystem::path home;  // Of a SharedStore.
};

// Two at least, evenly over the time. The last is taken when everybody else is gone.
using Samples = std::vector<Gauges>;

// The report is in `soak`, in memory that the processes share. Must be called by a process that has
// one thread, and no database of the store open.
Samples run_soak(Soak& soak, const SoakPlan& plan);

// The peaks of the second quarter of the time, and of the last one.
Gauges settled(const Samples& samples);
Gauges late(const Samples& samples);
// How the keyrings grow: their ledgers keep every decision.
std::uint64_t keyring_bytes_per_commit(const Samples& samples);

// As Markdown: of what is measured all the time, the peaks of the second and the last quarter.
std::string table_of(const Soak& soak, const SoakPlan& plan, const Samples& samples);

}  // namespace efface::test
