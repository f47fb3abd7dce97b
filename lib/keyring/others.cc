// A keyring that several processes have open: what the others committed, seen before anything is
// answered or written.
//
// Whoever writes holds a byte that all processes lock, and first learns all that the others have
// committed. Whoever reads compares the number of the last commit, before and after: when it has
// moved, nothing that was remembered is used again. Roots are learnt from the root key store, so a
// snapshot from before an erasure does not open any more, whichever process erased.
#include <algorithm>

#include "keyring/keyring_txn.h"
#include "keyring/mutant.h"

namespace efface::keyring {

Keyring::Lock::Lock(Lock&& other) noexcept
    : keyring_(std::exchange(other.keyring_, nullptr)),
      here_(std::move(other.here_)),
      there_(std::move(other.there_)),
      knows_all_(other.knows_all_) {}

// What was committed meanwhile was committed here.
void Keyring::Lock::unlock() noexcept {
  if (!here_.owns_lock()) return;
  if (knows_all_) {
    if (const auto last = keyring_->environment_.last_transaction()) {
      keyring_->known_transaction_ = *last;
      keyring_->seen_transaction_.store(*last, std::memory_order_release);
    }
  }
  there_.release();
  here_.unlock();
}

// It may be this process's own commit, for a moment: then too much is forgotten.
void Keyring::look_for_others() const noexcept {
  if (options_.processes == nullptr || mutant == Mutant::others_not_seen) return;
  const std::uint64_t last = environment_.last_transaction().value_or(0);
  if (seen_transaction_.load(std::memory_order_acquire) == last) return;
  cache_.forget_all();
  removals_.fetch_add(1, std::memory_order_acq_rel);
  seen_transaction_.store(last, std::memory_order_release);  // Last: others rely on it.
}

// The root of a snapshot that another process committed. One that is not the newest is not taken:
// the store may have its key yet.
Status Keyring::learn_root(const RootRecord& record) {
  auto root = std::make_unique<NextRoot>();
  root->epoch = record.epoch;
  root->root_id = record.root_id;
  root->store_id = record.store_id;
  root->key = crypto::SecretKey::zeroed();
  {
    const std::lock_guard one(root_store_mutex_);
    if (record.store_id != root_keys_->id())
      return Error(Errc::root_key_mismatch, "another process moved the root key elsewhere");
    const Status opened =
        root_keys_->unwrap(record.epoch, wrap_context(options_.region, record.root_id),
                           record.wrapped, root->key.bytes());
    if (!opened && opened.error().code() == Errc::root_key_missing) return {};  // Look again.
    EFFACE_TRY(opened);
  }
  std::unique_lock lock(roots_mutex_);
  EFFACE_ASSIGN(const RootRecord now, read_root_record());
  if (now.root_id == record.root_id && !coming_) current_ = std::move(root);
  return {};
}

// LMDB brings to its end what a process that died within its commit had all but committed, when
// somebody begins to write. Until then nobody reads it. But the root key store knows of it, and
// what is destroyed there by who reads the commit before may be what comes into force.
Status Keyring::end_commits() {
  EFFACE_ASSIGN(const storage::WriteTxn ended, environment_.write(storage::Space::removal));
  return {};
}

// Under the lock of all processes. One that died may have left an epoch to be destroyed, and a copy
// of the ledger that is behind. A keyring that processes share has no mirrors.
Status Keyring::catch_up_with_others() {
  EFFACE_TRY(end_commits());
  const auto last = environment_.last_transaction();
  if (!last) return Error(Errc::busy, "the map is being moved");
  if (*last == known_transaction_) return {};
  EFFACE_ASSIGN(const RootRecord record, read_root_record());
  bool left_to_do = false;
  {
    const std::lock_guard one(root_store_mutex_);
    if (record.store_id != root_keys_->id())
      return Error(Errc::root_key_mismatch, "another process moved the root key elsewhere");
    EFFACE_ASSIGN(const std::vector<Epoch> held, root_keys_->list());
    left_to_do = std::ranges::any_of(held, [&](Epoch epoch) { return epoch < record.epoch; });
    EFFACE_TRY(load(record));
  }
  prepared_.reset();
  retiring_.reset();
  EFFACE_TRY(read_retiring());
  cache_.forget_all();
  removals_.fetch_add(1, std::memory_order_acq_rel);
  known_transaction_ = *last;
  seen_transaction_.store(*last, std::memory_order_release);
  if (options_.ledger_copy != nullptr && !catch_up_copy()) copy_behind_ = true;
  pending_ = left_to_do || retiring_ != nullptr;
  if (left_to_do && sync_copy() && settle_epochs(record.epoch, false))
    watch().note(LogEvent::erase_finished, {{"epoch", record.epoch}});
  return {};
}

}  // namespace efface::keyring
