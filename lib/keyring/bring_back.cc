// Making a capsule, and bringing back the keyring that is in one.
//
// Nothing of a capsule is believed before all of it has come and the region's signature on it
// holds. The root key in it comes under a fresh epoch of the root key store, above all that the
// store has seen; opening the keyring then destroys the others.
#include <algorithm>

#include "keyring/keyring_txn.h"
#include "keyring/survivor.h"
#include "storage/filling.h"

namespace efface::keyring {
namespace {

// Whatever was held stays until the keyring is opened: this may come to nothing.
Result<Epoch> make_fresh_epoch(RootKeyStore& store, const Anchor& anchor, Epoch above) {
  EFFACE_ASSIGN(const std::vector<Epoch> held, store.list());
  if (!held.empty()) above = std::max(above, held.back());
  for (int attempt = 0; attempt < epoch_attempts_max; ++attempt) {
    ++above;
    const Status made =
        held.size() < 2 ? store.create(above, anchor) : store.rotate(held.back(), above, anchor);
    if (made) return above;
    if (made.error().code() != Errc::exists) return made.error();
  }
  return Error(Errc::root_key_mismatch, "the root key store has seen epochs that are not ours");
}

// A root key store that remembers nothing cannot say how far the ledger had come: then its copy has
// to, or whoever was erased since would be back.
Status check_copy_goes_on(const storage::ReadTxn& txn, const KeyringOptions& options) {
  const Error stale(Errc::keyring_stale,
                    "neither the root keys nor a copy of the ledger say what was erased since");
  if (options.ledger_copy == nullptr) return stale;
  EFFACE_ASSIGN(const BookHead head, read_head(txn, options.region));
  if (head.tree.size == 0) return Error(Errc::corruption, "a capsule has no ledger");
  EFFACE_ASSIGN(const BookRow last, read_row(txn, head.tree.size - 1));
  EFFACE_ASSIGN(const auto frame, options.ledger_copy->read(last.copy_offset));
  return frame && frame->chain == head.chain ? Status() : Status(stale);
}

}  // namespace

Status Keyring::write_capsule(std::uint32_t last_day, const ledger::Entry& decision,
                              CapsuleSink sink) {
  EFFACE_ASSIGN(const crypto::SigningKey signing, signing_key());
  {
    EFFACE_ASSIGN(const Lock held, lock());
    EFFACE_TRY(enter(held, {&decision, 1}));
    EFFACE_TRY(sync_copy());
  }
  return with_snapshot(
      [&](const NodeReader&, const TreeRoot& top, const storage::ReadTxn& txn) -> Status {
        EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(root_record_key));
        EFFACE_ASSIGN(const RootRecord record, RootRecord::decode(bytes));
        EFFACE_ASSIGN(const storage::Environment::Stats stats, environment_.stats());
        CapsuleWriter writer(sink);
        EFFACE_TRY(writer.begin({last_day, options_.region, record.root_id, record.epoch,
                                 stats.used_bytes, record.bucket_count, top.key.clone()}));
        EFFACE_TRY(txn.scan({}, {}, [&](storage::ReadTxn::Entry entry) -> Result<Flow> {
          if (std::ranges::equal(entry.key, root_record_key)) return Flow::more;
          EFFACE_TRY(writer.add(entry.key, entry.value));
          return Flow::more;
        }));
        return writer.finish(options_.region, signing);
      });
}

// What comes out of a capsule, on its way into a directory of its own.
class Keyring::BroughtBack {
 public:
  BroughtBack(const os::Directory& into, const KeyringOptions& options, const CapsuleSource& source)
      : into_(into), options_(options), source_(source) {}

  Status take() {
    EFFACE_TRY(source_.stream([&](Bytes piece) { return take_piece(piece); }));
    if (!filling_) return Error(Errc::corruption, "a capsule is empty");
    return reader_.finish(options_.region, source_.verifier_key);
  }

  // The root record comes last: without it nothing opens.
  Status wrap_root() {
    RootKeyStore& store = *options_.root_keys;
    EFFACE_TRY(filling_->finish());
    EFFACE_ASSIGN(const Anchor anchor, store.anchor());
    if (anchor.epoch == 0) {
      EFFACE_ASSIGN(const storage::ReadTxn txn, filling_->environment().read());
      EFFACE_TRY(check_copy_goes_on(txn, options_));
    }
    RootRecord record;
    record.bucket_count = head_.bucket_count;
    record.root_id = head_.root_id;
    record.store_id = store.id();
    EFFACE_ASSIGN(record.epoch, make_fresh_epoch(store, anchor, head_.epoch));
    EFFACE_ASSIGN(record.wrapped,
                  store.wrap(record.epoch, wrap_context(options_.region, head_.root_id),
                             std::as_const(head_.root).bytes()));
    EFFACE_TRY(filling_->put(root_record_key, record.encode()));
    EFFACE_TRY(filling_->finish());
    return into_.sync();
  }

 private:
  Status take_piece(Bytes piece) {
    if (!filling_) {
      EFFACE_ASSIGN(head_, reader_.begin(piece));
      piece = piece.subspan(CapsuleHead::bytes);
      if (head_.region != options_.region)
        return Error(Errc::region_mismatch, "the capsule is of another region");
      if (source_.today > head_.last_day)
        return Error(Errc::expired, "the day until which the capsule was made is over");
      const std::uint64_t bytes =
          std::min<std::uint64_t>(head_.used_bytes, options_.environment.map_bytes_max);
      EFFACE_ASSIGN(filling_, storage::Filling::begin(into_, options_.environment, bytes));
    }
    return reader_.feed(piece, [&](Bytes key, Bytes value) -> Status {
      if (std::ranges::equal(key, root_record_key))
        return Error(Errc::corruption, "a capsule has what it may not have");
      EFFACE_TRY(filling_->add(key, value));
      return {};
    });
  }

  const os::Directory& into_;
  const KeyringOptions& options_;
  const CapsuleSource& source_;
  CapsuleReader reader_;
  CapsuleHead head_;
  std::optional<storage::Filling> filling_;
};

Status Keyring::bring_back(const os::Directory& region, std::string_view name,
                           const KeyringOptions& options, const CapsuleSource& capsule) {
  std::unique_ptr<Mirrors> mirrors;
  if (!options.mirrors.empty()) {
    EFFACE_ASSIGN(mirrors, Mirrors::open(options.mirrors, options.region, options.environment));
  }
  EFFACE_ASSIGN(const bool opens, any_opens(region, name, options, mirrors.get()));
  if (opens) return Error(Errc::exists, "there is a keyring that opens: no capsule is needed");
  const std::string arriving = std::string(name) + ".new";
  EFFACE_TRY(region.remove_tree(arriving));
  {
    EFFACE_ASSIGN(const os::Directory into, region.create_child(arriving));
    BroughtBack keyring(into, options, capsule);
    EFFACE_TRY(keyring.take());
    EFFACE_TRY(keyring.wrap_root());
  }
  return put_in_place(region, name, arriving, options);
}

}  // namespace efface::keyring
