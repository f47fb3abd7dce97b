// Changing custody: a root of a new epoch, with nothing removed, under the same root key store or
// another.
//
// Moving to another store is one commit, of the new root and of the store that was left. Before it
// the keyring opens with the one, after it with the other. From then on no erasure is confirmed
// until the store that was left is shown to hold no key: old images of the keyring would open with
// it.
#include <algorithm>

#include "crypto/random.h"
#include "keyring/keyring_txn.h"

namespace efface::keyring {
namespace {

constexpr std::byte retiring_version{1};

// An epoch of the new store, above all that either has seen. Those of an attempt that came to
// nothing go first: pages of it may be on disk.
Result<Epoch> make_first_epoch(RootKeyStore& store, Epoch above) {
  EFFACE_ASSIGN(const Anchor anchor, store.anchor());
  if (anchor.epoch != 0)
    return Error(Errc::root_key_mismatch, "the root key store serves another keyring already");
  EFFACE_ASSIGN(const std::vector<Epoch> held, store.list());
  for (const Epoch epoch : held) {
    above = std::max(above, epoch);
    EFFACE_TRY(store.destroy(epoch));
  }
  for (int attempt = 0; attempt < epoch_attempts_max; ++attempt) {
    const Status made = store.create(++above, Anchor{});
    if (made) return above;
    if (made.error().code() != Errc::exists) return made.error();
  }
  return Error(Errc::root_key_mismatch, "the root key store has seen epochs that are not ours");
}

}  // namespace

std::array<std::byte, 28> Keyring::Retiring::encode() const noexcept {
  std::array<std::byte, 28> out{};
  out[0] = retiring_version;
  std::copy(store_id.begin(), store_id.end(), out.begin() + 4);
  store_le(out.data() + 20, epoch);
  return out;
}

Result<Keyring::Retiring> Keyring::Retiring::decode(Bytes bytes) {
  if (bytes.size() != 28 || bytes[0] != retiring_version)
    return Error(Errc::corruption, "what says which root key store was left makes no sense");
  Retiring left;
  std::copy_n(bytes.begin() + 4, 16, left.store_id.begin());
  left.epoch = load_le<std::uint64_t>(bytes.data() + 20);
  return left;
}

Status Keyring::read_retiring() {
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(retiring_key));
  if (!bytes) return {};
  EFFACE_ASSIGN(const Retiring left, Retiring::decode(*bytes));
  retiring_ = std::make_unique<Retiring>(left);
  return {};
}

// Step 1 of an erasure that removes nothing. On an error before the commit nothing has changed.
Result<ErasureOutcome> Keyring::move_root(RootKeyStore& to, Epoch fresh, const Retiring* left,
                                          const ledger::Entry& decision) {
  ErasureOutcome outcome;
  outcome.epoch_before = epoch();
  outcome.root_hash_before = root_hash_;
  EFFACE_ASSIGN(const NextRoot next, make_next_root(fresh, to));
  spare_used_ = spare_used_ || left == nullptr;
  EFFACE_TRY(change(storage::Space::removal, next, [&](Txn& txn) -> Status {
    EFFACE_TRY(txn.rekey_top());
    if (left != nullptr) EFFACE_TRY(txn.put(retiring_key, left->encode()));
    if (decision.kind != ledger::Kind{}) txn.enter({}, decision);
    return {};
  }));
  const auto hash = read_back(to, next, {});
  if (!hash)
    return latch(Error(Errc::outcome_unknown, "what was committed could not be read back",
                       hash.error().system_code()));
  pending_ = true;
  publish_root();
  prepared_.reset();
  epoch_ = outcome.epoch_after = next.epoch;
  root_hash_ = outcome.root_hash_after = *hash;
  return outcome;
}

Result<ErasureOutcome> Keyring::rotate_root(const ledger::Entry& decision) {
  EFFACE_ASSIGN(const Lock held, lock());
  EFFACE_TRY(settle_before());
  EFFACE_ASSIGN(ErasureOutcome outcome, move_root(*root_keys_, spare_, nullptr, decision));
  const Status destroyed = destroy_before(epoch());
  if (!destroyed)
    return tell_pending(destroyed.error(),
                        {Errc::erase_pending, "the root key store did not confirm the destruction",
                         destroyed.error().system_code()});
  if (retiring_) return tell_left();
  watch().note(LogEvent::root_rotated, {{"epoch", epoch()}});
  outcome.assurance = assurance();
  outcome.replicas = replicas();
  return outcome;
}

Result<ErasureOutcome> Keyring::migrate_root(const Migration& migration,
                                             const ledger::Entry& decision) {
  EFFACE_ASSIGN(const Lock held, lock());
  RootKeyStore& to = migration.to;
  RootKeyStore& from = *root_keys_;
  if (to.id() == from.id())
    return Error(Errc::invalid_argument, "the root key is in that root key store already");
  if (retiring_)
    return Error(Errc::conflict, "the root key store before this one is not retired yet");
  if (pending_) EFFACE_TRY(sync_copy());
  // Whether all of it is there, and does as it is told, is better known before.
  const Status settled = settle_epochs(epoch(), has_spare());
  if (!settled && !migration.accept_lost) return settled.error();

  EFFACE_ASSIGN(const Epoch fresh, make_first_epoch(to, std::max(epoch(), spare_)));
  const Retiring left{from.id(), epoch()};
  EFFACE_ASSIGN(ErasureOutcome outcome, move_root(to, fresh, &left, decision));
  root_keys_ = &to;
  retiring_ = std::make_unique<Retiring>(left);
  spare_ = 0;
  spare_used_ = false;
  watch().note(LogEvent::root_migrated, {{"epoch", epoch()}});
  Status done = destroy_before(epoch());
  if (done) {
    done = finish_retiring(held, from);
    if (!done && migration.accept_lost) done = forget_retiring(held);
  }
  if (!done)
    return tell_pending(done.error(), {Errc::erase_pending,
                                       "the root has moved; the root key store it left holds keys",
                                       done.error().system_code()});
  outcome.assurance = assurance();
  outcome.replicas = replicas();
  return outcome;
}

Status Keyring::retire_root(RootKeyStore& left) {
  EFFACE_ASSIGN(const Lock held, lock());
  if (!retiring_ || left.id() != retiring_->store_id)
    return Error(Errc::root_key_mismatch, "the keyring has not left this root key store");
  EFFACE_TRY(settle_before());
  EFFACE_TRY(finish_retiring(held, left));
  watch().note(LogEvent::root_retired);
  tell_settled();
  return {};
}

// Also the epoch that is not listed: of several stores one may not have answered. Goes on after a
// failure.
Status Keyring::finish_retiring(const Lock& held, RootKeyStore& left) {
  EFFACE_ASSIGN(std::vector<Epoch> all, left.list());
  all.push_back(retiring_->epoch);
  Status destroyed;
  for (const Epoch epoch : all)
    if (const Status gone = left.destroy(epoch); !gone) destroyed = gone;
  EFFACE_TRY(destroyed);
  EFFACE_ASSIGN(const std::vector<Epoch> after, left.list());
  if (!after.empty()) return Error(Errc::io, "the root key store that was left still holds keys");
  return forget_retiring(held);
}

Status Keyring::forget_retiring(const Lock& held) {
  EFFACE_TRY(drop_entry(held, retiring_key));
  retiring_.reset();
  pending_ = false;
  return {};
}

}  // namespace efface::keyring
