// Adding rows to a keyring. What is added is never a removal: no epoch ends. A split re-keys the
// root, under the epoch in force.
#include <algorithm>

#include "crypto/random.h"
#include "keyring/keyring_txn.h"
#include "keyring/mutant.h"

namespace efface::keyring {
namespace {
constexpr int growths_max = 8;  // Of the map, within one change.
}

Result<Keyring::Lock> Keyring::take_lock() {
  Lock lock(*this, std::unique_lock(writer_, options_.environment.deadline));
  if (!lock.owns_lock()) return Error(Errc::busy, "another writer holds the keyring");
  EFFACE_TRY(ready_to_write());
  if (options_.processes == nullptr) return lock;
  EFFACE_ASSIGN(lock.there_, options_.processes->lock(writer_byte, os::ByteLocks::Mode::alone,
                                                      options_.environment.deadline));
  return lock;
}

Result<Keyring::Lock> Keyring::lock() {
  if (reads_only_) return Error(Errc::closed, "a keyring that was opened to be read");
  EFFACE_ASSIGN(Lock lock, base::waiting(watch(), "keyring.lock", options_.environment.deadline,
                                         [&] { return take_lock(); }));
  if (options_.processes == nullptr) return lock;
  EFFACE_TRY(catch_up_with_others());
  lock.knows_all_ = true;
  return lock;
}

Result<bool> Keyring::change(storage::Space space, const NextRoot& next,
                             FunctionRef<Status(Txn&)> work) {
  return base::traced(watch(), "keyring.commit", [&] { return commit_change(space, next, work); });
}

Result<bool> Keyring::commit_change(storage::Space space, const NextRoot& next,
                                    FunctionRef<Status(Txn&)> work) {
  // What enlarges the tree leaves room for what makes it smaller.
  if (space == storage::Space::ordinary && options_.ledger_copy != nullptr)
    EFFACE_TRY(options_.ledger_copy->set_aside_beyond(book_.copy_bytes));
  for (int growth = 0;; ++growth) {
    EFFACE_TRY(ready_to_write());
    Numbered numbered;
    EFFACE_ASSIGN(storage::WriteTxn txn, environment_.write(space));
    if (mirrors_) txn.record(numbered.changes);
    EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(root_record_key));
    EFFACE_ASSIGN(const RootRecord record, RootRecord::decode(bytes));
    auto key = held_root(record.root_id);
    if (!key) return Error(Errc::corruption, "the keyring's root is not the one in force");
    Txn change(options_.region, txn, {std::move(*key), record.bucket_count}, next.key);

    Status done = work(change);
    if (done && !change.changed()) return false;
    if (done && change.top_rekeyed()) done = put_root_record(txn, next, change.top().bucket_count);
    Entered entered;
    if (done) done = enter_change(txn, change, next, entered);
    if (done) done = number(txn, numbered);
    if (!done) {
      if (done.error().code() == Errc::full && growth < growths_max) continue;
      return done.error();
    }
    if (change.top_rekeyed()) {
      auto coming = std::make_unique<NextRoot>(
          NextRoot{next.epoch, next.root_id, next.key.clone(), next.wrapped, next.store_id});
      std::unique_lock lock(roots_mutex_);
      coming_ = std::move(coming);
    }
    const Status committed = std::move(txn).commit();
    if (committed) {
      if constexpr (mutant == Mutant::mirrors_come_last)
        if (next.epoch != epoch()) static_cast<void>(settle_epochs(next.epoch, false));
      follow(numbered);
      keep(std::move(entered));
      return change.top_rekeyed();
    }
    if (committed.error().code() == Errc::full && growth < growths_max) continue;
    if (environment_.latched()) return latch(committed.error());
    return committed.error();
  }
}

void Keyring::publish_root() {
  std::unique_lock lock(roots_mutex_);
  if (coming_) current_ = std::move(coming_);
}

