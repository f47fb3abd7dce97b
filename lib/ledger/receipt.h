// ledger/receipt.h -- receipts as they are written. efface/receipt.h is how they are read.
//
// Shape   docs/format/ledger.md: a note whose text is lines in a fixed order, an empty line, and
//         the checkpoint that the entry is proved against, which is a note itself.
// Errors  invalid_argument: a statement that cannot be written: not a label, not one line, a year
//         with five digits, an entry that no receipt is made of, a proof that does not prove.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/sign.h"
#include "efface/receipt.h"
#include "ledger/entry.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

namespace efface::ledger {

inline constexpr std::size_t receipt_bytes_max = 64 * 1024;
inline constexpr std::size_t not_covered_lines_max = 32;
inline constexpr std::size_t statement_line_bytes_max = 256;  // `rests_on`, a `not covered`.

// What receipts are made of; nothing for the other kinds.
std::optional<ReceiptKind> receipt_kind(Kind kind) noexcept;

// Of `statement` counts what the entry and the checkpoint do not say themselves, and the index.
Result<std::string> write_receipt(const Receipt& statement, Bytes entry,
                                  std::span<const Hash> proof, const Checkpoint& checkpoint,
                                  const crypto::SigningKey& key);

Result<Receipt> read_receipt(std::string_view receipt, std::string_view verifier_key);

}  // namespace efface::ledger
