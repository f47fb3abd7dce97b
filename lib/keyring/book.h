// keyring/book.h -- the ledger as it stands in a keyring's environment, and how an entry is added.
//
// Shape   docs/format/keyring.md. Keys by their first bytes: 'l' index: a row of the book; 'h'
//         level index: the root of a complete subtree, at levels 8, 16, 24; 'i' request: the index
//         of the entry that a caller's request made; "ml": the head. A row is copy offset 8 |
//         reclaim 8 | horizon 4 | zero 4 | chain 16 | entry.
// Errors  corruption.
// Cost    An entry is one put beside the head's: about one dirty page a transaction.
#pragma once
#include <span>
#include <vector>

#include "keyring/ledger_copy.h"
#include "ledger/entry.h"
#include "storage/environment.h"

namespace efface::keyring {

struct BookHead {
  ledger::Frontier tree;
  Id16 chain{};                   // As of the last entry: see LedgerCopy.
  std::uint64_t copy_bytes = 0;   // How long the copy is when it has all of them.
  std::uint32_t horizon_day = 0;  // The last day on which a recovery capsule can open; 0: none.
};

struct BookRow {
  std::uint64_t copy_offset = 0;  // Where its frame begins in the copy.
  std::uint64_t reclaim = 0;      // What it left to be swept stands before this in the queue.
  std::uint32_t horizon_day = 0;  // Until when a recovery capsule of before opens; 0: none does.
  Id16 chain{};
  Bytes entry;
};

std::array<std::byte, 9> book_key(std::uint64_t index) noexcept;
std::array<std::byte, 17> request_key(const Id16& request) noexcept;

// The head of an empty book when there is none yet.
Result<BookHead> read_head(const storage::ReadTxn& txn, const Id16& region);
Result<BookHead> read_head(const storage::WriteTxn& txn, const Id16& region);
Result<BookRow> read_row(const storage::ReadTxn& txn, std::uint64_t index);

// Adds entries, in order, and the frames that the copy will get.
Status add_to_book(storage::WriteTxn& txn, BookHead& head, std::span<const ledger::Entry> entries,
                   std::uint64_t next_reclaim, std::vector<std::byte>& frames);

// Of which subtrees the roots are kept.
constexpr bool is_kept(unsigned level) noexcept { return level != 0 && level % 8 == 0; }

// The root of a complete subtree, from what is kept and from at most 256 entries.
Result<ledger::Hash> subtree_of(const storage::ReadTxn& txn, unsigned level, std::uint64_t index);

}  // namespace efface::keyring
