// The ledger of a keyring: entered with what it records, copied outside before anything is
// destroyed, and compared with what the root key store remembers.
#include <algorithm>

#include "crypto/prf.h"
#include "keyring/keyring_txn.h"
#include "keyring/mutant.h"

namespace efface::keyring {
namespace {

Tag signing_tag() noexcept {
  static const Tag tag = crypto::hash128({as_bytes("efface.signing")});
  return tag;
}

std::uint64_t to_ms(std::chrono::system_clock::time_point when) {
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
  return ms < 0 ? 0 : static_cast<std::uint64_t>(ms);
}

Status check_index(std::uint64_t index, std::uint64_t size) {
  if (index < size) return {};
  return Error(Errc::receipt_unknown, "the ledger has no such entry");
}

constexpr std::array<std::byte, 1> queue_prefix{std::byte{'q'}};

}  // namespace

Status Keyring::enter(storage::WriteTxn& txn, std::span<ledger::Entry> entries,
                      std::uint64_t next_reclaim, Entered& into) const {
  const auto now = options_.now != nullptr ? options_.now() : std::chrono::system_clock::now();
  for (ledger::Entry& entry : entries) entry.time_ms = to_ms(now);
  into.head = book_;
  into.frames.clear();
  EFFACE_TRY(add_to_book(txn, into.head, entries, next_reclaim, into.frames));
  into.any = true;
  return put_floor(txn, into);
}

// What ends an epoch says which, and what the root was and is.
Status Keyring::enter_change(storage::WriteTxn& txn, Txn& change, const NextRoot& next,
                             Entered& into) const {
  std::vector<ledger::Entry>& entries = change.entries();
  if (entries.empty()) return {};
  if (next.epoch != epoch()) {
    EFFACE_ASSIGN(const auto root, hash_of_root(change.nodes(), change.top().bucket_count));
    into.ends_epoch = true;
    for (ledger::Entry& entry : entries) {
      entry.epoch_before = epoch();
      entry.epoch_after = next.epoch;
      entry.root_before = root_hash_;
      entry.root_after = root;
    }
  }
  EFFACE_ASSIGN(const Header header, change.header());
  return enter(txn, entries, header.next_reclaim, into);
}

// It is committed. The copy follows at once, but of what ends an epoch: that is read back first, so
// that a commit which was lost does not leave the copy ahead. It is made durable before anything is
// destroyed.
void Keyring::keep(Entered&& entered) {
  if (!entered.any) return;
  const std::uint64_t offset = book_.copy_bytes;
  book_ = std::move(entered.head);
  records_floor_ = entered.records_floor;
  if (options_.ledger_copy == nullptr) return;
  if (entered.ends_epoch) copy_behind_ = true;
  if (copy_behind_) return;
  const Status written = options_.ledger_copy->write(offset, entered.frames);
  copy_behind_ = !written;
  tell_copy(written);
}

Status Keyring::sync_copy() {
  if (options_.ledger_copy == nullptr || mutant == Mutant::ledger_not_copied) return {};
  Status synced;
  if (copy_behind_) {
    synced = catch_up_copy();
  } else if (copy_synced_entries_ != book_.tree.size) {
    synced = options_.ledger_copy->sync();
    if (synced) copy_synced_entries_ = book_.tree.size;
    copy_behind_ = !synced;
  }
  tell_copy(synced);
  return synced;
}

// Writes what the copy lacks, which is the beginning of the book or nothing.
Status Keyring::catch_up_copy() {
  LedgerCopy& copy = *options_.ledger_copy;
  EFFACE_ASSIGN(const std::uint64_t length, copy.size());
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  EFFACE_ASSIGN(const BookHead head, read_head(txn, options_.region));
  // How many entries lie wholly within it.
  std::uint64_t whole = 0;
  std::uint64_t beyond = head.tree.size;
  while (whole < beyond) {
    const std::uint64_t middle = whole + (beyond - whole) / 2;
    EFFACE_ASSIGN(const BookRow row, read_row(txn, middle));
    if (row.copy_offset + frame_overhead_bytes + row.entry.size() <= length)
      whole = middle + 1;
    else
      beyond = middle;
  }
  // What was never synced may be torn anywhere: up to the first that is. Where to go on says an
  // entry that was found there, so that a row which was read wrong leads nowhere.
  std::uint64_t good = std::min(whole, copy_synced_entries_);
  std::uint64_t offset = LedgerCopy::header_bytes;
  Id16 chain = first_chain(options_.region);
  const auto follows = [&](std::uint64_t index) -> Result<bool> {
    EFFACE_ASSIGN(const BookRow row, read_row(txn, index));
    EFFACE_ASSIGN(const bool there, copy_has(row));
    if (!there) return false;
    offset = row.copy_offset + frame_overhead_bytes + row.entry.size();
    chain = row.chain;
    return true;
  };
  for (; good > 0; --good) {
    EFFACE_ASSIGN(const bool there, follows(good - 1));
    if (there) break;
  }
  for (; good < whole; ++good) {
    EFFACE_ASSIGN(const bool there, follows(good));
    if (!there) break;
  }
  // What follows is torn, or the copy is of another history.
  EFFACE_ASSIGN(const auto next, copy.read(offset));
  if (next && next->chain == next_chain(chain, next->entry))
    return Error(Errc::ledger_mismatch, "the ledger and its copy contradict each other");
  if (length != offset) EFFACE_TRY(copy.cut(offset));
  constexpr std::size_t batch_bytes = std::size_t{1} << 20;
  std::vector<std::byte> frames;
  for (std::uint64_t index = good; index < head.tree.size; ++index) {
    EFFACE_ASSIGN(const BookRow row, read_row(txn, index));
    chain = next_chain(chain, row.entry);
    if (chain != row.chain)  // What is damaged here is not copied.
      return Error(Errc::corruption, "an entry of the ledger does not follow the one before");
    add_frame(frames, row.chain, row.entry);
    if (frames.size() < batch_bytes && index + 1 < head.tree.size) continue;
    EFFACE_TRY(copy.write(offset, frames));
    offset += frames.size();
    frames.clear();
  }
  EFFACE_TRY(copy.sync());
  copy_behind_ = false;
  copy_synced_entries_ = head.tree.size;
  return {};
}

// The head is not sealed: what it says is compared with the entries before it is passed on.
Status Keyring::check_head() const {
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  EFFACE_ASSIGN(const ledger::Frontier found,
                ledger::frontier_of(book_.tree.size, [&](unsigned level, std::uint64_t at) {
                  return subtree_of(txn, level, at);
                }));
  const Error damaged(Errc::corruption, "the head of the ledger is not that of its entries");
  if (found.peaks != book_.tree.peaks) return damaged;
  if (book_.tree.size == 0) return {};
  EFFACE_ASSIGN(const BookRow last, read_row(txn, book_.tree.size - 1));
  if (last.chain != book_.chain ||
      last.copy_offset + frame_overhead_bytes + last.entry.size() != book_.copy_bytes)
    return damaged;
  return {};
}

// The copy may be behind: a crash, or it was lost and is made anew from the book. A loss of power
// may leave it as long as it was and torn anywhere in what was never synced, which is beyond what
// the root key store remembers. It may not be ahead, which says that this keyring is from before.
Status Keyring::open_copy(const Anchor& anchor) {
  if (options_.ledger_copy == nullptr) return {};
  LedgerCopy& copy = *options_.ledger_copy;
  copy_synced_entries_ = std::min(anchor.ledger_entries, book_.tree.size);
  EFFACE_ASSIGN(const std::uint64_t length, copy.size());
  if (length >= book_.copy_bytes) {
    EFFACE_ASSIGN(const auto next, copy.read(book_.copy_bytes));
    if (next && next->chain == next_chain(book_.chain, next->entry))
      return Error(Errc::keyring_stale,
                   "the keyring is from before the last entries of its ledger");
    const std::uint64_t size = book_.tree.size;
    const bool all_synced = size == copy_synced_entries_;
    const std::uint64_t first = all_synced && size > 0 ? size - 1 : copy_synced_entries_;
    EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
    EFFACE_ASSIGN(const bool whole, copy_has_entries(txn, first, size));
    if (whole) {
      if (length > book_.copy_bytes) EFFACE_TRY(copy.cut(book_.copy_bytes));  // Torn.
      return {};
    }
    if (all_synced)
      return Error(Errc::ledger_mismatch, "the ledger and its copy contradict each other");
  }
  copy_behind_ = true;
  // First the mirrors: one that had less than the copy would be refused, were it all that is left.
  if (mirrors_) mirrors_->catch_up(environment_, last_commit_);
  EFFACE_TRY(catch_up_copy());
  // Of a keyring that is new the copy is made here.
  if (book_.tree.size > 1)
    watch().note(LogEvent::ledger_copy_in_step, {{"entries", book_.tree.size}});
  return {};
}

Result<bool> Keyring::copy_has_entries(const storage::ReadTxn& txn, std::uint64_t first,
                                       std::uint64_t end) const {
  for (std::uint64_t index = first; index < end; ++index) {
    EFFACE_ASSIGN(const BookRow row, read_row(txn, index));
    EFFACE_ASSIGN(const bool there, copy_has(row));
    if (!there) return false;
  }
  return true;
}

Result<bool> Keyring::copy_has(const BookRow& row) const {
  EFFACE_ASSIGN(const auto frame, options_.ledger_copy->read(row.copy_offset));
  return frame && frame->chain == row.chain && std::ranges::equal(frame->entry, row.entry);
}

Anchor Keyring::anchor_of(Epoch in_force) const {
  Anchor anchor{in_force, root_hash_, book_.tree.size, {}};
  const ledger::Hash root = book_.tree.root();
  std::copy_n(root.begin(), anchor.ledger_hash.size(), anchor.ledger_hash.begin());
  return anchor;
}

Status Keyring::enter(const Lock& held, std::span<const ledger::Entry> decisions) {
  EFFACE_CHECK(held.owns_lock() && held.mutex() == &writer_);
  if (decisions.empty()) return {};
  return change_plain([](storage::WriteTxn&) -> Status { return {}; }, decisions);
}

Result<BookHead> Keyring::ledger_head() {
  EFFACE_ASSIGN(const storage::ReadTxn txn, read());
  return read_head(txn, options_.region);
}

namespace {

Result<Keyring::LedgerItem> item_of(const storage::ReadTxn& txn, std::uint64_t index) {
  EFFACE_ASSIGN(const BookRow row, read_row(txn, index));
  Keyring::LedgerItem item{{row.entry.begin(), row.entry.end()}, true, row.horizon_day};
  EFFACE_TRY(
      txn.scan(queue_prefix, queue_prefix, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
        if (entry.key.size() != 9) return Error(Errc::corruption, "a reclaim entry has no number");
        const auto first = load_be<std::uint64_t>(entry.key.subspan<1, 8>());
        item.swept = first >= row.reclaim;
        return Flow::stop;
      }));
  return item;
}

}  // namespace

