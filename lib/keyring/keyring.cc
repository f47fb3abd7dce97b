// Opening, recovering and reading a keyring. Adding stands in add.cc, forgetting in erase.cc.
#include "keyring/keyring.h"

#include <algorithm>
#include <thread>

#include "crypto/prf.h"
#include "crypto/random.h"
#include "efface/limits.h"
#include "keyring/keyring_txn.h"
#include "keyring/mutant.h"
#include "keyring/survivor.h"

namespace efface::keyring {
namespace {

constexpr int snapshot_attempts_max = 1000;
constexpr std::size_t erase_jobs_max = 4096;

}  // namespace

Keyring::Keyring(const KeyringOptions& options, storage::Environment environment)
    : options_(options),
      root_keys_(options.root_keys),
      environment_(std::move(environment)),
      cache_(options.cached_tags_max),
      erasures_(erase_jobs_max, limits::subjects_per_call_max) {}

Keyring::~Keyring() = default;

Status Keyring::create(const os::Directory& directory, const KeyringOptions& options) {
  RootKeyStore& store = *options.root_keys;
  EFFACE_ASSIGN(const Anchor anchor, store.anchor());
  if (anchor.epoch != 0)
    return Error(Errc::root_key_mismatch, "the root key store serves another keyring already");
  EFFACE_ASSIGN(const std::vector<Epoch> held, store.list());
  const Epoch epoch = held.empty() ? 1 : held.front();
  if (held.empty()) EFFACE_TRY(store.create(epoch, Anchor{}));
  EFFACE_TRY(storage::Environment::create(directory, options.environment));
  EFFACE_ASSIGN(storage::Environment environment,
                storage::Environment::open(directory, options.environment));
  Keyring keyring(options, std::move(environment));
  EFFACE_ASSIGN(const NextRoot root, keyring.make_next_root(epoch, store));
  EFFACE_ASSIGN(storage::WriteTxn txn, keyring.environment_.write(storage::Space::ordinary));
  LmdbNodeWriter nodes(txn);
  Node leaf = Node::empty_leaf();
  leaf.set_bucket_count(1);
  const NodeId id{top_tree, 0, 0};
  EFFACE_TRY(nodes.put(id, leaf.seal(options.region, id, root.key.bytes())));
  EFFACE_TRY(keyring.put_root_record(txn, root, 1));
  EFFACE_TRY(txn.put(header_key, Header{options.region}.encode()));
  ledger::Entry created;
  created.kind = ledger::Kind::region_created;
  EFFACE_ASSIGN(keyring.book_, read_head(txn, options.region));
  Entered entered;
  EFFACE_TRY(keyring.enter(txn, {&created, 1}, Header{}.next_reclaim, entered));
  EFFACE_TRY(advance_sequence(txn));
  return std::move(txn).commit();
}

Result<std::unique_ptr<Keyring>> Keyring::open(const os::Directory& directory,
                                               const KeyringOptions& options) {
  EFFACE_ASSIGN(storage::Environment environment,
                storage::Environment::open(directory, options.environment));
  std::unique_ptr<Keyring> keyring(new Keyring(options, std::move(environment)));
  if (!options.mirrors.empty()) {
    EFFACE_ASSIGN(keyring->mirrors_,
                  Mirrors::open(options.mirrors, options.region, options.environment));
  }
  EFFACE_TRY(keyring->recover());
  return keyring;
}

Result<std::unique_ptr<Keyring>> Keyring::open_newest(const os::Directory& region,
                                                      std::string_view name,
                                                      const KeyringOptions& options) {
  if (!options.mirrors.empty()) {
    EFFACE_ASSIGN(const auto mirrors,
                  Mirrors::open(options.mirrors, options.region, options.environment));
    EFFACE_TRY(put_newest_in_place(region, name, options, *mirrors));
  }
  EFFACE_ASSIGN(const os::Directory directory, region.open_child(name));
  return open(directory, options);
}

Result<std::unique_ptr<Keyring>> Keyring::open_to_read(const os::Directory& directory,
                                                       const KeyringOptions& options) {
  EFFACE_ASSIGN(storage::Environment environment,
                storage::Environment::open(directory, options.environment));
  std::unique_ptr<Keyring> keyring(new Keyring(options, std::move(environment)));
  keyring->reads_only_ = true;
  EFFACE_TRY(keyring->recover());
  return keyring;
}

Result<Keyring::RootRecord> Keyring::read_root_record() const {
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  EFFACE_ASSIGN(const std::optional<Bytes> header, txn.get(header_key));
  EFFACE_ASSIGN(const Header decoded, Header::decode(header));
  if (decoded.region != options_.region)
    return Error(Errc::region_mismatch, "the keyring belongs to another region");
  EFFACE_ASSIGN(const std::optional<Bytes> record, txn.get(root_record_key));
  return RootRecord::decode(record);
}

// What the writer knows of what is committed. Nobody commits meanwhile; the root key store is the
// caller's.
Status Keyring::load(const RootRecord& record) {
  auto root = std::make_unique<NextRoot>();
  root->epoch = record.epoch;
  root->root_id = record.root_id;
  root->key = crypto::SecretKey::zeroed();
  EFFACE_TRY(root_keys_->unwrap(record.epoch, wrap_context(options_.region, record.root_id),
                                record.wrapped, root->key.bytes()));
  epoch_ = record.epoch;
  const TreeRoot top{root->key.clone(), record.bucket_count};
  {
    std::unique_lock lock(roots_mutex_);
    current_ = std::move(root);
  }
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  const LmdbNodeReader nodes(txn);
  EFFACE_ASSIGN(root_hash_, hash_of_root(nodes, top.bucket_count));
  EFFACE_ASSIGN(book_, read_head(txn, options_.region));
  EFFACE_ASSIGN(last_commit_, read_sequence(txn));
  EFFACE_ASSIGN(records_floor_, read_floor(txn));
  EFFACE_TRY(KeyTree(options_.region, top_tree).find(nodes, top, Tag{}, [](RowView) {}));
  sequence_ = last_commit_.number;
  return {};
}

// Step 0: the root's epoch is in force, every other is destroyed, a fresh spare is made.
Status Keyring::recover() {
  const std::lock_guard one(root_store_mutex_);
  RootKeyStore& store = *root_keys_;
  if (options_.processes != nullptr) EFFACE_TRY(end_commits());
  EFFACE_ASSIGN(RootRecord record, read_root_record());
  if (record.store_id != store.id())
    return Error(Errc::root_key_mismatch, "the root key store belongs to another keyring");
  EFFACE_ASSIGN(const std::vector<Epoch> held, store.list());
  EFFACE_ASSIGN(const Anchor anchor, store.anchor());
  if (std::find(held.begin(), held.end(), record.epoch) == held.end()) {
    if (held.empty() && anchor.epoch == 0)
      return Error(Errc::root_key_missing, "the root key store holds no key");
    return Error(Errc::keyring_stale,
                 "the keyring is from before an erasure: its root key is gone");
  }
  EFFACE_TRY(load(record));
  if (reads_only_) return {};
  EFFACE_TRY(check_head());
  if (options_.restoring) {
    EFFACE_TRY(check_copy(anchor));
  } else {
    EFFACE_TRY(check_anchor(anchor));
    EFFACE_TRY(open_copy(anchor));
  }
  if (mirrors_) mirrors_->catch_up(environment_, last_commit_);  // Before an epoch ends.
  EFFACE_TRY(read_retiring());
  pending_ = retiring_ != nullptr;
  const bool unfinished = std::ranges::any_of(held, [&](Epoch e) { return e < record.epoch; });
  const Status settled = settle_held(record.epoch, false);
  known_transaction_ = environment_.last_transaction().value_or(0);
  seen_transaction_ = known_transaction_;
  if (settled) {
    if (unfinished) watch().note(LogEvent::erase_finished, {{"epoch", record.epoch}});
    return {};
  }
  // With some of several stores it is read; nobody is erased, and no root re-keyed, before all of
  // them have done their part.
  if (const Replicas did = replicas(); did.confirmed >= did.of) return settled;
  tell_replicas();
  pending_ = true;
  return {};
}

// Leaves the store with the epoch in force and one spare that no attempt has used. A spare that was
// used is destroyed: pages of the failed attempt may be on disk under it, so it must never come
// into force.
Status Keyring::settle_epochs(Epoch in_force, bool spare_is_unused) {
  const std::lock_guard one(root_store_mutex_);
  return settle_held(in_force, spare_is_unused);
}

Status Keyring::settle_held(Epoch in_force, bool spare_is_unused) {
  RootKeyStore& store = *root_keys_;
  EFFACE_ASSIGN(const std::vector<Epoch> held, store.list());
  note_root_keys();
  if (std::find(held.begin(), held.end(), in_force) == held.end())
    return Error(Errc::keyring_stale, "the root key in force is not held any more");
  // More than one is what several stores, which are one, have not all done.
  Epoch other = 0;
  for (const Epoch epoch : held) {
    if (epoch == in_force) continue;
    if (other != 0) EFFACE_TRY(store.destroy(other));
    other = epoch;
  }
  if (mutant == Mutant::spare_used_twice && other > in_force) spare_is_unused = true;
  // Of another process nobody knows here whether it has used it.
  if (options_.processes != nullptr && other != spare_) spare_is_unused = false;
  if (spare_is_unused && other > in_force) {
    spare_ = other;
    spare_used_ = false;
    return {};
  }
  EFFACE_TRY(sync_copy());  // The anchor says what the ledger's copy has: that is durable first.
  const Anchor anchor = anchor_of(in_force);
  Epoch next = std::max({in_force, other, spare_}) + 1;
  for (int attempt = 0; attempt < epoch_attempts_max; ++attempt, ++next) {
    const Status made = other != 0 ? store.rotate(other, next, anchor) : store.create(next, anchor);
    if (made) {
      spare_ = next;
      spare_used_ = false;
      pending_ = retiring_ != nullptr;
      note_root_keys();
      return {};
    }
    if (made.error().code() != Errc::exists) {
      note_root_keys();
      return made.error();
    }
  }
  return Error(Errc::root_key_mismatch, "the root key store has seen epochs that are not ours");
}

// What an attempt before has left comes first, so that erasing goes on from a spare that is clean.
Status Keyring::settle_before() {
  EFFACE_TRY(ready_to_write());
  if (pending_) EFFACE_TRY(sync_copy());
  EFFACE_TRY(settle_epochs(epoch(), has_spare()));
  tell_settled();
  return {};
}

void Keyring::note_root_keys() {
  std::unique_lock lock(roots_mutex_);
  assurance_ = root_keys_->assurance();
  replicas_ = root_keys_->replicas();
}

Result<Keyring::NextRoot> Keyring::make_next_root(Epoch epoch, RootKeyStore& store) {
  NextRoot next;
  next.epoch = epoch;
  next.root_id = crypto::random_id();
  next.key = crypto::SecretKey::random();
  next.store_id = store.id();
  const std::lock_guard one(root_store_mutex_);
  EFFACE_ASSIGN(next.wrapped, store.wrap(epoch, wrap_context(options_.region, next.root_id),
                                         std::as_const(next.key).bytes()));
  if (next.wrapped.size() > RootKeyStore::wrapped_bytes_max)
    return Error(Errc::too_large, "the root key store wraps into too many bytes");
  return next;
}

Status Keyring::put_root_record(storage::WriteTxn& txn, const NextRoot& next,
                                std::uint32_t buckets) const {
  RootRecord record;
  record.bucket_count = buckets;
  record.epoch = next.epoch;
  record.root_id = next.root_id;
  record.store_id = next.store_id;
  record.wrapped = next.wrapped;
  return txn.put(root_record_key, record.encode());
}

Result<std::array<std::byte, 32>> Keyring::hash_of_root(const NodeReader& nodes,
                                                        std::uint32_t bucket_count) const {
  EFFACE_ASSIGN(const Bytes sealed, nodes.get(KeyTree::root_node(top_tree, bucket_count)));
  return crypto::hash256({sealed});
}

Assurance Keyring::assurance() const {
  std::shared_lock lock(roots_mutex_);
  return assurance_;
}

Replicas Keyring::replicas() const {
  std::shared_lock lock(roots_mutex_);
  return replicas_;
}

std::optional<crypto::SecretKey> Keyring::held_root(const Id16& root_id) const {
  std::shared_lock lock(roots_mutex_);
  for (const auto* held : {current_.get(), coming_.get()})
    if (held != nullptr && held->root_id == root_id) return held->key.clone();
  return std::nullopt;
}

Status Keyring::ready_to_write() const {
  if (latched_) return Error(Errc::closed, "an earlier failure latched the keyring: reopen it");
  return {};
}

Error Keyring::latch(Error error) {
  if (!latched_.exchange(true) && !environment_.latched())  // Which has said so itself.
    watch().note(LogEvent::latched, {}, error);
  cache_.forget_all();
  return error;
}

Result<storage::ReadTxn> Keyring::read() const {
  EFFACE_TRY(ready_to_write());
  return environment_.read();
}

// A snapshot whose root key is not held any more is from before an erasure: look again.
Status Keyring::with_snapshot(
    FunctionRef<Status(const NodeReader&, const TreeRoot&, const storage::ReadTxn&)> look) {
  for (int attempt = 0; attempt < snapshot_attempts_max; ++attempt) {
    EFFACE_ASSIGN(const storage::ReadTxn txn, read());
    EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(root_record_key));
    EFFACE_ASSIGN(const RootRecord record, RootRecord::decode(bytes));
    if (auto key = held_root(record.root_id))
      return look(LmdbNodeReader(txn), {std::move(*key), record.bucket_count}, txn);
    if (options_.processes != nullptr) EFFACE_TRY(learn_root(record));
    std::this_thread::yield();
  }
  return Error(Errc::busy, "the keyring kept moving under a read");
}

