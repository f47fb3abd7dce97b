// efface/types.h -- the small values that name things: regions, purposes, people, records.
//
// A region or a purpose is a value that one obtains from the store or the tenant that owns it,
// never a string that is passed along, so two of them cannot be swapped. The text of an id or a
// name is borrowed for the length of the call that it is passed to.
//
// Example
//   PurposeTerms terms;
//   terms.name = "news";
//   terms.basis = LegalBasis::consent;
//   terms.retention = Days(365);  // After which maintain() destroys the key of that day.
//   const Purpose news = shop.declare_purpose(terms).value();
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "efface/bytes.h"
#include "efface/export.h"
#include "efface/root_key_store.h"

namespace efface {

namespace internal {
struct Access;  // The library's own way into the handles.
struct RegionState;
}  // namespace internal

// One person's id in one tenant: 1 to 256 bytes of UTF-8. Personal data.
struct SubjectId {
  explicit constexpr SubjectId(std::string_view id EFFACE_BORROWED) noexcept : text(id) {}
  std::string_view text;
};

// A record's name within its scope: 1 to 1,024 bytes of UTF-8. Personal data, as far as we know.
struct RecordName {
  explicit constexpr RecordName(std::string_view name EFFACE_BORROWED) noexcept : text(name) {}
  std::string_view text;
};

// Who acts: a service or a desk, not a person's name. A label: 1 to 64 of [a-z0-9_.-].
struct Actor {
  explicit constexpr Actor(std::string_view label EFFACE_BORROWED) noexcept : text(label) {}
  std::string_view text;
};

// Where data lives. Obtained from an open Store; says nothing without it.
class EFFACE_EXPORT Region {
 public:
  std::string_view name() const noexcept EFFACE_BORROWED;
  bool is_open() const noexcept;  // Whether this process has its root key.
  friend bool operator==(const Region& a, const Region& b) noexcept { return a.state_ == b.state_; }

 private:
  friend struct internal::Access;
  explicit Region(std::shared_ptr<internal::RegionState> state) noexcept
      : state_(std::move(state)) {}
  std::shared_ptr<internal::RegionState> state_;
};

// GDPR article 6(1).
enum class LegalBasis : std::uint8_t {
  consent = 1,
  contract = 2,
  legal_obligation = 3,
  vital_interest = 4,
  public_task = 5,
  legitimate_interest = 6,
};
EFFACE_EXPORT const char* name(LegalBasis basis) noexcept;
EFFACE_EXPORT std::optional<LegalBasis> legal_basis(std::string_view name) noexcept;

using Days = std::chrono::duration<std::uint32_t, std::ratio<86'400>>;

// Why data is processed, declared per tenant.
struct PurposeTerms {
  std::string name;  // A label: 1 to 64 of [a-z0-9_.-].
  LegalBasis basis = LegalBasis::contract;
  // Records expire this many days after they are written (a UTC day's end); nothing: never.
  std::optional<Days> retention = std::nullopt;
  // Off where an attacker controls part of a record that also holds a secret: lengths leak.
  bool compress = true;
  // Of personal data [30(1)(c)]: labels, at most 16. For the record of processing activities.
  std::vector<std::string> categories{};
  friend bool operator==(const PurposeTerms&, const PurposeTerms&) = default;
};

// Obtained from a Tenant; meaningless in another.
class Purpose {
 public:
  friend bool operator==(const Purpose&, const Purpose&) = default;

 private:
  friend struct internal::Access;
  constexpr Purpose(std::uint64_t tenant, std::uint16_t number) noexcept
      : tenant_(tenant), number_(number) {}
  std::uint64_t tenant_;  // Which Tenant it came from.
  std::uint16_t number_;
};

// How the receipt of a destruction is asked for (Store::receipt).
struct ReceiptOptions {
  // 1 to 64 bytes, no personal data: whoever asks again with the same one, after a crash say, gets
  // what it did in Erasure::receipts, and nothing is done twice.
  Bytes request{};
  // 32 random bytes that bind the receipt to the person's id. Empty: made, and answered. Of several
  // people who are erased in one call each gets one of her own, made of this one and her id:
  // salt_of in efface/receipt.h tells it again.
  Bytes salt{};
};

struct EraseOptions {
  // For OpenOptions::on_erased: at most 64 bytes. No personal data: it is kept, sealed under a key
  // of the tenant, until the callback has answered.
  Bytes token{};
  ReceiptOptions receipt{};  // A request is for one person alone.
};

// Where a destruction stands in the ledger of its region.
struct ReceiptTicket {
  std::string region;
  std::uint64_t entry = 0;
  std::size_t which = 0;  // Of the ids that were given.
  // Keep it: with it one can show that the receipt is about the person. It is stored nowhere, and
  // is zeros when a request that was made before did not say it again.
  std::array<std::byte, 32> salt{};
};

// What an erasure did.
struct Erasure {
  // People (or one tenant, or of a withdrawal one scope) whose keys were there and are destroyed.
  std::uint64_t erased = 0;
  std::uint64_t unknown = 0;  // Asked for, and not there.
  std::uint64_t held = 0;     // On legal hold: not erased; it is done when the hold is released.
  // Links of the erased to shared records. Those shared on Sharing::any terms stay readable for
  // who else has them.
  std::uint64_t shared = 0;
  // One entry a region that an epoch ended in. Empty when nothing was there.
  struct InRegion {
    std::string region;
    Epoch epoch_before = 0;
    Epoch epoch_after = 0;
    Assurance assurance;
  };
  std::vector<InRegion> regions;
  std::vector<ReceiptTicket> receipts;  // One for each that was destroyed and can be named.
};

}  // namespace efface