Result<Keyring::LedgerItem> Keyring::ledger_item(std::uint64_t index) {
  EFFACE_ASSIGN(const storage::ReadTxn txn, read());
  EFFACE_ASSIGN(const BookHead head, read_head(txn, options_.region));
  EFFACE_TRY(check_index(index, head.tree.size));
  return item_of(txn, index);
}

Result<std::optional<std::uint64_t>> Keyring::find_request(const Id16& request) {
  EFFACE_ASSIGN(const storage::ReadTxn txn, read());
  EFFACE_ASSIGN(const std::optional<Bytes> found, txn.get(request_key(request)));
  if (!found) return std::optional<std::uint64_t>();
  if (found->size() != 8) return Error(Errc::corruption, "a request leads to no entry");
  return std::optional(load_be<std::uint64_t>(found->subspan<0, 8>()));
}

Result<Keyring::LedgerProof> Keyring::prove(std::uint64_t index) {
  EFFACE_ASSIGN(const storage::ReadTxn txn, read());
  EFFACE_ASSIGN(const BookHead head, read_head(txn, options_.region));
  EFFACE_TRY(check_index(index, head.tree.size));
  LedgerProof proof;
  EFFACE_ASSIGN(proof.item, item_of(txn, index));
  proof.size = head.tree.size;
  proof.root = head.tree.root();
  EFFACE_ASSIGN(proof.path,
                ledger::prove_inclusion(index, proof.size, [&](unsigned level, std::uint64_t at) {
                  return subtree_of(txn, level, at);
                }));
  return proof;
}