Result<SharedKeys> Keyring::load_keys(std::uint32_t tree, const std::optional<TreeRef>& ref,
                                      const Tag& tag) {
  const KeyPlace place{tree, tag};
  look_for_others();
  if (SharedKeys cached = cache_.find(place)) return cached;
  const std::uint64_t version = cache_.version();
  std::vector<Row> rows;
  EFFACE_TRY(with_snapshot(
      [&](const NodeReader& nodes, const TreeRoot& top, const storage::ReadTxn&) -> Status {
        rows.clear();
        const auto take = [&](RowView row) { rows.push_back(row.copy()); };
        if (!ref) return KeyTree(options_.region, top_tree).find(nodes, top, tag, take);
        EFFACE_ASSIGN(const TreeRoot root, root_of(nodes, top, *ref));
        return KeyTree(options_.region, tree).find(nodes, root, tag, take);
      }));
  auto keys = std::make_shared<const Keys>(std::move(rows));
  if (!keys->empty()) cache_.keep(place, keys, version);
  return SharedKeys(std::move(keys));
}

Status Keyring::load_ahead(const TreeRef& tree, std::span<const Tag> tags) {
  look_for_others();
  const std::uint64_t version = cache_.version();
  const std::uint32_t number = tree_number(tree);
  std::vector<Tag> wanted;
  for (const Tag& tag : tags)
    if (!cache_.find({number, tag})) wanted.push_back(tag);
  std::vector<std::vector<Row>> rows(wanted.size());
  EFFACE_TRY(with_snapshot(
      [&](const NodeReader& nodes, const TreeRoot& top, const storage::ReadTxn&) -> Status {
        EFFACE_ASSIGN(const TreeRoot root, root_of(nodes, top, tree));
        return KeyTree(options_.region, number)
            .find_all(nodes, root, wanted,
                      [&](std::size_t i, RowView row) { rows[i].push_back(row.copy()); });
      }));
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!rows[i].empty())
      cache_.keep({number, wanted[i]}, std::make_shared<const Keys>(std::move(rows[i])), version);
  return {};
}

