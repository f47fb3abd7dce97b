// keyring/mutant.h -- deliberate breakages of the promise, one per test-only build.
//
// A test that nothing can make fail shows nothing. tests/oracle compiles this layer once per mutant
// and passes only if the disclosure oracle finds the key that the mutant failed to forget. The
// library itself is always built with none, so every branch on it disappears.
#pragma once

#ifndef EFFACE_MUTANT
#define EFFACE_MUTANT none
#endif

namespace efface::keyring {

enum class Mutant {
  none,
  leaf_keeps_key,        // A leaf that lost a row is sealed again under its old key.
  ancestor_keeps_key,    // An inner node on the path is sealed again under its old key.
  root_not_rotated,      // An erasure wraps the same root key under the next epoch.
  key_from_survivor,     // A fresh node key is derived from something that outlives the erasure.
  split_keeps_keys,      // A split moves rows without re-keying the bucket they leave.
  spare_used_twice,      // After a failed attempt the same spare epoch serves the next one.
  successor_keeps_key,   // A scope is re-keyed to the key that it had.
  bucket_keeps_row,      // A day that expired keeps its key.
  hold_keeps_row,        // A hold that is released leaves its key.
  commit_not_read_back,  // The old root key is destroyed on the word of the commit alone.
  old_root_first,        // The old root key is destroyed before anything is committed.
  ledger_not_copied,     // The old root key is destroyed before the ledger's copy is durable.
  others_not_seen,       // What other processes committed is not looked for.
  mirrors_come_last,     // The old root key is destroyed before the mirrors are written.
};
inline constexpr Mutant mutant = Mutant::EFFACE_MUTANT;

}  // namespace efface::keyring
