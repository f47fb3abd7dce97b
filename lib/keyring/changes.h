// keyring/changes.h -- the words in which a keyring is asked to add, change and remove rows, and
// what it answers.
//
// Threads  Values. What is under "Answers" is written by the call.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "efface/root_key_store.h"
#include "keyring/keys.h"
#include "ledger/entry.h"

namespace efface::keyring {

struct TenantRef {
  Tag tag{};
  std::uint32_t number = 0;  // From 1; never used again.
  friend bool operator==(const TenantRef&, const TenantRef&) = default;
};

enum class TreeKind : std::uint8_t { subjects = 0, retention = 1 };

struct TreeRef {
  TenantRef tenant;
  TreeKind kind;
};
inline constexpr std::uint32_t top_tree = 0;
std::uint32_t tree_number(const TreeRef& tree) noexcept;  // 2n + kind; stands in node keys.

// Where a retention tree keeps the last day whose buckets have been destroyed.
Tag high_water_tag() noexcept;

// A row that has to exist: found, or made with a random key and handle.
struct Ensure {
  Tag tag{};
  Label label = 0;
  std::uint32_t aux = 0;
  bool needs_person = false;  // Made only beside a row of label 0: no key without an enrolment.
  std::size_t decision = 0;   // Of the call's, which says how many people were made by it.
  // Answers:
  bool created = false;
  bool person_missing = false;
  SharedKeys keys;  // All rows of the tag, this one included. Null when person_missing.
};

// A change of one row that takes no key away.
struct RowChange {
  Label label = 0;
  std::uint16_t set = 0;  // Flags.
  std::uint16_t clear = 0;
  std::optional<std::uint32_t> aux{};  // Its new value.
  std::int32_t aux_more = 0;           // Added to it; it stops at zero.
  std::optional<Label> move_to{};
  bool make = false;               // Where there is no such row: with a fresh key,
  std::optional<Handle> handle{};  // and a fresh handle, or this one.
};

// Changes of one tag's rows, and of what is on file about the person, in one commit.
struct Amend {
  Tag tag{};
  std::optional<Handle> only_if_person{};  // Nothing is done when she has been erased since.
  std::vector<RowChange> changes{};        // In this order.
  std::optional<Bytes> file{};             // Sealed under a key derived from her row's.
  std::vector<ledger::Entry> decisions{};  // Entered in the ledger, if it is done.
  // Answers:
  bool done = false;
  SharedKeys keys{};  // All rows of the tag, afterwards.
};

// Rows that have to go.
struct Removal {
  TenantRef tenant;
  enum class What : std::uint8_t {
    subject,  // All rows of the tag but a tombstone.
    // The scope of that label with its successor; or the one scope, or key for what is kept
    // elsewhere, of only_if_handle.
    scope,
    replaced,   // The scope of that label; its successor takes its place.
    hold,       // The key of her holds.
    alias,      // The tag's alias row, where it leads to only_if_handle.
    tombstone,  // Of a suppression.
    arriving,   // The scopes of a merge that is not done.
    merging,    // What says whom she is merged into.
    rows,       // None: what only changes comes with something that goes.
    bucket,
    tenant
  } what = What::subject;
  Tag tag{};                               // Of the subject or bucket.
  Label label = 0;                         // Of the scope.
  std::optional<Handle> only_if_person{};  // Refuses when she has been erased and enrolled again.
  std::optional<Handle> only_if_handle{};  // Of the row.
  std::optional<std::uint32_t> only_if_aux{};  // Of her row: her aliases, counted.
  bool despite_hold = false;
  bool despite_transfer = false;
  std::uint32_t day = 0;             // Of the bucket: the high-water mark moves up to it.
  std::vector<RowChange> changes{};  // Of the same tag, afterwards.
  std::optional<Bytes> file{};       // As in Amend.
  std::optional<Bytes> notice{};     // Kept until finish_notice, if anything goes.
  // Entered in the ledger if anything goes, with the epochs, and with what row went.
  std::vector<ledger::Entry> decisions{};
  std::array<std::byte, 32> salt{};  // The caller's own, and a number of his.
  std::size_t number = 0;
  // Answers:
  std::optional<std::uint64_t> entry{};  // Where the first of its decisions stands.
  bool removed = false;
  bool held = false;         // Refused: a legal hold is on her.
  bool moving = false;       // Refused: a transfer takes her away.
  std::uint32_t shared = 0;  // Her links to shared records, which went.
};

struct ErasureOutcome {
  Epoch epoch_before = 0;  // Equal to epoch_after when there was nothing to remove.
  Epoch epoch_after = 0;
  Assurance assurance;
  Replicas replicas{};                           // That confirmed the destruction.
  std::array<std::byte, 32> root_hash_before{};  // BLAKE2b-256 of the sealed root nodes.
  std::array<std::byte, 32> root_hash_after{};
};

struct TenantEntry {
  TenantRef tenant;
  std::vector<std::byte> terms;  // What add_tenant was given.
};

// What erasures left behind for maintain(): ciphertext that nobody can read any more.
struct Reclaim {
  std::uint64_t sequence = 0;
  enum class What : std::uint8_t {
    handles = 1,
    tenant = 2,
    days = 3,  // Records that expired on the day, or before, in any tenant.
  } what = What::handles;
  std::uint32_t tenant_number = 0;  // Or the day.
  std::vector<Handle> handles;
};

}  // namespace efface::keyring
