// efface/sealer.h -- bytes that are kept elsewhere, sealed under a key of one person and one
// purpose: efface is the keyring, and any database, log or object store becomes erasable.
//
// docs/examples/sealer_in_a_log.cc erases from a log that is never rewritten, and
// docs/examples/sealed_postgres.cc from a database, its write-ahead log and its dumps.
//
// What was sealed opens while its key is there, and the key goes with the person's erasure, with
// the withdrawal of her consent, with discard, and, where it has a retention, with the end of its
// day. Re-keying for the residue of records (maintain, Shred::now) leaves it alone: the key is not
// that of her records (docs/decisions/0014).
//
// Shape    docs/format/sealed.md: 72 bytes more than the plaintext. Nothing in clear names anybody
//          or tells two people's bytes apart.
// Threads  Sealer: shared freely. Unsealed: one at a time.
// Rules    As Activity's, in the same order; sealing is writing and opening is reading.
// Limits   efface does not know where the bytes are. So it does not sweep, export, count or list
//          them; no legal hold keeps them past their day; and while their key lives, an old copy
//          of a row that was changed or deleted there opens too. Who has bytes sealed is neither
//          transferred nor merged into somebody else (conflict) before discard.
// Cost     Two microseconds and a half for 1 KiB either way, once her keys are cached. The first
//          seal for a person and purpose makes a key, in a durable commit of the keyring.
//
// Example
//   const Sealer notes = shop.sealer(orders).value();
//   const SealContext where("orders.note/42");
//   const auto bytes = notes.seal(alice, where, as_bytes("Ring twice.")).value();
//   // ... into a column, a log, a bucket; later:
//   const Unsealed note = notes.open(alice, where, bytes).value();
#pragma once
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "efface/bytes.h"
#include "efface/result.h"
#include "efface/subject.h"
#include "efface/types.h"

namespace efface {

// What the bytes are and where they stand (a table, column and primary key, say), so that they open
// nowhere else. Any bytes, at most 1,024; may be empty. It is not stored: it has to be said again.
struct SealContext {
  explicit constexpr SealContext(std::string_view said EFFACE_BORROWED) noexcept : text(said) {}
  std::string_view text;
};

struct SealOptions {
  std::optional<Days> retention = std::nullopt;  // Instead of the purpose's; never longer than it.
};

// The plaintext, owned: the bytes live as long as it does and are wiped with it.
class EFFACE_EXPORT Unsealed {
 public:
  Unsealed(Unsealed&&) noexcept;
  Unsealed& operator=(Unsealed&&) noexcept;
  ~Unsealed();

  Bytes bytes() const& noexcept EFFACE_BORROWED;
  Bytes bytes() const&& = delete;  // A view of a temporary would dangle.

 private:
  friend struct internal::Access;
  struct State;
  explicit Unsealed(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

// Obtained from a Tenant for a purpose. Keeps the store open.
class EFFACE_EXPORT Sealer {
 public:
  Purpose purpose() const noexcept;

  // Errors: those of Activity::put; invalid_argument for a retention; too_large: more than 16 MiB,
  // or a longer context.
  Result<std::vector<std::byte>> seal(const Subject& subject, SealContext context, Bytes plain,
                                      const SealOptions& options = {}) const;

  // Errors: those of Activity::get; purpose_not_permitted: sealed for another purpose.
  // seal_unknown: sealed for somebody else, or under a key that is destroyed: which of them cannot
  // be told. expired: its day is over. corruption: changed, or not said in the same context; or
  // nothing that was sealed here. format_new.
  Result<Unsealed> open(const Subject& subject, SealContext context, Bytes sealed) const;

  // Destroys her key for the purpose: what was sealed for it until now never opens again, and her
  // records stay. Erasure::erased is 1 when there was one. What is sealed next gets a fresh key.
  // Works while she is restricted. Errors: legal_hold; those of Tenant::withdraw.
  Result<Erasure> discard(const Subject& subject, const ReceiptOptions& receipt = {}) const;

 private:
  friend struct internal::Access;
  struct State;
  explicit Sealer(std::shared_ptr<const State> state) noexcept;
  std::shared_ptr<const State> state_;
};

}  // namespace efface
