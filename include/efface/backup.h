// efface/backup.h -- a copy of the records, for elsewhere and for ever.
//
// Without the keyring a backup is noise, and no key is in it: what was erased stays erased in every
// backup that was ever made. What it holds of the living serves until their scopes are next
// re-keyed: make it after Store::maintain. The keyring is not backed up but mirrored
// (RegionOptions::keyring_mirrors), the root keys neither.
//
// Shape   TARGET/ store.info, manifest, and for each region that is open NAME/ region.info and
//         records/data.mdb: docs/format/backup.md. Directories 0700, files 0600.
//
// Example
//   const BackupReport made = store.backup({.target = home / "monday"}).value();
//   Store::verify_backup(home / "monday").value();
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "efface/root_key_store.h"

namespace efface {

struct BackupProgress {
  std::string_view region;
  std::uint64_t bytes = 0;           // Of its records, copied so far.
  std::uint64_t bytes_expected = 0;  // About as many as there will be.
};

struct BackupOptions {
  std::filesystem::path target;  // Made; nothing may be there.
  // Now and then, on the calling thread, while a snapshot of the records is held. It must not
  // throw.
  std::function<void(const BackupProgress&)> on_progress{};
};

struct BackupRegion {
  std::string name;
  std::uint64_t keyring_sequence = 0;  // That the records had seen when the backup began, or later.
  Epoch epoch = 0;                     // Likewise.
  std::uint64_t bytes = 0;
};
struct BackupReport {
  std::chrono::system_clock::time_point made;
  std::vector<BackupRegion> regions;  // In name order.
};

}  // namespace efface
