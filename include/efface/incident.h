// efface/incident.h -- personal data breaches [GDPR 33, 34]: what somebody got, whom it concerns,
// and the register.
//
// What can be read of a copy follows from what else was got:
//
//   record files                    nothing: ciphertext. They show sizes, write times, bucket days.
//   keyring files                   nothing without what the root key store held then.
//   keyring files and root keys     keys and no data: at risk, once records are got as well.
//   all three                       readable.
//   memory of a process             readable: it has the keys, and plaintext.
//
// A copy of a keyring opens with the root key of its own epoch, and every erasure ends one: who was
// erased before a copy was made is beyond its reach. Within an epoch older pages open too. Root key
// stores hold a spare for the epoch to come, so what was got of one opens copies of that as well.
//
// Threads  Values, which own their texts.
//
// Example
//   IncidentTerms terms;
//   terms.from = system_clock::now() - std::chrono::hours(48);
//   terms.until = terms.discovered = system_clock::now();
//   terms.exposed = {.records = true, .keyring = true};
//   terms.reference = "INC-17: a disk was sold";
//   const IncidentNumber incident = store.open_incident(terms, Actor("security")).value();
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "efface/export.h"
#include "efface/rights.h"

namespace efface {

// Of one store, whatever the region. Where there are several regions, not every number is used.
using IncidentNumber = std::uint64_t;

// What somebody got, or may have got.
struct Exposed {
  bool records = false;   // Of the record files, or a backup of them.
  bool keyring = false;   // Of the keyring files, or a mirror of them.
  bool root_key = false;  // What the root key store held, at a time within the window.
  bool memory = false;    // Of a process that had the store open, or of swap.
  friend bool operator==(const Exposed&, const Exposed&) = default;
};

enum class Reach : std::uint8_t {
  nothing = 1,
  at_risk = 2,  // Keys: whoever gets the records as well reads them.
  readable = 3,
};
EFFACE_EXPORT const char* name(Reach reach) noexcept;
EFFACE_EXPORT Reach reach_of(const Exposed& exposed) noexcept;

// The window is the time in which copies were, or may have been, made.
struct IncidentTerms {
  std::vector<std::string> tenants{};  // Empty: all that there are.
  std::vector<std::string> regions{};  // Empty: all that are open.
  TimePoint from{};
  TimePoint until{};
  Exposed exposed;
  std::string reference{};  // UTF-8, 1 to 1,024 bytes. No personal data.
  TimePoint discovered{};   // When the controller, or processor, became aware of it [33(1)].
};

struct IncidentUpdate {
  TimePoint when{};
  std::string actor;
  std::string text;
  friend bool operator==(const IncidentUpdate&, const IncidentUpdate&) = default;
};

// As it stands in the register [33(5)].
struct Incident {
  IncidentNumber number = 0;
  IncidentTerms terms;        // Its tenants and regions by name, in order.
  bool every_tenant = false;  // None was named.
  TimePoint opened{};
  std::string opened_by;
  TimePoint deadline{};  // To notify the authority: 72 hours after it was discovered.
  // Until the deadline; negative: it passed so long ago. Nothing: the authority was notified, or
  // the incident is closed.
  std::optional<std::chrono::seconds> left{};
  std::vector<IncidentUpdate> updates{};          // Oldest first.
  std::optional<TimePoint> authority_notified{};  // [33]
  std::optional<TimePoint> people_notified{};     // [34]
  std::optional<TimePoint> closed{};
};

// Who is told.
enum class Audience : std::uint8_t { authority = 1, people = 2 };

// What could be read of one tenant, as far as it is known now. Who was in two regions of the
// incident is counted in both. With Reach::nothing nobody counts, but for who is beyond reach.
struct TenantExposure {
  std::string tenant;
  Reach reach{};
  // Whose keys were there at some time within the window.
  std::uint64_t people = 0;
  // Of those, how many have been erased, moved or merged since. The ledger counts them; nobody can
  // say any more who they were, or what for.
  std::uint64_t people_gone = 0;
  std::uint64_t people_beyond_reach = 0;  // Erased before the window began.
  std::uint64_t days_gone = 0;            // Of retention, destroyed since: their records counted.
  std::uint64_t days_beyond_reach = 0;
  struct OfPurpose {
    std::string purpose;
    std::vector<std::string> categories;
    std::uint64_t people = 0;  // With records from before the window's end.
    // With newer records alone, where others may have been overwritten or removed.
    std::uint64_t people_perhaps = 0;
    std::uint64_t records = 0;        // From before the window's end, that are still there.
    std::uint64_t consents_gone = 0;  // Withdrawn since: there at most.
    std::uint64_t consents_beyond_reach = 0;
    friend bool operator==(const OfPurpose&, const OfPurpose&) = default;
  };
  std::vector<OfPurpose> purposes{};  // In the order they were declared.
  friend bool operator==(const TenantExposure&, const TenantExposure&) = default;
};

// The same of all tenants of an incident.
struct Exposure {
  Reach reach{};
  std::uint64_t tenants = 0;
  std::uint64_t people = 0;
  std::uint64_t people_gone = 0;
  std::uint64_t people_beyond_reach = 0;
  struct InRegion {
    std::string region;
    // A copy made within the window may show pages back to the last end of an epoch before it.
    // Nothing: to the region's creation.
    std::optional<TimePoint> reaches_back_to{};
    // Off-boarded since it began: their people count as gone.
    std::uint64_t tenants_gone = 0;
    std::uint64_t epochs_ended = 0;  // Within the window: no copy of before opens with what came.
  };
  std::vector<InRegion> regions{};
};

}  // namespace efface
