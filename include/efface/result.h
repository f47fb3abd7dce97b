// efface/result.h -- how every fallible call in this library reports its outcome.
//
// Threads  Plain values; no shared state.
// Errors   An Error is a code, a compile-time text and a system code. It cannot carry a key, an id,
//          a name or a value, so it is always safe to log.
// Source   Member names follow C++23 std::expected. Never an alias of it: the type must not depend
//          on the consumer's -std flag (one ABI). value() aborts where std::expected would throw.
//
// Example
//   const auto found = selling.get(alice, RecordName(""));
//   if (!found) std::printf("%s: %s\n", name(found.error().code()), found.error().note());
#pragma once
#include <cstdint>
#include <cstdlib>
#include <type_traits>
#include <utility>
#include <variant>

#include "efface/export.h"

namespace efface {

// What went wrong, grouped by what the caller can do about it. The numbers are stable.
enum class Errc : std::uint16_t {
  // Fix the call.
  invalid_argument = 1,  // Empty, not UTF-8, or out of range.
  too_large = 2,         // Over a limit of efface/limits.h.
  exists = 3,            // Already there: a store, a tenant, a person or her identifier.
  conflict = 4,  // There already, with other terms; of a plan that has changed; a lost race.

  // Nothing of that name.
  store_missing = 10,
  tenant_unknown = 11,
  region_unknown = 12,
  purpose_unknown = 13,
  subject_unknown = 14,  // By id, where erased and never enrolled answer alike; another tenant's.

  // Refused by the rules of access.
  subject_erased = 20,         // Only from a Subject that was obtained before the erasure.
  region_mismatch = 21,        // The person's home is another region.
  region_not_permitted = 22,   // The tenant was not declared for this region.
  region_not_open = 23,        // This process has no root key for the region.
  purpose_not_permitted = 24,  // The record was not collected for this purpose.
  expired = 25,                // The record's retention is over.
  consent_missing = 26,        // The purpose rests on consent, and none is in force.
  suppressed = 27,             // She is on the suppression list until she is reinstated.
  restricted = 28,             // She is kept, and neither read nor written [18].
  objected = 29,               // She objected to the purpose [21].

  // The deployment needs attention.
  busy = 30,              // Another process, or this one, has the store open; or a deadline passed.
  keyring_stale = 31,     // The keyring is older than its root keys: an erasure came in between.
  root_key_missing = 32,  // The root key store is not there, or empty.
  root_key_mismatch = 33,  // The root key store belongs to another keyring.
  passphrase_wrong = 34,
  assurance_too_low = 35,  // The root key store destroys only logically and L0 was not accepted.
  unsafe_path = 36,  // A symlink, a foreign owner, a loose mode, or the root key inside the data.
  unsafe_filesystem = 37,  // A network or unknown file system.
  format_old = 38,
  format_new = 39,
  memory_not_locked = 40,  // The system refused to lock memory for keys.
  token_unavailable = 41,  // The token that holds root keys is not there, or refuses.
  unsupported = 42,        // This build, or this token, cannot do it.
  rate_limited = 43,       // Too soon for the token's endurance: later.
  ledger_mismatch = 44,    // The ledger contradicts its copy, or what stands with the root key.
  records_stale = 45,      // The records are older than the keyring: restore them.

  // Stop. What is on disk is said where the call is declared.
  corruption = 50,       // Bytes do not verify.
  full = 51,             // The limit of OpenOptions is reached. Erasing still works.
  no_space = 52,         // The file system is full.
  io = 53,               // The system refused; see system_code().
  outcome_unknown = 54,  // A commit failed half way: reopen the store to learn what is there.
  closed = 55,           // An earlier failure latched the store: reopen it.
  forked = 56,           // The store was opened by the parent process.
  out_of_memory = 57,
  erase_pending = 58,  // The keyring has forgotten; a root key store has not confirmed yet.

  // Refused by the rules of access, and by duties.
  legal_hold = 60,              // Kept until the hold is released; then it is carried out.
  transfer_not_permitted = 61,  // No recorded rule lets the data go there [44-49].
  transfer_pending = 62,        // A transfer has begun and is not through.
  basis_differs = 63,           // The purpose rests on another legal basis.
  agreement_missing = 64,       // The tenant has no processing agreement on record [28].
  hold_unknown = 65,            // She has no hold of that number.
  receipt_unknown = 66,         // The ledger has no such entry, or no such request.
  incident_unknown = 67,        // The register has no such incident.
  seal_unknown = 68,            // Sealed bytes are of somebody else, or their key is destroyed.
};

// The enumerator's own name ("subject_unknown"), for logs and for JSON. Never null.
EFFACE_EXPORT const char* name(Errc code) noexcept;

// Text that can only be made from a constant expression.
struct Note {
  consteval Note(const char* literal) noexcept : text(literal) {}
  const char* text;
};

class [[nodiscard]] Error {
 public:
  constexpr Error(Errc code, Note note, int system_code = 0) noexcept
      : note_(note.text), system_code_(system_code), code_(code) {}
  constexpr Errc code() const noexcept { return code_; }
  constexpr int system_code() const noexcept { return system_code_; }  // errno or LMDB's, or 0.
  constexpr const char* note() const noexcept { return note_; }

 private:
  const char* note_;
  int system_code_;
  Errc code_;
};
static_assert(sizeof(Error) == 16 && std::is_trivially_copyable_v<Error>);

// Either a T or an Error. Reading the wrong side is a bug in the caller and aborts in every build.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) noexcept(std::is_nothrow_move_constructible_v<T>)
      : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) noexcept : state_(std::in_place_index<1>, error) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  T& value() & { return side<0>(state_); }
  const T& value() const& { return side<0>(state_); }
  T value() && { return std::move(side<0>(state_)); }  // By value: no reference into a temporary.
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() & { return &side<0>(state_); }
  const T* operator->() const& { return &side<0>(state_); }
  Error error() const { return side<1>(state_); }

  template <class F>
  std::invoke_result_t<F, T> and_then(F&& next) && {
    if (!has_value()) return error();
    return std::forward<F>(next)(std::move(*this).value());
  }

 private:
  template <std::size_t I, class S>
  static auto& side(S& state) noexcept {
    auto* found = std::get_if<I>(&state);
    if (found == nullptr) std::abort();
    return *found;
  }
  std::variant<T, Error> state_;
};

struct Done {};
template <>
class [[nodiscard]] Result<void> : public Result<Done> {
 public:
  Result() noexcept : Result<Done>(Done{}) {}
  Result(Error error) noexcept : Result<Done>(error) {}
};
using Status = Result<void>;

}  // namespace efface