Result<std::vector<bool>> Keyring::have_rows(const TreeRef& tree, std::span<const Tag> tags) {
  std::vector<bool> there(tags.size());
  EFFACE_TRY(with_snapshot(
      [&](const NodeReader& nodes, const TreeRoot& top, const storage::ReadTxn&) -> Status {
        EFFACE_ASSIGN(const TreeRoot root, root_of(nodes, top, tree));
        return KeyTree(options_.region, tree_number(tree))
            .find_all(nodes, root, tags, [&](std::size_t i, RowView) { there[i] = true; });
      }));
  return there;
}

Result<SharedKeys> Keyring::keys(const TreeRef& tree, const Tag& tag) {
  return load_keys(tree_number(tree), tree, tag);
}

Result<SharedKeys> Keyring::tenant_keys(const TenantRef& tenant) {
  return load_keys(top_tree, std::nullopt, tenant.tag);
}

Status Keyring::walk(const TreeRef& tree, FunctionRef<Result<Flow>(RowView)> look) {
  return with_snapshot(
      [&](const NodeReader& nodes, const TreeRoot& top, const storage::ReadTxn&) -> Status {
        EFFACE_ASSIGN(const TreeRoot root, root_of(nodes, top, tree));
        return KeyTree(options_.region, tree_number(tree)).walk(nodes, root, look);
      });
}

