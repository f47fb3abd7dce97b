// soak/gauges.h -- what a process and a store take up: whatever should not grow.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace efface::test {

struct Gauges {
  std::uint64_t memory_bytes = 0;  // Of the process, without what it maps of files.
  std::uint64_t descriptors = 0;
  std::uint64_t threads = 0;
  std::uint64_t records_bytes = 0;  // Of the data files, all regions.
  std::uint64_t keyring_bytes = 0;
  std::uint64_t keyring_commits = 0;
  std::uint64_t reader_slots = 0;  // Of LMDB, in use in any database.
  std::uint64_t reader_lag = 0;    // Commits since the oldest snapshot that is still read.
};

// Whoever asks has no database of the store open.
Gauges gauges_of(pid_t process, const std::filesystem::path& store);

// For each the greater one.
Gauges peak(const Gauges& one, const Gauges& other);

}  // namespace efface::test