Result<Keyring::LedgerProof> Keyring::prove_since(std::uint64_t size) {
  EFFACE_ASSIGN(const storage::ReadTxn txn, read());
  EFFACE_ASSIGN(const BookHead head, read_head(txn, options_.region));
  if (size > head.tree.size)
    return Error(Errc::receipt_unknown, "the ledger has not that many entries");
  LedgerProof proof;
  proof.size = head.tree.size;
  proof.root = head.tree.root();
  EFFACE_ASSIGN(proof.path,
                ledger::prove_consistency(size, proof.size, [&](unsigned level, std::uint64_t at) {
                  return subtree_of(txn, level, at);
                }));
  return proof;
}

Status Keyring::each_entry(std::uint64_t first,
                           FunctionRef<Result<Flow>(std::uint64_t, Bytes)> look) {
  EFFACE_ASSIGN(const storage::ReadTxn txn, read());
  EFFACE_ASSIGN(const BookHead head, read_head(txn, options_.region));
  for (std::uint64_t index = first; index < head.tree.size; ++index) {
    EFFACE_ASSIGN(const BookRow row, read_row(txn, index));
    EFFACE_ASSIGN(const Flow flow, look(index, row.entry));
    if (flow == Flow::stop) break;
  }
  return {};
}

Result<crypto::SigningKey> Keyring::signing_key() {
  EFFACE_TRY(environment_.read());  // In a child of fork() what is remembered has been wiped.
  EFFACE_ASSIGN(const SharedKeys keys, load_keys(top_tree, std::nullopt, signing_tag()));
  if (const Row* row = keys->find(keyring::signing_key))
    return crypto::SigningKey::of(row->key.clone());
  EFFACE_ASSIGN(const Lock held, lock());
  EFFACE_ASSIGN(crypto::SecretKey made, make_own_key(held, signing_tag(), keyring::signing_key));
  return crypto::SigningKey::of(std::move(made));
}

}  // namespace efface::keyring
