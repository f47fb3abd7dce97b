// efface/observe.h -- what a store tells whoever runs it: events for a log, spans for a trace.
//
// Neither can carry personal data, by its type: enumerators, numbers, names of regions (labels),
// and texts that were literals of this library when it was compiled (Note). No id, name or value of
// anybody, no tenant, purpose or actor fits in.
//
// Threads   Each is called on the thread whose call it is about, and on several at the same time.
//           What is committed for several at once is told by the one that commits it.
// Rules     None of them may throw, or call into the store.
// Locks     on_log is called when the call that it is about has ended, before that answers: no lock
//           is held. The hooks of a trace are called as it happens, with whatever locks are held
//           just then: they should only put down what they are told.
// Lifetime  What is told is valid until the hook returns. But for texts of a Note, which stay.
// Cost      Where there are no hooks a branch a call, and one a phase.
//
// Example
//   options.on_log = [](const LogEntry& entry) { std::puts(to_text(entry).c_str()); };
//   options.trace.end = [](const TraceSpan& span) { took_in_all += span.took; };
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "efface/export.h"
#include "efface/result.h"

namespace efface {

enum class LogLevel : std::uint8_t {
  info = 1,
  warning = 2,  // A promise is kept later than it should be, or will not be kept for long.
  error = 3,    // Something does not work any more until somebody does something.
};
EFFACE_EXPORT const char* name(LogLevel level) noexcept;  // The enumerator's own name.

// What docs/operations.md says of each, in this order. The numbers are stable.
enum class LogEvent : std::uint16_t {
  opened = 1,             // A region. epoch, sequence
  memory_not_locked = 2,  // And it was not required. bytes
  keyring_replaced = 3,   // By a mirror of it. sequence
  latched = 4,            // A database, or the keyring: all answers closed, until it is reopened.
  map_grown = 5,          // bytes
  map_full = 6,           // The limit of OpenOptions: told once until something is written. bytes
  disk_full = 7,          // Likewise: what is left of the disk is kept for erasing.
  lock_waited = 8,        // Over a tenth of OpenOptions::deadline. milliseconds
  lock_timed_out = 9,     // Until it was over. milliseconds

  erase_pending = 20,    // A root key store has not confirmed. epoch, replicas_confirmed, replicas
  erase_finished = 21,   // Now it has; or what a crash had interrupted is done. epoch
  replica_missing = 22,  // At opening: nobody can be erased. replicas_confirmed, replicas
  replicas_complete = 23,  // All have done their part. replicas
  root_rotated = 24,       // epoch
  root_migrated = 25,      // epoch
  root_retired = 26,       // What the keyring had left holds no key any more.

  mirror_behind = 30,   // mirror (from 0), sequence
  mirror_absent = 31,   // Likewise.
  mirror_in_step = 32,  // Again: it was written anew. mirror, sequence
  ledger_copy_behind = 33,
  ledger_copy_in_step = 34,  // Again. entries

  relaxed_dropped = 40,  // What was acknowledged (Durability::relaxed) is refused now. batches
  relaxed_lost = 41,     // It could not be committed when its owner went. batches

  maintained = 50,    // What Maintained says.
  expiry_waits = 51,  // The clock may have jumped. days_overdue, days_max
  backed_up = 52,     // A region. bytes, epoch
  restored = 53,      // A region. What RestoredRegion says.

  events_dropped = 60,  // One call had more to tell than is kept. events
};
EFFACE_EXPORT const char* name(LogEvent event) noexcept;  // The enumerator's own name.
EFFACE_EXPORT const char* says(LogEvent event) noexcept;  // One sentence.

struct LogNumber {
  Note what = "";  // "epoch", "bytes" ...
  std::uint64_t value = 0;
};

struct LogEntry {
  LogEvent event{};
  LogLevel level{};
  std::string_view region{};  // Its name. Empty: of the store as a whole.
  Note database = "";         // "keyring" or "records", where it is about one of them.
  std::optional<Error> error{};
  std::span<const LogNumber> numbers{};
};

// In one line, without its end: level=warning event=lock_waited region=eu database=keyring
// milliseconds=1204 says="Somebody waited long for a lock."
EFFACE_EXPORT std::string to_text(const LogEntry& entry);

// A piece of work: a call of the public interface, which is named as it is declared
// ("Tenant::erase"), or a phase within one ("root_keys.rotate"). docs/operations.md has the phases.
// OpenTelemetry: a span of this name, id, parent and status. Chrome's trace format: an event of
// phase X with ts = began and dur = took, in microseconds, and tid = thread.
struct TraceSpan {
  Note name = "";
  std::string_view region{};         // Of a phase.
  std::uint64_t id = 0;              // From 1; of no other span of this process.
  std::uint64_t parent = 0;          // The span that it is within, on the same thread; 0: none.
  std::uint32_t depth = 0;           // Of how many it is within.
  std::uint32_t thread = 0;          // A small number that stands for it.
  std::chrono::nanoseconds began{};  // Of std::chrono::steady_clock.
  std::chrono::nanoseconds took{};   // At the end.
  std::optional<Error> error{};      // At the end: what was answered, if that is an error.
};

// Each that begins ends, on the same thread, whatever is answered; what began last ends first.
struct TraceHooks {
  std::function<void(const TraceSpan&)> begin{};
  std::function<void(const TraceSpan&)> end{};
};

}  // namespace efface
