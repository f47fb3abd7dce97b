// efface/restore.h -- putting copies back without bringing anyone back.
//
// What was erased stays erased in every backup of the records: they hold no key. A keyring that is
// older than its ledger opens only here: what the ledger says was destroyed since is destroyed in
// it before anything of it is read. What cannot be done again, because the ledger names nobody, is
// counted in RestoredRegion::undone.
//
// Example
//   RestoreOptions from;
//   from.records = home / "monday";
//   const RestoreReport report = Store::restore(options, from).value();  // Then the store opens.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "efface/bytes.h"
#include "efface/capsule.h"
#include "efface/progress.h"

namespace efface {

struct RestoreOptions {
  // A backup that Store::backup made; the records of the regions in it take the place of those that
  // are there. Empty: those that are there are taken as they are, however old.
  std::filesystem::path records{};
  // Where a region has no records any more, begin with none.
  bool without_records = false;
  // Of regions whose keyring does not open, nor a mirror of it. A restore that was broken off after
  // it had brought a keyring back answers exists when it is given the capsule again: go on without.
  std::vector<Capsule> capsules{};
  OnProgress on_progress{};  // In bytes of the backup; what follows counts nothing.
};

struct RestoredRegion {
  std::string name;
  bool records_replaced = false;
  bool keyring_brought_back = false;  // From a capsule.
  // The records are older than the keyring knows of: what was written since is gone, and what was
  // removed or replaced since is there again, under keys that live.
  bool records_older = false;
  std::uint64_t entries_applied = 0;  // Of the ledger, that the keyring did not have.
  std::uint64_t people_erased = 0;
  std::uint64_t scopes_destroyed = 0;  // Of withdrawals and re-keyings.
  std::uint64_t people_suppressed = 0;
  std::uint64_t days_expired = 0;
  std::uint64_t tenants_offboarded = 0;
  std::uint64_t orphans_swept = 0;  // Ciphertexts that no key opens any more.
  // Decisions that are not in force any more, by what they were ("consent_granted", 3): whoever
  // made them has to make them again.
  std::vector<std::pair<std::string, std::uint64_t>> undone{};
};
struct RestoreReport {
  std::vector<RestoredRegion> regions;  // In name order.
};

}  // namespace efface
