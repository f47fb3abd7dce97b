// Changing rows without taking a key away: flags, counts, new rows, and what is on file about a
// person. No epoch ends, and nothing that could be read before is shredded.
#include "crypto/random.h"
#include "keyring/keyring_txn.h"
#include "keyring/mutant.h"

namespace efface::keyring {
namespace {

std::optional<Row> row_of(const LeafEdit& leaf, const Tag& tag, Label label) {
  std::optional<Row> found;
  leaf.each(tag, [&](RowView row) {
    if (row.label() == label) found = row.copy();
  });
  return found;
}

// Always random.
crypto::SecretKey new_key([[maybe_unused]] const LeafEdit& leaf, [[maybe_unused]] const Tag& tag,
                          [[maybe_unused]] Label label) {
  if constexpr (mutant == Mutant::successor_keeps_key) {
    if (const auto scope = row_of(leaf, tag, purpose_of(label));
        scope && is_scope(label) && incarnation_of(label) == successor)
      return scope->key.clone();
  }
  return crypto::SecretKey::random();
}

// Answers by how many more people are held.
Result<std::int32_t> change_row(LeafEdit& leaf, const Tag& tag, const RowChange& change) {
  const std::optional<Row> row = row_of(leaf, tag, change.label);
  if (!row) {
    if (!change.make) return 0;
    EFFACE_TRY(leaf.add({tag, new_key(leaf, tag, change.label),
                         change.handle.value_or(crypto::random_id()), change.label, change.set,
                         added(change.aux.value_or(0), change.aux_more)}));
    return 0;
  }
  const auto flags = static_cast<std::uint16_t>((row->flags & ~change.clear) | change.set);
  leaf.relabel(tag, change.label, change.move_to.value_or(change.label), flags,
               added(change.aux.value_or(row->aux), change.aux_more));
  if (change.label != person) return 0;
  return ((flags & flag_held) != 0 ? 1 : 0) - ((row->flags & flag_held) != 0 ? 1 : 0);
}

}  // namespace

Status Keyring::apply(Txn& txn, const TreeRef& tree, const Tag& tag,
                      std::span<const RowChange> changes, const std::optional<Bytes>& file,
                      LeafEdit& leaf) const {
  for (const RowChange& change : changes) {
    EFFACE_ASSIGN(const std::int32_t more, change_row(leaf, tag, change));
    if (more != 0) txn.count_held(tree.tenant, more);
  }
  if (!file) return {};
  const std::optional<Row> row = row_of(leaf, tag, person);
  if (!row) return {};
  const FileKey key = file_key(tree.tenant.number, row->handle);
  return txn.put(key, seal_file(options_.region, key, row->key.bytes(), *file));
}

Status Keyring::amend(const Lock& held, const TreeRef& tree, std::span<Amend> amends) {
  EFFACE_CHECK(held.owns_lock() && held.mutex() == &writer_);
  EFFACE_TRY(prepare_root());
  std::vector<Tag> tags;
  std::vector<KeyPlace> moved;
  for (const Amend& amend : amends) {
    tags.push_back(amend.tag);
    moved.push_back({tree_number(tree), amend.tag});
  }
  moved.push_back({top_tree, tree.tenant.tag});  // Counts how many are held.
  const auto work = [&](Txn& txn) -> Status {
    EFFACE_TRY(txn.add(tree, tags, [&](std::size_t i, LeafEdit& leaf) -> Status {
      Amend& amend = amends[i];
      amend.done = true;
      if (amend.only_if_person) {
        const std::optional<Row> row = row_of(leaf, amend.tag, person);
        amend.done = row && row->handle == *amend.only_if_person;
      }
      if (!amend.done) return {};
      EFFACE_TRY(apply(txn, tree, amend.tag, amend.changes, amend.file, leaf));
      for (const ledger::Entry& decision : amend.decisions) txn.enter(tree.tenant, decision);
      std::vector<Row> all;
      leaf.each(amend.tag, [&](RowView row) { all.push_back(row.copy()); });
      amend.keys = std::make_shared<const Keys>(std::move(all));
      txn.note_change();
      return {};
    }));
    return txn.edit_top();
  };
  EFFACE_ASSIGN(const bool rekeyed, change(storage::Space::removal, *prepared_, work));
  if (rekeyed) {
    publish_root();
    prepared_.reset();
  }
  cache_.forget(moved);  // Nothing may throw between the commit and this.
  removals_.fetch_add(1, std::memory_order_acq_rel);
  return {};
}

}  // namespace efface::keyring
