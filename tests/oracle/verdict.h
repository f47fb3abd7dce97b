// oracle/verdict.h -- what the oracle found against what should be true of a world; and where a
// fault lies.
#pragma once
#include "oracle/world.h"

namespace disclosure {

// How an erased key was reached: the lowest thing above it that should have been given a fresh
// key, or been destroyed, and was not.
enum class Finding {
  kept_leaf_key,    // The leaf that she stood in has the key that it had.
  kept_inner_key,   // An inner node above it has.
  kept_root_key,    // The root of the keyring has.
  derived_key,      // A key that can be computed from what everybody knows.
  kept_bucket_key,  // A bucket that she was moved out of by a split has the key that it had.
  spent_spare,      // A root of an attempt that failed was wrapped under the epoch in force.
  destroyed_epoch,  // The root key store has a root key that it said it destroyed.
  kept_row,         // What should have gone stands in the live tree.
  copied_key,       // Another row of the live tree has its key.
  something_else,
};
const char* name(Finding finding);

struct Verdict {
  // Of the erased, tenants included: all of these have to be none.
  std::size_t keys_reached = 0;
  std::size_t handles_reached = 0;
  std::size_t records_opened = 0;
  std::size_t values_opened = 0;
  std::size_t terms_opened = 0;
  std::size_t files_opened = 0;
  std::size_t notes_opened = 0;
  std::size_t could_be_told = 0;  // Ids that nobody of today has.
  std::set<Finding> findings;

  // Of all of these, by what they had to be destroyed for; and how much there was.
  std::map<Reason, std::size_t> reached{};
  std::map<Reason, std::size_t> destroyed{};

  // Of the living: none either.
  std::size_t keys_missed = 0;
  std::size_t people_missed = 0;
  std::size_t values_missed = 0;
  std::size_t notes_missed = 0;
  std::size_t tombstones_missed = 0;

  // How much there was to see.
  std::size_t keys_erased = 0;
  std::size_t keys_living = 0;
  std::size_t people_erased = 0;
  std::size_t people_living = 0;
  std::size_t notes_living = 0;
  std::size_t tombstones = 0;
  std::size_t residue = 0;         // Values overwritten or removed since the last re-keying;
  std::size_t residue_opened = 0;  // and how many of them open.
  std::size_t nodes = 0;
  std::size_t nodes_opened = 0;
  std::size_t superseded_nodes_opened = 0;
  std::size_t levels = 0;  // Of inner nodes, in the tallest live tree.

  bool forgets() const {
    return keys_reached + handles_reached + records_opened + values_opened + terms_opened +
               files_opened + notes_opened + could_be_told ==
           0;
  }
  bool keeps() const {
    return keys_missed + people_missed + values_missed + notes_missed + tombstones_missed == 0;
  }
};

// Of everything that was ever written. The keys: what is live, unless others are given.
Verdict judge(World& world, Reach reach = Reach::its_tree,
              const std::optional<RootKeys>& keys = std::nullopt);

}  // namespace disclosure
