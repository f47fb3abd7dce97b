// rights/restore.h -- opening what is older than its ledger, and doing again what the ledger says.
//
//   1  the keyring in a capsule, and the records of a backup, take their place;
//   2  what was destroyed since is destroyed: people and scopes are found by the hash of their
//      rows' handles, suppressions by their sealed tags, days and tenants by number;
//   3  the entries that the keyring did not have are entered in it, with one that says so;
//   4  ciphertext that no key opens is swept.
//
// Interrupted before 3 the keyring is as old as it was, and is refused by open; again is right.
//
// Errors  keyring_stale, ledger_mismatch, root_key_mismatch and all that open answers.
#pragma once
#include <span>

#include "access/capsule.h"
#include "access/site.h"
#include "efface/restore.h"

namespace efface::rights {

// Of the options' capsules, those that are given instead are looked at.
Result<RestoreReport> restore(const OpenOptions& options, const RestoreOptions& restore,
                              std::span<const access::SealedCapsule> capsules);

}  // namespace efface::rights
