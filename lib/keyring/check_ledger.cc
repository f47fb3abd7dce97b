#include "keyring/check_ledger.h"

#include <algorithm>

#include "base/check.h"

namespace efface::keyring {
namespace {

bool remembers(const Anchor& anchor, const ledger::Frontier& tree) {
  const ledger::Hash root = tree.root();
  return std::ranges::equal(anchor.ledger_hash, Bytes(root).first(anchor.ledger_hash.size()));
}

// The frame of one entry in the copy.
Status look_at_copy(const LedgerCopy& copy, const BookRow& row, KeyringCheck& into) {
  EFFACE_ASSIGN(const auto frame, copy.read(row.copy_offset));
  const bool same =
      frame && frame->chain == row.chain && std::ranges::equal(frame->entry, row.entry);
  if (!same) ++into.damage[damage::ledger_copy];
  return {};
}

}  // namespace

Status check_ledger(const storage::ReadTxn& txn, const Id16& region, const LedgerCopy* copy,
                    const Anchor& anchor, KeyringCheck& into) {
  const auto head = read_head(txn, region);
  if (!head && !is_damage(head.error().code())) return head.error();
  if (!head) {
    ++into.damage[damage::ledger_tree];
    return {};
  }
  ledger::Frontier tree;
  Id16 chain = first_chain(region);
  bool trees_agree = true;
  bool anchor_agrees = anchor.ledger_entries <= head->tree.size;
  for (std::uint64_t index = 0; index < head->tree.size; ++index) {
    const auto row = read_row(txn, index);
    if (!row && !is_damage(row.error().code())) return row.error();
    if (!row || !ledger::decode(row->entry)) ++into.damage[damage::ledger_entry];
    if (!row) return {};  // What follows hangs together by it.
    ++into.entries;
    chain = next_chain(chain, row->entry);
    if (chain != row->chain) ++into.damage[damage::ledger_chain];
    chain = row->chain;  // So that what is damaged is counted once.
    if (copy != nullptr) EFFACE_TRY(look_at_copy(*copy, *row, into));
    tree.add(ledger::leaf_hash(row->entry),
             [&](unsigned level, std::uint64_t at, const ledger::Hash& hash) {
               if (!is_kept(level)) return;
               const auto kept = subtree_of(txn, level, at);
               trees_agree = trees_agree && kept && *kept == hash;
             });
    if (tree.size == anchor.ledger_entries) anchor_agrees = remembers(anchor, tree);
  }
  if (chain != head->chain) ++into.damage[damage::ledger_chain];
  if (!trees_agree || tree.peaks != head->tree.peaks) ++into.damage[damage::ledger_tree];
  if (!anchor_agrees) ++into.damage[damage::ledger_anchor];
  return {};
}

}  // namespace efface::keyring
