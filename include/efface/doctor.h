// efface/doctor.h -- what Store::diagnose and Store::check answer.
//
// A finding is a text of the source and at most a number, so it never holds an id, a key, a name
// (but a region's, which is a label) or a path: it may be logged and sent. docs/doctor.md lists
// them all.
//
// Example
//   for (const Finding& finding : store.diagnose().value())
//     if (finding.severity >= Severity::warning)
//       std::printf("%s: %s %s\n", finding.check, finding.says, finding.remedy);
//   const bool well = store.check().value().clean();
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "efface/export.h"

namespace efface {

enum class Severity : std::uint8_t {
  ok = 0,
  note = 1,     // Worth knowing; nothing is wrong.
  warning = 2,  // A promise is weaker than it could be, or will be broken unless something is done.
  danger = 3,   // A promise is broken, or is about to be.
};
EFFACE_EXPORT const char* name(Severity severity) noexcept;  // The enumerator's own name.

struct Finding {
  Severity severity = Severity::ok;
  const char* check = "";                 // What was looked at: a label that stays.
  const char* says = "";                  // One sentence.
  const char* remedy = "";                // One sentence; empty when nothing has to be done.
  std::string region{};                   // Empty: of this process, or of the machine.
  std::optional<std::uint64_t> number{};  // What was counted, where something was.
};

// One kind of thing that does not verify, in one region.
struct Damage {
  const char* what = "";  // A label that stays: "node", "record", "ledger_chain" ...
  std::uint64_t count = 0;
  std::string region{};
};

struct CheckReport {
  std::uint64_t nodes = 0;  // Of key trees, opened.
  std::uint64_t rows = 0;
  std::uint64_t tenants = 0;
  std::uint64_t people = 0;
  std::uint64_t files = 0;    // On people, in the keyring.
  std::uint64_t records = 0;  // That open: with an id for each person and a summary for each scope.
  std::uint64_t shared = 0;   // Records of several people.
  std::uint64_t unswept = 0;  // Ciphertexts of the erased, waiting for maintain().
  std::uint64_t entries = 0;  // Of ledgers.
  std::vector<Damage> damage{};

  bool clean() const noexcept { return damage.empty(); }
};

}  // namespace efface
