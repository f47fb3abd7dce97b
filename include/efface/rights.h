// efface/rights.h -- the words in which a person's rights and a controller's duties are spoken of.
//
// What is granted, withdrawn, objected to, restricted or held is decided by flags beside the
// person's keys and stands, with its evidence, in her file: sealed under a key of hers, written in
// the same commit as the flags, gone with her keys. docs/rights.md says what each article asks for,
// what is done here and what stays with the caller.
//
// Lifetime  Texts are borrowed: of a parameter for the call, of a callback's argument until it
//           returns.
//
// Example
//   shop.grant(alice, news, {.text_version = "terms-2026-05", .channel = "web"}).value();
//   Query question;
//   question.purpose = news;
//   question.consent = true;
//   const std::uint64_t consenting = shop.count(question).value();
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "efface/bytes.h"
#include "efface/types.h"

namespace efface {

using TimePoint = std::chrono::system_clock::time_point;

// How consent was given or withdrawn, to be shown when asked [7(1)].
struct Evidence {
  std::string_view text_version{};  // Of what she was shown: UTF-8, at most 64 bytes.
  std::string_view channel{};       // Where: UTF-8, at most 64 bytes.
  std::optional<TimePoint> when{};  // Nothing: now. From 1970 until now.
};

enum class EventKind : std::uint8_t {
  consent_granted = 1,
  consent_withdrawn = 2,
  objected = 3,
  objection_lifted = 4,
  restricted = 5,
  restriction_lifted = 6,
  held = 7,
  hold_released = 8,
  erasure_asked = 9,  // Under a hold.
  rectified = 10,
  reinstated = 11,
  transferred = 12,  // text_version: the basis; channel: the region she came from.
  identifier_added = 13,
  merged = 14,
};
EFFACE_EXPORT const char* name(EventKind kind) noexcept;

struct Event {
  EventKind kind{};
  TimePoint when{};
  std::string_view purpose{};  // Empty: of none.
  std::string_view text_version{};
  std::string_view channel{};
  std::string_view actor{};  // The Tenant handle's; "efface": maintain().
};

// A decision as the ledger of a region has it [5(2)]: it names nobody. Texts are valid while it is
// looked at.
struct Decision {
  std::uint64_t entry = 0;
  std::string_view what{};  // "erased", "consent_granted", ...: docs/format/ledger.md.
  TimePoint when{};
  std::uint32_t tenant_number = 0;  // In that region; 0: of none.
  std::optional<std::uint16_t> purpose_number{};
  std::optional<std::uint64_t> count{};  // Of people, or of days.
  std::optional<Epoch> epoch_before{};   // Where one ended.
  std::optional<Epoch> epoch_after{};
  std::string_view actor{};
  std::string_view detail{};
  // Binds a destruction to its person, for who has the salt: commitment_of in efface/receipt.h.
  std::optional<std::array<std::byte, 32>> commitment{};
};

// Why she may not be erased yet [17(3)].
struct HoldTerms {
  std::string_view basis{};   // A label: 1 to 64 of [a-z0-9_.-].
  std::string_view reason{};  // UTF-8, 1 to 1,024 bytes.
  // Nothing: until it is released. Otherwise the first maintain() after it releases the hold.
  std::optional<TimePoint> until{};
};
using HoldNumber = std::uint32_t;  // Of one person, from 1; never used again.

struct Hold {
  HoldNumber number = 0;
  std::string_view basis{};
  std::string_view reason{};
  TimePoint since{};
  std::optional<TimePoint> until{};
};

// What is on file about a person beside her records.
struct Dossier {
  bool restricted = false;
  bool erasure_asked = false;        // It waits for the release of her holds.
  std::span<const Event> events{};   // Oldest first.
  std::uint32_t events_dropped = 0;  // A file keeps the last 1,000, and of each purpose the last.
  std::span<const Hold> holds{};
  std::span<const std::string_view> identifiers{};  // Her further ids.
};

// Why personal data may leave its region [44-49].
enum class TransferBasis : std::uint8_t {
  adequacy = 1,          // [45]
  standard_clauses = 2,  // [46(2)(c)]
  binding_rules = 3,     // [47]
  derogation = 4,        // [49]
};
EFFACE_EXPORT const char* name(TransferBasis basis) noexcept;
EFFACE_EXPORT std::optional<TransferBasis> transfer_basis(std::string_view name) noexcept;

struct TransferRule {
  std::string from;  // A region of the tenant.
  std::string to;    // A region, of this store or not: a label.
  TransferBasis basis{};
  friend bool operator==(const TransferRule&, const TransferRule&) = default;
};

// The contract between controller and processor [28(3)].
struct Agreement {
  std::string reference;  // UTF-8, 1 to 64 bytes.
  std::chrono::sys_days date{};
  friend bool operator==(const Agreement&, const Agreement&) = default;
};

// A question across the people of a tenant. Whoever fits all the conditions that are given matches.
// Those about a purpose hold for one and the same purpose of hers: the one that is named, or any.
struct Query {
  std::optional<Purpose> purpose{};  // She has a scope of it; or, with consent false, has none.
  std::optional<bool> consent{};     // Needs a purpose: in force, or not.
  std::optional<bool> objected{};
  std::string_view recipient{};                  // Something of it was disclosed there.
  bool automated_decision = false;               // Something of it was decided without a human.
  std::optional<TimePoint> expires_before{};     // Some record of it does.
  std::optional<TimePoint> not_updated_since{};  // Nothing was written then or later, to the day.
  std::optional<bool> restricted{};              // Also by an erasure that a hold delays.
  std::optional<bool> held{};
};

struct QueryOptions {
  std::string_view cursor{};  // Of the page before; empty: from the beginning.
  std::size_t limit = 1'000;  // A page ends where it is reached, or up to some dozens later.
};

struct QueryPage {
  std::uint64_t matches = 0;
  std::string cursor;  // Of the next page; empty: that was the last.
};

// The record of processing activities of a controller [30(1)].
struct ProcessingRecord {
  struct Entry {
    PurposeTerms terms;
    std::uint64_t people = 0;  // Who have a scope of it.
    std::uint64_t consents = 0;
    std::uint64_t objections = 0;
    std::vector<std::string> recipients;  // Sorted.
    bool automated_decisions = false;
  };
  std::string tenant;
  std::vector<std::string> regions;
  std::optional<Agreement> agreement;
  std::vector<TransferRule> transfers;
  std::vector<Entry> purposes;
  std::uint64_t people = 0;
  std::uint64_t people_restricted = 0;
  std::uint64_t people_held = 0;
};

}  // namespace efface
