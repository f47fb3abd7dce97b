// ledger/entry.h -- one decision, as it stands in the ledger. Nothing in it says who.
//
// Shape     docs/format/ledger.md: version 1 | kind 1 | zero 2 | time 8 | tenant 4, then fields of
//           id 1 | length 2 | bytes, ids ascending, each at most once. There is one way to write an
//           entry, and nothing else is read.
// Errors    corruption: not an entry. format_new: of a later version, or with a kind or a field
//           that this version does not know.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "efface/result.h"
#include "ledger/merkle.h"

namespace efface::ledger {

// The numbers are stable.
enum class Kind : std::uint8_t {
  region_created = 1,
  tenant_declared = 2,
  purpose_declared = 3,
  configured = 4,  // A transfer rule, an agreement, a setting: `detail` says which.
  enrolled = 5,    // `count` people.
  consent_granted = 6,
  consent_withdrawn = 7,
  objected = 8,
  objection_lifted = 9,
  restricted = 10,
  restriction_lifted = 11,
  held = 12,
  hold_released = 13,
  erasure_asked = 14,  // Under a hold: it waits.
  erased = 15,
  suppressed = 16,
  reinstated = 17,
  expired = 18,      // `count` days of one tenant, up to `day`.
  transferred = 19,  // Erased here; at home elsewhere from now on.
  received = 20,     // The other side of it.
  exported = 21,     // `count` people.
  rectified = 22,
  identifier_added = 23,
  merged = 24,
  rekeyed = 25,     // A scope, for its residue.
  offboarded = 26,  // A whole tenant.
  root_migrated = 27,
  restored = 28,      // From an older keyring: what follows was applied again.
  capsule_made = 29,  // Opens until `day`.
  incident_opened = 30,
  incident_updated = 31,
  swept = 32,  // The ciphertext of entries up to `count` is removed.
};
const char* name(Kind kind) noexcept;  // The enumerator's own name.

// Fields that were not there are empty. A Hash of zeros is never a value.
struct Entry {
  Kind kind{};
  std::uint64_t time_ms = 0;                    // Since 1970.
  std::uint32_t tenant = 0;                     // Its number in this region; 0: none.
  std::optional<std::uint16_t> purpose{};       // 1: its number in the tenant.
  std::optional<std::uint64_t> count{};         // 2
  std::optional<std::uint32_t> day{};           // 3: days since 1970.
  std::optional<std::uint64_t> epoch_before{};  // 4
  std::optional<std::uint64_t> epoch_after{};   // 5
  std::optional<Hash> root_before{};            // 6: BLAKE2b-256 of the sealed root node.
  std::optional<Hash> root_after{};             // 7
  std::optional<Hash> destroyed{};   // 8: BLAKE2b-256 of the random handle of the row that went.
  std::optional<Hash> commitment{};  // 9: see commitment_to.
  std::optional<std::array<std::byte, 16>> request{};  // 10: keyed hash of the caller's request id.
  std::vector<std::byte> sealed{};  // 11: under a key of the tenant's; at most 16,384 bytes.
  std::string actor{};              // 12: a service or a desk; UTF-8, at most 64 bytes.
  std::string detail{};  // 13: of the kind: a region, a basis, a setting; UTF-8, at most 1,024.

  friend bool operator==(const Entry&, const Entry&) = default;
};

std::vector<std::byte> encode(const Entry& entry);
Result<Entry> decode(Bytes bytes);

// What a row that was destroyed is called in the ledger: BLAKE2b-256 of ("efface.ledger.row",
// handle), each with its length.
Hash hash_of_row(Bytes handle);

// Binds an entry to a person without naming her: keyed BLAKE2b-256 under a salt of 32 bytes of
// ("efface.ledger.commitment", tenant's name, id), each with its length. Who has the salt can show
// whom it is about; nobody else can tell.
Hash commitment_to(Bytes salt, std::string_view tenant, Bytes subject_id);

// The salt of one of several that were given one: keyed BLAKE2b-256 under it of
// ("efface.ledger.salt", id), each with its length.
Hash salt_of_one(Bytes salt, Bytes subject_id);

}  // namespace efface::ledger
