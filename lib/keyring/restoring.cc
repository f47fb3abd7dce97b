// A keyring that opens and is older than its ledger: a mirror that was behind, a recovery capsule.
// What it lacks stands in the ledger's copy, which outranks it.
#include <algorithm>

#include "keyring/keyring_txn.h"

namespace efface::keyring {
namespace {

Error stale() {
  return Error(Errc::keyring_stale, "the keyring is from before the last entries of its ledger");
}
Error mismatch() {
  return Error(Errc::ledger_mismatch, "the ledger is not the one that is remembered elsewhere");
}

bool begins(const ledger::Hash& root, Bytes with) {
  return std::ranges::equal(with, Bytes(root).first(std::min(with.size(), root.size())));
}

}  // namespace

Status Keyring::check_begins_with(std::uint64_t entries, Bytes root) const {
  if (entries > book_.tree.size) return stale();
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  EFFACE_ASSIGN(const ledger::Frontier then,
                ledger::frontier_of(entries, [&](unsigned level, std::uint64_t at) {
                  return subtree_of(txn, level, at);
                }));
  return begins(then.root(), root) ? Status() : Status(mismatch());
}

// The ledger that the root key store remembers is the beginning of this one, whose head was
// checked: where nothing was entered since, that was all of it.
Status Keyring::check_anchor(const Anchor& anchor) const {
  if (anchor.ledger_entries == 0) return {};
  if (anchor.ledger_entries != book_.tree.size)
    return check_begins_with(anchor.ledger_entries, anchor.ledger_hash);
  return begins(book_.tree.root(), anchor.ledger_hash) ? Status() : Status(mismatch());
}

Result<std::vector<ledger::Entry>> Keyring::missing_entries() {
  std::vector<ledger::Entry> missing;
  if (options_.ledger_copy == nullptr) return missing;
  Id16 chain = book_.chain;
  for (std::uint64_t offset = book_.copy_bytes;;) {
    EFFACE_ASSIGN(const auto frame, options_.ledger_copy->read(offset));
    if (!frame || frame->chain != next_chain(chain, frame->entry)) return missing;
    EFFACE_ASSIGN(ledger::Entry entry, ledger::decode(frame->entry));
    missing.push_back(std::move(entry));
    chain = frame->chain;
    offset = frame->end;
  }
}

// The copy goes on from this keyring, as far as the root key store remembers at least. One that is
// behind, or of another history, is what open_copy finds.
Status Keyring::check_copy(const Anchor& anchor) {
  EFFACE_ASSIGN(const std::vector<ledger::Entry> missing, missing_entries());
  if (missing.empty()) {
    EFFACE_TRY(check_anchor(anchor));
    return open_copy(anchor);
  }
  if (anchor.ledger_entries <= book_.tree.size) return check_anchor(anchor);
  ledger::Frontier tree = book_.tree;
  for (const ledger::Entry& entry : missing) {
    if (tree.size == anchor.ledger_entries) break;
    tree.add(ledger::leaf_hash(ledger::encode(entry)),
             [](unsigned, std::uint64_t, const ledger::Hash&) {});
  }
  if (tree.size < anchor.ledger_entries) return stale();
  return begins(tree.root(), anchor.ledger_hash) ? Status() : Status(mismatch());
}

Status Keyring::take_over(const Lock& held, std::span<const ledger::Entry> missing,
                          const ledger::Entry& restored) {
  EFFACE_CHECK(held.owns_lock() && held.mutex() == &writer_);
  EFFACE_TRY(change_plain([&](storage::WriteTxn& txn) -> Status {
    // What they left to be swept is swept as an orphan.
    std::vector<std::byte> frames;
    BookHead head = book_;
    EFFACE_TRY(add_to_book(txn, head, missing, 0, frames));
    return {};
  }));
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  EFFACE_ASSIGN(book_, read_head(txn, options_.region));
  return enter(held, {&restored, 1});
}

Result<std::uint64_t> Keyring::read_floor(const storage::ReadTxn& txn) {
  EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(records_floor_key));
  if (!bytes) return std::uint64_t{0};
  if (bytes->size() != 8)
    return Error(Errc::corruption, "what a keyring knows of its records makes no sense");
  return load_le<std::uint64_t>(bytes->data());
}

void Keyring::saw_records(std::uint64_t sequence) const noexcept {
  records_seen_.store(sequence, std::memory_order_release);
}

Status Keyring::put_floor(storage::WriteTxn& txn, Entered& into) const {
  into.records_floor = records_floor_;
  const std::uint64_t seen = records_seen_.load(std::memory_order_acquire);
  if (seen <= records_floor_) return {};
  std::array<std::byte, 8> bytes;
  store_le(bytes.data(), seen);
  into.records_floor = seen;
  return txn.put(records_floor_key, bytes);
}

}  // namespace efface::keyring
