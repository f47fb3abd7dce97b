// Forgetting, in the order that makes it true:
//
//   0  the root key store holds the epoch in force and one spare that no attempt has used;
//   1  in one transaction the rows go, every node above them gets a fresh key, and the new root
//      stands wrapped under the spare; committed, synced, read back;
//   2  the root key store destroys the epoch that was in force, durably;
//   3  the caches of this process have forgotten (before the store is asked, so that they have also
//      when it does not confirm). Only now does erase() answer.
//
// Until step 2 is durable both roots are whole and a crash leaves the one or the other: recovery
// destroys whichever epoch the root does not name. On any error in step 1 the old root key is not
// touched.
#include <algorithm>
#include <map>
#include <new>

#include "crypto/prf.h"
#include "crypto/random.h"
#include "keyring/keyring_txn.h"
#include "keyring/mutant.h"

namespace efface::keyring {
namespace {

constexpr std::size_t handles_per_entry_max = 1000;

Status queue_handles(auto& txn, std::uint32_t tenant, std::vector<Handle>& handles) {
  for (std::size_t i = 0; i < handles.size(); i += handles_per_entry_max) {
    const std::size_t n = std::min(handles_per_entry_max, handles.size() - i);
    const auto first = handles.begin() + static_cast<std::ptrdiff_t>(i);
    Reclaim entry{
        0, Reclaim::What::handles, tenant, {first, first + static_cast<std::ptrdiff_t>(n)}};
    EFFACE_TRY(txn.queue(std::move(entry)));
  }
  return {};
}

bool goes(const Removal& removal, RowView row) {
  if (removal.only_if_handle && row.handle() != *removal.only_if_handle) return false;
  const Label label = row.label();
  switch (removal.what) {
    case Removal::What::subject:
      return label != suppression && label != alias_row;
    case Removal::What::scope:
      if (removal.only_if_handle) return is_scope(label) || is_sealing(label);
      return label == removal.label || label == scope_label(removal.label, successor) ||
             label == (shared_count | removal.label);
    case Removal::What::replaced:
      return label == removal.label;
    case Removal::What::hold:
      return label == hold_key;
    case Removal::What::alias:
      return label == alias_row;
    case Removal::What::tombstone:
      return label == suppression;
    case Removal::What::arriving:
      return purpose_of(label) != 0 && incarnation_of(label) == arriving_scope;
    case Removal::What::merging:
      return label == merging_row;
    case Removal::What::bucket:
      return label == bucket_key;
    default:  // No row, or a whole tenant's.
      return false;
  }
}

constexpr bool rows_come_back = mutant == Mutant::hold_keeps_row ||  // Never.
                                mutant == Mutant::bucket_keeps_row;
constexpr Removal::What what_comes_back =
    mutant == Mutant::hold_keeps_row ? Removal::What::hold : Removal::What::bucket;

// The successor of a scope takes its label, and the flags that it had at last.
Status take_place(LeafEdit& leaf, const Removal& removal, std::uint16_t flags) {
  const Label waiting = scope_label(removal.label, successor);
  std::optional<Row> next;
  leaf.each(removal.tag, [&](RowView row) {
    if (row.label() == waiting) next = row.copy();
  });
  if (!next) return Error(Errc::corruption, "a scope that was re-keyed has no successor");
  EFFACE_CHECK(leaf.relabel(removal.tag, waiting, removal.label, flags, next->aux));
  return {};
}

Status raise_high_water(LeafEdit& leaf, std::uint32_t day) {
  std::optional<std::uint32_t> before;
  leaf.each(high_water_tag(), [&](RowView row) { before = row.aux(); });
  if (before) {
    leaf.relabel(high_water_tag(), high_water, high_water, 0, std::max(*before, day));
    return {};
  }
  return leaf.add(
      {high_water_tag(), crypto::SecretKey::random(), crypto::random_id(), high_water, 0, day});
}

bool may_be_blocked(Removal::What what) noexcept {
  return what == Removal::What::subject || what == Removal::What::scope;
}

// Whether it may go on: she is the one that is meant, and no hold is on her.
bool is_allowed(const LeafEdit& leaf, Removal& removal) {
  if (removal.what == Removal::What::bucket || removal.what == Removal::What::alias) return true;
  bool same = !removal.only_if_person && !removal.only_if_aux;  // Where she has no row.
  leaf.each(removal.tag, [&](RowView row) {
    if (row.label() != person) return;
    same = (!removal.only_if_person || row.handle() == *removal.only_if_person) &&
           (!removal.only_if_aux || row.aux() == *removal.only_if_aux);
    const bool checked = may_be_blocked(removal.what);
    removal.held = checked && !removal.despite_hold && (row.flags() & flag_held) != 0;
    removal.moving = checked && !removal.despite_transfer && (row.flags() & flag_moving) != 0;
  });
  if (!same) removal.held = removal.moving = false;
  return same && !removal.held && !removal.moving;
}

// The row that went names nobody: its handle was random, and is gone.
void enter_decisions(auto& txn, Removal& removal, const std::optional<Handle>& gone) {
  for (ledger::Entry decision : removal.decisions) {
    if (gone) decision.destroyed = ledger::hash_of_row(*gone);
    const std::size_t at = txn.enter(removal.tenant, std::move(decision));
    if (!removal.entry) removal.entry = at;
  }
}

// The last day of the buckets that are asked to go.
std::uint32_t last_day(std::span<Removal* const> removals) {
  std::uint32_t day = 0;
  for (const Removal* removal : removals) day = std::max(day, removal->day);
  return day;
}

std::uint32_t last_day_gone(std::span<Removal* const> removals) {
  std::uint32_t day = 0;
  for (const Removal* removal : removals)
    if (removal->removed && removal->what == Removal::What::bucket)
      day = std::max(day, removal->day);
  return day;
}

}  // namespace

// Takes one removal's rows out of the leaf that holds them, and changes what it changes.
Status Keyring::remove_row(Txn& txn, const TreeRef& tree, LeafEdit& leaf, Removal& removal,
                           std::vector<Handle>& handles) const {
  if (!is_allowed(leaf, removal)) return {};
  removal.removed = removal.what == Removal::What::rows;
  std::optional<Handle> gone_person;
  std::optional<Handle> gone_scope;
  std::uint16_t flags = 0;
  std::optional<Row> back;
  leaf.remove_if(
      removal.tag, [&](RowView row) { return goes(removal, row); },
      [&](RowView row) {
        removal.removed = true;
        flags = row.flags();
        if constexpr (rows_come_back)
          if (removal.what == what_comes_back) back = row.copy();
        // A row that leads to a person has her tag there: the queue stands in clear.
        if (row.label() != alias_row && row.label() != merging_row) handles.push_back(row.handle());
        if ((row.label() & ~purpose_mask) == shared_count) removal.shared += row.aux();
        if (tree.kind != TreeKind::subjects) return;
        if ((is_scope(row.label()) || is_sealing(row.label())) && !gone_scope)
          gone_scope = row.handle();
        if (row.label() != person) return;
        gone_person = row.handle();
        if ((row.flags() & flag_held) != 0) txn.count_held(tree.tenant, -1);
      });
  if constexpr (rows_come_back)
    if (back) EFFACE_TRY(leaf.add(*back));
  if (gone_person) EFFACE_TRY(txn.remove(file_key(tree.tenant.number, *gone_person)));
  if (!removal.removed) return {};
  enter_decisions(txn, removal, gone_person ? gone_person : gone_scope);
  if (removal.notice) EFFACE_TRY(txn.notify(tree.tenant, *removal.notice));
  if (removal.what == Removal::What::replaced) EFFACE_TRY(take_place(leaf, removal, flags));
  return apply(txn, tree, removal.tag, removal.changes, removal.file, leaf);
}

Result<ErasureOutcome> Keyring::erase(std::span<Removal> removals) {
  EraseJob job{removals};
  erasures_.run(job, removals.size(),
                [this](std::span<EraseJob* const> jobs) { erase_together(jobs); });
  return *job.answer;
}

Result<ErasureOutcome> Keyring::erase(const Lock& held, std::span<Removal> removals) {
  EFFACE_CHECK(held.owns_lock() && held.mutex() == &writer_);
  std::vector<Removal*> all;
  for (Removal& removal : removals) all.push_back(&removal);
  try {
    return erase_locked(all);
  } catch (const std::bad_alloc&) {
    cache_.forget_all();
    removals_.fetch_add(1, std::memory_order_acq_rel);
    return Error(Errc::out_of_memory, "no memory for an erasure");
  }
}

void Keyring::erase_together(std::span<EraseJob* const> jobs) {
  const auto answer_all = [&](const Result<ErasureOutcome>& answer) {
    for (EraseJob* job : jobs) job->answer = answer;
  };
  try {
    auto lock = this->lock();
    if (!lock) return answer_all(lock.error());
    std::vector<Removal*> all;
    for (EraseJob* job : jobs)
      for (Removal& removal : job->removals) all.push_back(&removal);
    answer_all(erase_locked(all));
  } catch (const std::bad_alloc&) {
    cache_.forget_all();  // It may have been after the commit: nothing cached may outlive that.
    removals_.fetch_add(1, std::memory_order_acq_rel);
    answer_all(Error(Errc::out_of_memory, "no memory for an erasure"));
  }
}

Result<ErasureOutcome> Keyring::erase_locked(std::span<Removal* const> removals) {
  EFFACE_TRY(base::traced(watch(), "keyring.settle", [&] { return settle_before(); }));  // step 0
  ErasureOutcome outcome;
  outcome.epoch_before = outcome.epoch_after = epoch();
  outcome.root_hash_before = outcome.root_hash_after = root_hash_;

  EFFACE_ASSIGN(NextRoot next, make_next_root(spare_, *root_keys_));  // step 1
  if constexpr (mutant == Mutant::root_not_rotated) {
    std::shared_lock lock(roots_mutex_);
    next.key = current_->key.clone();
    EFFACE_ASSIGN(next.wrapped,
                  root_keys_->wrap(spare_, wrap_context(options_.region, next.root_id),
                                   std::as_const(next.key).bytes()));
  }
  spare_used_ = true;
  if constexpr (mutant == Mutant::old_root_first) EFFACE_TRY(settle_epochs(next.epoch, false));
  const std::uint64_t entries_before = book_.tree.size;
  EFFACE_ASSIGN(const bool rekeyed, change(storage::Space::removal, next,
                                           [&](Txn& txn) { return remove_rows(txn, removals); }));
  if (!rekeyed) {
    spare_used_ = false;  // Nothing was there, so nothing was written under the spare.
    outcome.assurance = assurance();
    return outcome;
  }
  for (Removal* removal : removals)
    if (removal->entry) *removal->entry += entries_before;
  const auto hash = base::traced(watch(), "keyring.read_back", [&] {
    return mutant == Mutant::commit_not_read_back ? root_hash_
                                                  : read_back(*root_keys_, next, removals);
  });
  if (!hash)
    return latch(Error(Errc::outcome_unknown, "what an erasure committed could not be read back",
                       hash.error().system_code()));

  // From here on it is forgotten here, whatever the root key store answers, and also when memory
  // runs out.
  pending_ = true;
  publish_root();
  epoch_ = next.epoch;
  root_hash_ = outcome.root_hash_after = *hash;
  outcome.epoch_after = next.epoch;
  forget_cached(removals);                              // step 3, also when 2 fails
  const Status destroyed = destroy_before(next.epoch);  // step 2: pending no more
  if (!destroyed)
    return tell_pending(destroyed.error(),
                        {Errc::erase_pending, "the root key store did not confirm the destruction",
                         destroyed.error().system_code()});
  if (retiring_) return tell_left();
  outcome.assurance = assurance();
  outcome.replicas = replicas();
  return outcome;
}

// Whatever epoch was in force before this one.
Status Keyring::destroy_before(Epoch in_force) {
  EFFACE_TRY(base::traced(watch(), "ledger.copy", [&] { return sync_copy(); }));
  return base::traced(watch(), "root_keys.rotate", [&] { return settle_epochs(in_force, false); });
}

Status Keyring::remove_rows(Txn& txn, std::span<Removal* const> removals) const {
  struct Work {
    TenantRef tenant;
    std::vector<Removal*> of_tree[2];
    Removal* whole = nullptr;
  };
  std::map<std::uint32_t, Work> by_tenant;
  for (Removal* removal : removals) {
    removal->removed = removal->held = removal->moving = false;
    removal->shared = 0;
    removal->entry.reset();
    Work& work = by_tenant[removal->tenant.number];
    work.tenant = removal->tenant;
    if (removal->what == Removal::What::tenant)
      work.whole = removal;
    else
      work.of_tree[removal->what == Removal::What::bucket].push_back(removal);
  }
  std::vector<Tag> gone_tenants;
  std::vector<Removal*> whole;
  for (auto& [number, work] : by_tenant) {
    if (work.whole != nullptr) {
      gone_tenants.push_back(work.tenant.tag);
      whole.push_back(work.whole);
      continue;
    }
    std::vector<Handle> handles;
    for (const TreeKind kind : {TreeKind::subjects, TreeKind::retention}) {
      const auto& list = work.of_tree[static_cast<std::size_t>(kind)];
      if (list.empty()) continue;
      std::vector<Tag> tags;
      for (const Removal* removal : list) tags.push_back(removal->tag);
      const TreeRef tree{work.tenant, kind};
      const std::uint32_t day = last_day(list);
      if (day != 0) tags.push_back(high_water_tag());
      const Status edited = txn.edit(tree, tags, [&](std::size_t i, LeafEdit& leaf) -> Status {
        if (i < list.size()) return remove_row(txn, tree, leaf, *list[i], handles);
        return raise_high_water(leaf, day);
      });
      if (!edited && edited.error().code() == Errc::tenant_unknown) break;  // It went before.
      EFFACE_TRY(edited);
      if (std::any_of(list.begin(), list.end(), [](const Removal* r) { return r->removed; }))
        txn.note_change();
      if (kind == TreeKind::subjects) EFFACE_TRY(queue_handles(txn, number, handles));
    }
  }
  EFFACE_TRY(txn.edit_top(gone_tenants, [&](std::size_t i, LeafEdit& leaf) -> Status {
    leaf.each(gone_tenants[i], [&](RowView row) {
      if (row.label() == pseudonym_key && row.aux() != 0) whole[i]->held = true;
    });
    if (whole[i]->held) return {};
    leaf.remove(gone_tenants[i], [&](RowView) { whole[i]->removed = true; });
    return {};
  }));
  // Rows alone end an epoch too: no copy of the keyring from before them opens any more.
  if (txn.changed() && !txn.top_rekeyed()) EFFACE_TRY(txn.rekey_top());
  if (const std::uint32_t day = last_day_gone(removals); day != 0)
    EFFACE_TRY(txn.queue({0, Reclaim::What::days, day, {}}));
  for (Removal* removal : whole) {
    if (!removal->removed) continue;
    txn.note_change();
    enter_decisions(txn, *removal, std::nullopt);
    EFFACE_TRY(txn.remove(terms_key(removal->tenant.number)));
    EFFACE_TRY(txn.queue({0, Reclaim::What::tenant, removal->tenant.number, {}}));
  }
  return {};
}

// What was committed, as it stands: unwrapped by the store, the root and one touched leaf unsealed.
Result<std::array<std::byte, 32>> Keyring::read_back(RootKeyStore& store, const NextRoot& next,
                                                     std::span<Removal* const> removals) {
  EFFACE_ASSIGN(const RootRecord record, read_root_record());
  auto key = crypto::SecretKey::zeroed();
  {
    const std::lock_guard one(root_store_mutex_);
    EFFACE_TRY(store.unwrap(record.epoch, wrap_context(options_.region, record.root_id),
                            record.wrapped, key.bytes()));
  }
  if (record.epoch != next.epoch || !crypto::equal(key.bytes(), next.key.bytes()))
    return Error(Errc::outcome_unknown, "the committed root is not the one that was written");
  std::array<std::byte, 32> hash{};
  EFFACE_TRY(with_snapshot([&](const NodeReader& nodes, const TreeRoot& top,
                               const storage::ReadTxn&) -> Status {
    EFFACE_ASSIGN(hash, hash_of_root(nodes, top.bucket_count));
    for (const Removal* removal : removals) {
      if (!removal->removed) continue;
      const auto touched = [](RowView) {};
      if (removal->what == Removal::What::tenant)
        return KeyTree(options_.region, top_tree).find(nodes, top, removal->tenant.tag, touched);
      const TreeRef tree{removal->tenant, removal->what == Removal::What::bucket
                                              ? TreeKind::retention
                                              : TreeKind::subjects};
      const auto root = root_of(nodes, top, tree);
      if (!root) return root.error();
      return KeyTree(options_.region, tree_number(tree)).find(nodes, *root, removal->tag, touched);
    }
    return {};
  }));
  return hash;
}

void Keyring::forget_cached(std::span<Removal* const> removals) {
  bool all = false;
  std::vector<KeyPlace> places;
  for (const Removal* removal : removals) {
    if (!removal->removed) continue;
    all = all || removal->what == Removal::What::tenant;
    // A person's cached keys remember what was derived from a bucket's.
    all = all || removal->what == Removal::What::bucket;
    places.push_back({tree_number({removal->tenant, TreeKind::subjects}), removal->tag});
    places.push_back({top_tree, removal->tenant.tag});  // Counts how many are held.
  }
  if (all)
    cache_.forget_all();
  else
    cache_.forget(places);
  removals_.fetch_add(1, std::memory_order_acq_rel);
}

Status Keyring::settle() {
  if (!pending_) return {};
  EFFACE_ASSIGN(const Lock held, lock());
  return settle_before();
}

}  // namespace efface::keyring