Status Keyring::prepare_root() {
  if (prepared_ && prepared_->epoch == epoch()) return {};
  EFFACE_ASSIGN(NextRoot next, make_next_root(epoch(), *root_keys_));
  prepared_ = std::make_unique<NextRoot>(std::move(next));
  return {};
}

Status Keyring::ensure(const Lock& held, const TreeRef& tree, std::span<Ensure> rows,
                       std::span<const ledger::Entry> enrolled) {
  EFFACE_CHECK(held.owns_lock() && held.mutex() == &writer_);
  EFFACE_TRY(prepare_root());
  std::vector<Tag> tags;
  for (const Ensure& row : rows) tags.push_back(row.tag);
  const auto edit = [&](std::size_t i, LeafEdit& leaf) -> Status {
    Ensure& wanted = rows[i];
    if (!leaf.contains(wanted.tag, wanted.label)) {
      wanted.person_missing = wanted.needs_person && !leaf.contains(wanted.tag, person);
      if (wanted.person_missing) return {};
      EFFACE_TRY(leaf.add({wanted.tag, crypto::SecretKey::random(), crypto::random_id(),
                           wanted.label, 0, wanted.aux}));
      wanted.created = true;
    }
    if (i + 1 < rows.size() && rows[i + 1].tag == wanted.tag) return {};
    std::vector<Row> all;
    leaf.each(wanted.tag, [&](RowView row) { all.push_back(row.copy()); });
    wanted.keys = std::make_shared<const Keys>(std::move(all));
    return {};
  };
  std::vector<KeyPlace> moved;  // Nothing may throw between the commit and forgetting them.
  moved.reserve(rows.size());
  EFFACE_ASSIGN(const bool rekeyed,
                change(storage::Space::ordinary, *prepared_, [&](Txn& txn) -> Status {
                  for (Ensure& row : rows) row.created = row.person_missing = false;
                  EFFACE_TRY(txn.add(tree, tags, edit));
                  std::vector<std::uint64_t> people(enrolled.size());
                  for (const Ensure& row : rows) {
                    if (!row.created) continue;
                    txn.note_change();
                    if (row.label == person && !enrolled.empty()) ++people[row.decision];
                  }
                  for (std::size_t i = 0; i < enrolled.size(); ++i) {
                    if (people[i] == 0) continue;
                    ledger::Entry decision = enrolled[i];
                    decision.count = people[i];
                    txn.enter(tree.tenant, std::move(decision));
                  }
                  return txn.edit_top();
                }));
  if (rekeyed) {
    publish_root();
    prepared_.reset();
  }
  // Rows of one tag share what the last of them saw.
  for (std::size_t i = rows.size(); i-- > 0;) {
    if (i + 1 < rows.size() && rows[i + 1].tag == rows[i].tag) rows[i].keys = rows[i + 1].keys;
    if (rows[i].created) moved.push_back({tree_number(tree), rows[i].tag});
  }
  if (!moved.empty()) cache_.forget(moved);
  for (const Ensure& row : rows)
    if (row.created) cache_.keep({tree_number(tree), row.tag}, row.keys, cache_.version());
  return {};
}

