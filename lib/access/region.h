// access/region.h -- one region of a store: its directory, its lock, its keyring, its records.
//
// Shape   DIR/NAME/ region.info (who it is), lock (held by one process), keyring/, records/.
// Errors  busy: another process, or this one, holds it. Those of the keyring and of the records.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>

#include "base/observer.h"
#include "efface/store.h"
#include "keyring/keyring.h"
#include "os/lock.h"
#include "records/vault.h"

namespace efface::internal {

// What a Region value stands for. Immutable once the store is open; keyring and vault are
// thread-safe.
struct RegionState {
  std::string name;
  bool open = false;  // If not, nothing below is there.
  Id16 id{};
  // What another root key store must lie apart from; and whether L0 will do.
  std::vector<std::filesystem::path> apart;
  bool accept_l0 = false;
  // Where it lies, for who asks whether that is a good place.
  std::filesystem::path directory;
  std::filesystem::path ledger_copy;
  std::vector<std::filesystem::path> mirrors;
  std::uint64_t map_bytes_max = 0;
  std::optional<os::FileLock> lock;
  std::shared_ptr<os::ByteLocks> processes;  // Null: this process alone has it open.
  std::unique_ptr<keyring::Keyring> keyring;
  std::unique_ptr<records::Vault> vault;
  std::chrono::milliseconds deadline{};  // For locks.
  base::Watch watch{};
  std::shared_mutex resealing;  // processes.h
};

}  // namespace efface::internal

namespace efface::access {

using internal::RegionState;
using TimeSource = std::chrono::system_clock::time_point (*)();

// Makes a region in `parent` under `name`, in a temporary directory that is renamed when it is
// whole.
Status create_region(const os::Directory& parent, std::string_view directory_name,
                     std::string_view name, RootKeyStore& root_keys, const OpenOptions& options);

// Whether its ledger goes on from the checkpoint that somebody kept. Errors: keyring_stale,
// ledger_mismatch, region_mismatch; corruption: no checkpoint.
Status check_witness(const RegionState& region, const RegionOptions& options);

Result<Id16> region_id(const os::Directory& directory);

// What a capsule has takes the place of a keyring that does not open. Errors: Keyring::bring_back;
// busy: the region is open.
Status bring_keyring_back(const os::Directory& directory, const RegionOptions& region,
                          const OpenOptions& options, const keyring::CapsuleSource& capsule);

// Its root_keys may be null: the region is known, and not open.
// To be restored: also when its keyring, or its records, are older than they should be. Errors:
// records_stale.
enum class Opening : bool { to_use, to_restore };
Result<std::shared_ptr<RegionState>> open_region(const os::Directory& directory,
                                                 const RegionOptions& region,
                                                 const OpenOptions& options, Opening opening,
                                                 const base::Watch& watch);

}  // namespace efface::access