Result<std::uint32_t> Keyring::walk_leaf(const TreeRef& tree, std::uint32_t leaf,
                                         FunctionRef<void(RowView)> look) {
  std::uint32_t leaves = 0;
  EFFACE_TRY(with_snapshot(
      [&](const NodeReader& nodes, const TreeRoot& top, const storage::ReadTxn&) -> Status {
        EFFACE_ASSIGN(const TreeRoot root, root_of(nodes, top, tree));
        leaves = root.bucket_count;
        if (leaf >= leaves) return {};
        return KeyTree(options_.region, tree_number(tree)).walk_leaf(nodes, root, leaf, look);
      }));
  return leaves;
}

Result<Keyring::Walked> Keyring::walk_leaves(const TreeRef& tree, std::uint32_t first,
                                             FunctionRef<void(std::uint32_t, RowView)> look) {
  Walked walked{first, 0};
  EFFACE_TRY(with_snapshot(
      [&](const NodeReader& nodes, const TreeRoot& top, const storage::ReadTxn&) -> Status {
        EFFACE_ASSIGN(const TreeRoot root, root_of(nodes, top, tree));
        walked.leaves = root.bucket_count;
        if (first >= root.bucket_count) return {};
        const KeyTree people(options_.region, tree_number(tree));
        EFFACE_ASSIGN(walked.next, people.walk_leaves(nodes, root, first, look));
        return {};
      }));
  return walked;
}