Result<TenantRef> Keyring::add_tenant(const Lock& held, const Tag& tag, Bytes terms,
                                      const ledger::Entry& declared) {
  EFFACE_CHECK(held.owns_lock() && held.mutex() == &writer_);
  EFFACE_TRY(prepare_root());
  TenantRef tenant{tag, 0};
  const auto work = [&](Txn& txn) -> Status {
    EFFACE_ASSIGN(Header header, txn.header());
    tenant.number = header.next_tenant++;
    EFFACE_TRY(txn.set_header(header));
    EFFACE_ASSIGN(TreeRoot subjects, txn.create_tree(tree_number({tenant, TreeKind::subjects})));
    EFFACE_ASSIGN(TreeRoot retention, txn.create_tree(tree_number({tenant, TreeKind::retention})));
    const auto terms_secret = crypto::SecretKey::random();
    std::vector<std::byte> sealed(terms.size() + crypto::seal_overhead_bytes);
    crypto::seal(terms_secret.bytes(), terms_context(options_.region, tenant.number), terms,
                 sealed);
    EFFACE_TRY(txn.put(terms_key(tenant.number), sealed));
    if (declared.kind != ledger::Kind{}) txn.enter(tenant, declared);
    txn.note_change();
    return txn.edit_top({&tag, 1}, [&](std::size_t, LeafEdit& leaf) -> Status {
      if (leaf.contains(tag, tenant_terms))
        return Error(Errc::exists, "the region has such a tenant already");
      const auto row = [&](crypto::SecretKey key, Label label, std::uint32_t aux) {
        return Row{tag, std::move(key), crypto::random_id(), label, 0, aux};
      };
      EFFACE_TRY(leaf.add(row(terms_secret.clone(), tenant_terms, tenant.number)));
      EFFACE_TRY(leaf.add(row(std::move(subjects.key), subject_root, subjects.bucket_count)));
      EFFACE_TRY(leaf.add(row(std::move(retention.key), retention_root, retention.bucket_count)));
      return leaf.add(row(crypto::SecretKey::random(), pseudonym_key, 0));
    });
  };
  EFFACE_ASSIGN(const bool rekeyed, change(storage::Space::ordinary, *prepared_, work));
  if (rekeyed) {
    publish_root();
    prepared_.reset();
  }
  const KeyPlace place{top_tree, tag};
  cache_.forget({&place, 1});
  return tenant;
}

Status Keyring::change_plain(FunctionRef<Status(storage::WriteTxn&)> work,
                             std::span<const ledger::Entry> decisions) {
  for (int growth = 0;; ++growth) {
    EFFACE_TRY(ready_to_write());
    Numbered numbered;
    EFFACE_ASSIGN(storage::WriteTxn txn, environment_.write(storage::Space::removal));
    if (mirrors_) txn.record(numbered.changes);
    Status done = work(txn);
    Entered entered;
    if (done && !decisions.empty()) {
      EFFACE_ASSIGN(const std::optional<Bytes> bytes, txn.get(header_key));
      EFFACE_ASSIGN(const Header header, Header::decode(bytes));
      std::vector<ledger::Entry> entries(decisions.begin(), decisions.end());
      done = enter(txn, entries, header.next_reclaim, entered);
    }
    if (done) done = number(txn, numbered);
    if (done) done = std::move(txn).commit();
    if (done) {
      follow(numbered);
      keep(std::move(entered));
      return {};
    }
    if (environment_.latched()) return latch(done.error());
    if (done.error().code() != Errc::full || growth == growths_max) return done.error();
  }
}

// Terms are not personal data and their old version is not a removal: same key, new nonce.
Status Keyring::set_terms(const Lock& held, const TenantRef& tenant, Bytes terms,
                          std::span<const ledger::Entry> decisions) {
  EFFACE_CHECK(held.owns_lock() && held.mutex() == &writer_);
  EFFACE_ASSIGN(const SharedKeys keys, tenant_keys(tenant));
  const Row* row = keys->find(tenant_terms);
  if (row == nullptr) return Error(Errc::tenant_unknown, "the region has no such tenant");
  std::vector<std::byte> sealed(terms.size() + crypto::seal_overhead_bytes);
  crypto::seal(row->key.bytes(), terms_context(options_.region, tenant.number), terms, sealed);
  std::vector<ledger::Entry> entries(decisions.begin(), decisions.end());
  for (ledger::Entry& entry : entries) entry.tenant = tenant.number;
  return change_plain(
      [&](storage::WriteTxn& txn) -> Status { return txn.put(terms_key(tenant.number), sealed); },
      entries);
}

}  // namespace efface::keyring
