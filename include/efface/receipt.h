// efface/receipt.h -- receipts, and how to check them without the store: the whole of
// efface::verify.
//
// A receipt says what was destroyed and when, under which epochs, how well, and where the decision
// stands in the ledger. It names nobody: who has the salt can show whom it is about. It attests the
// operation, never the absence of copies that somebody made.
//
// Shape    docs/format/ledger.md; docs/receipts.md says what follows from a receipt and what not.
// Threads  Functions of their arguments alone.
// Errors   corruption: does not verify, whatever the reason. format_new: it verifies, and a later
//          version wrote it. invalid_argument: the verifier key is none.
// Cost     Two signatures and a dozen hashes: a fifth of a millisecond.
// Source   RFC 9162; https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint
//
// Example
//   const Erasure erasure = shop.erase(std::move(alice)).value();
//   const std::string receipt = shop.receipt(erasure.receipts.front()).value();
//   // Elsewhere, with the operator's key, and the salt to show whom it is about:
//   const std::string key = store.verifier_key(eu).value();
//   const Receipt says = verify_receipt(receipt, key).value();
//   verify_about(says, erasure.receipts.front().salt, "shop", "alice").value();
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "efface/bytes.h"
#include "efface/export.h"
#include "efface/result.h"
#include "efface/root_key_store.h"

namespace efface {

// What was done. The numbers are stable.
enum class ReceiptKind : std::uint8_t {
  erasure = 1,
  withdrawal = 2,  // Of consent to one purpose.
  expiry = 3,      // Days of a tenant whose retention is over.
  suppression = 4,
  transfer = 5,     // Destroyed here; at home in another region.
  offboarding = 6,  // A whole tenant.
  rekeying = 7,     // Of a scope: what was replaced or removed in it is gone.
  merger = 8,       // One of two entries for the same person.
};
EFFACE_EXPORT const char* name(ReceiptKind kind) noexcept;

// How far it had come when the receipt was signed. Each includes those before it.
enum class ReceiptState : std::uint8_t {
  sealed = 1,          // No key of it can be read any more.
  quiesced = 2,        // No cache of a process holds one.
  swept = 3,           // The ciphertext is removed.
  beyond_backups = 4,  // No recovery capsule opens an older keyring any more.
};
EFFACE_EXPORT const char* name(ReceiptState state) noexcept;

struct Receipt {
  using Hash = std::array<std::byte, 32>;
  using Time = std::chrono::sys_time<std::chrono::milliseconds>;

  // The ledger's entry, and its place.
  ReceiptKind kind{};
  std::uint64_t entry = 0;  // Its index, from 0.
  Time decided{};
  std::uint32_t tenant_number = 0;  // In its region; 0: none.
  std::optional<std::uint16_t> purpose_number{};
  std::optional<std::uint64_t> count{};        // People, or days.
  std::optional<std::chrono::sys_days> day{};  // Of an expiry: up to this one.
  std::optional<Epoch> epoch_before{};         // Nothing: no epoch ended.
  std::optional<Epoch> epoch_after{};
  std::optional<Hash> root_before{};  // BLAKE2b-256 of the sealed root node.
  std::optional<Hash> root_after{};
  std::optional<Hash> destroyed{};   // Of the random handle of the row that went.
  std::optional<Hash> commitment{};  // verify_about
  std::string actor{};               // A service or a desk.
  std::string detail{};              // Of the kind: a region, a basis.

  // What is stated beside it, by who signed.
  std::string region{};  // Names of that region, tenant, purpose. Empty: not stated.
  std::string tenant{};
  std::string purpose{};
  Time issued{};
  AssuranceLevel assurance{};
  std::string assurance_rests_on{};      // One line.
  std::uint32_t replicas_confirmed = 0;  // Root key stores that showed the key destroyed,
  std::uint32_t replicas = 0;            // of so many.
  std::uint32_t caches_wiped = 0;        // Processes that acknowledged.
  std::uint32_t caches_fenced = 0;       // Processes whose caches were made unreadable instead.
  ReceiptState state{};
  std::optional<std::chrono::sys_days> beyond_backups{};  // From this day; nothing: not known.
  std::vector<std::string> not_covered{};                 // A line each.

  // The ledger that the entry was proved to be in.
  std::string origin{};  // "efface/" and the region's id.
  std::uint64_t ledger_size = 0;
  Hash ledger_root{};

  friend bool operator==(const Receipt&, const Receipt&) = default;
};

// verifier_key: the region's, one line of text, got from the operator in a way that you trust.
EFFACE_EXPORT Result<Receipt> verify_receipt(std::string_view receipt,
                                             std::string_view verifier_key) noexcept;

// Whether it is about this person of this tenant. salt: 32 bytes, as they were when it was decided.
// Errors: corruption: it is not, or it says so of nobody. invalid_argument: not a salt.
EFFACE_EXPORT Status verify_about(const Receipt& receipt, Bytes salt, std::string_view tenant,
                                  std::string_view subject_id) noexcept;

// What binds an entry to a person (Receipt::commitment, Decision::commitment): a keyed hash of the
// tenant's name and her id. Errors: invalid_argument: not a salt.
EFFACE_EXPORT Result<Receipt::Hash> commitment_of(Bytes salt, std::string_view tenant,
                                                  std::string_view subject_id) noexcept;

// The salt of one of several people who were erased in one call with this one
// (ReceiptOptions::salt): nobody's salt tells of another. Errors: invalid_argument: not a salt.
EFFACE_EXPORT Result<std::array<std::byte, 32>> salt_of(Bytes salt,
                                                        std::string_view subject_id) noexcept;

// Whether the ledger of the later checkpoint begins with all of the earlier one: nothing was taken
// back or put in between.
EFFACE_EXPORT Status verify_consistency(std::string_view checkpoint_before,
                                        std::string_view checkpoint_after, std::string_view proof,
                                        std::string_view verifier_key) noexcept;

// The checkpoint that a receipt is proved against, as text, for verify_consistency. The receipt is
// not verified by this. Errors: corruption: no receipt.
EFFACE_EXPORT Result<std::string> checkpoint_of(std::string_view receipt) noexcept;

}  // namespace efface
