// keyring/check.h -- what Keyring::check finds in one keyring.
#pragma once
#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_set>

#include "base/bytes.h"
#include "efface/result.h"

namespace efface::keyring {

// By the label of what does not verify (efface/doctor.h).
using DamageCounts = std::map<const char*, std::uint64_t, std::less<std::string_view>>;

struct KeyringCheck {
  std::uint64_t nodes = 0;
  std::uint64_t rows = 0;
  std::uint64_t tenants = 0;
  std::uint64_t people = 0;
  std::uint64_t files = 0;
  std::uint64_t entries = 0;  // Of the ledger.
  DamageCounts damage{};

  // For who checks the records: the handles of all rows of people, those that wait to be swept, and
  // whether those of a whole tenant do.
  std::unordered_set<Id16, Id16Hash> alive{};
  std::unordered_set<Id16, Id16Hash> waiting{};
  bool tenant_waits = false;
};

// What is counted; any other error keeps from looking.
inline bool is_damage(Errc code) noexcept {
  return code == Errc::corruption || code == Errc::format_new;
}

namespace damage {
inline constexpr const char* node = "node";              // Missing, or does not open.
inline constexpr const char* row = "row";                // Stands where its tag is not looked for.
inline constexpr const char* stray_node = "stray_node";  // No tree leads to it.
inline constexpr const char* stray_entry = "stray_entry";      // Nothing leads to it.
inline constexpr const char* terms = "terms";                  // Of a tenant.
inline constexpr const char* file = "file";                    // On a person.
inline constexpr const char* note = "note";                    // Of the region: an incident.
inline constexpr const char* reclaim = "reclaim";              // An entry of the queue.
inline constexpr const char* ledger_entry = "ledger_entry";    // Missing, or cannot be read.
inline constexpr const char* ledger_chain = "ledger_chain";    // Is not what followed.
inline constexpr const char* ledger_tree = "ledger_tree";      // Is not that of the entries.
inline constexpr const char* ledger_copy = "ledger_copy";      // Is not what the ledger is.
inline constexpr const char* ledger_anchor = "ledger_anchor";  // The root key store has another.
}  // namespace damage

}  // namespace efface::keyring