Result<std::optional<codec::Plaintext>> Keyring::file(const TenantRef& tenant, const Row& row) {
  const FileKey key = file_key(tenant.number, row.handle);
  EFFACE_ASSIGN(const storage::ReadTxn txn, read());
  EFFACE_ASSIGN(const std::optional<Bytes> sealed, txn.get(key));
  if (!sealed) return std::optional<codec::Plaintext>();
  EFFACE_ASSIGN(codec::Plaintext plain, open_file(options_.region, key, row.key.bytes(), *sealed));
  return std::optional<codec::Plaintext>(std::move(plain));
}

namespace {

Result<std::vector<std::byte>> open_terms(const storage::ReadTxn& txn, const Id16& region,
                                          std::uint32_t number, crypto::KeyView key) {
  EFFACE_ASSIGN(const std::optional<Bytes> sealed, txn.get(terms_key(number)));
  if (!sealed || sealed->size() < crypto::seal_overhead_bytes)
    return Error(Errc::corruption, "a tenant's terms are missing");
  std::vector<std::byte> terms(sealed->size() - crypto::seal_overhead_bytes);
  EFFACE_TRY(crypto::open(key, terms_context(region, number), *sealed, terms));
  return terms;
}

}  // namespace

Result<std::vector<TenantEntry>> Keyring::tenants() {
  std::vector<TenantEntry> found;
  EFFACE_TRY(with_snapshot([&](const NodeReader& nodes, const TreeRoot& top,
                               const storage::ReadTxn& txn) -> Status {
    found.clear();
    return KeyTree(options_.region, top_tree).walk(nodes, top, [&](RowView row) -> Result<Flow> {
      if (row.label() != tenant_terms) return Flow::more;
      TenantEntry entry{{row.tag(), row.aux()}, {}};
      EFFACE_ASSIGN(entry.terms, open_terms(txn, options_.region, row.aux(), row.key()));
      found.push_back(std::move(entry));
      return Flow::more;
    });
  }));
  return found;
}

Result<std::vector<std::byte>> Keyring::terms_of(const TenantRef& tenant) {
  std::optional<std::vector<std::byte>> terms;
  EFFACE_TRY(with_snapshot([&](const NodeReader& nodes, const TreeRoot& top,
                               const storage::ReadTxn& txn) -> Status {
    terms.reset();
    std::optional<Row> found;
    EFFACE_TRY(KeyTree(options_.region, top_tree).find(nodes, top, tenant.tag, [&](RowView row) {
      if (row.label() == tenant_terms && row.aux() == tenant.number) found = row.copy();
    }));
    if (!found) return {};
    EFFACE_ASSIGN(terms, open_terms(txn, options_.region, tenant.number, found->key.bytes()));
    return {};
  }));
  if (!terms) return Error(Errc::tenant_unknown, "the region has no such tenant");
  return *std::move(terms);
}

Result<KeyringStats> Keyring::stats() {
  KeyringStats stats;
  stats.epoch = epoch();
  stats.sequence = sequence();
  stats.erase_pending = pending_;
  stats.cached_tags = cache_.size();
  EFFACE_ASSIGN(stats.environment, environment_.stats());
  EFFACE_ASSIGN(const storage::ReadTxn txn, environment_.read());
  if (options_.processes != nullptr) {
    EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(root_record_key));
    EFFACE_ASSIGN(const RootRecord record, RootRecord::decode(bytes));
    EFFACE_ASSIGN(const Sequence last, read_sequence(txn));
    stats.epoch = record.epoch;
    stats.sequence = last.number;
  }
  constexpr std::array<std::byte, 1> queue{std::byte{'q'}};
  EFFACE_TRY(txn.scan(queue, queue, [&](storage::ReadTxn::Entry) -> Result<Flow> {
    ++stats.reclaim_entries;
    return Flow::more;
  }));
  return stats;
}

}  // namespace efface::keyring
