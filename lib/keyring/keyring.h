// keyring/keyring.h -- the keys of one region: trees, their root, and the order in which they
// forget.
//
// A top tree whose rows belong to tenants; each tenant has a subject tree (its people and their
// scopes) and a retention tree (its buckets). The key of the top tree's root is wrapped by the
// RootKeyStore under the epoch in force. All removals, at whatever height, are one operation:
// erase().
//
// Threads   Shared. Reads never wait for writes; writes exclude one another, with a deadline.
// Lifetime  The RootKeyStore and the region's lock outlive it.
// Errors    busy: the deadline passed. closed: an earlier failure latched it. outcome_unknown: the
//           commit failed half way, latched. erase_pending: the keyring has forgotten and nothing
//           of it can be read here, but the root key store did not confirm that the old root key is
//           destroyed; the next erase, settle or open tries again.
// Source    docs/format/keyring.md; DESIGN (docs/model.md), "Erasure is committed in this order".
#pragma once
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

#include "base/combiner.h"
#include "codec/plaintext.h"
#include "crypto/sign.h"
#include "efface/root_key_store.h"
#include "keyring/book.h"
#include "keyring/capsule.h"
#include "keyring/changes.h"
#include "keyring/check.h"
#include "keyring/key_tree.h"
#include "keyring/keys.h"
#include "keyring/mirrors.h"
#include "os/lock.h"
#include "storage/environment.h"

namespace efface::keyring {

struct KeyringOptions {
  Id16 region{};
  RootKeyStore* root_keys = nullptr;
  storage::EnvironmentOptions environment;
  std::size_t cached_tags_max = 16'384;
  std::shared_ptr<LedgerCopy> ledger_copy{};  // None: the ledger stands in the keyring alone.
  std::chrono::system_clock::time_point (*now)() = nullptr;  // Null: the system's clock.
  // Opens also when the ledger's copy has entries that the keyring has not: for whoever applies
  // them before anything is read.
  bool restoring = false;
  std::vector<std::filesystem::path> mirrors{};
  // Null: this process alone has the keyring open. Else whoever opens it holds the byte meanwhile.
  std::shared_ptr<os::ByteLocks> processes{};
};
// Bytes of that file.
inline constexpr std::size_t writer_byte = 0;

struct KeyringStats {
  Epoch epoch = 0;             // As it is committed, also where another process ended one.
  std::uint64_t sequence = 0;  // Likewise.
  std::uint64_t reclaim_entries = 0;
  std::size_t cached_tags = 0;
  bool erase_pending = false;
  storage::Environment::Stats environment{};
};

class NodeImages;

class Keyring {
 public:
  // The writer's, of all threads and processes. Ends with the scope.
  class Lock {
   public:
    Lock(Lock&& other) noexcept;
    ~Lock() { unlock(); }
    bool owns_lock() const noexcept { return here_.owns_lock(); }
    const std::timed_mutex* mutex() const noexcept { return here_.mutex(); }
    void unlock() noexcept;

   private:
    friend class Keyring;
    Lock(Keyring& keyring, std::unique_lock<std::timed_mutex> here) noexcept
        : keyring_(&keyring), here_(std::move(here)) {}
    Keyring* keyring_;
    std::unique_lock<std::timed_mutex> here_;
    os::ByteLocks::Held there_;
    bool knows_all_ = false;  // That other processes committed.
  };

  // In an empty directory. Errors: root_key_mismatch when the root key store serves a keyring
  // already. A crash leaves files to be thrown away, and a root key store that can be used again.
  static Status create(const os::Directory& directory, const KeyringOptions& options);

  // Recovers: what an interrupted erasure left to do is done before it answers.
  // Errors: keyring_stale, root_key_missing, root_key_mismatch; corruption; those of the stores.
  static Result<std::unique_ptr<Keyring>> open(const os::Directory& directory,
                                               const KeyringOptions& options);

  // The keyring of that name in a region's directory, or, where a mirror of it is newer or alone
  // opens, that one, put in its place (survivor.h).
  static Result<std::unique_ptr<Keyring>> open_newest(const os::Directory& region,
                                                      std::string_view name,
                                                      const KeyringOptions& options);

  // As it stands, wherever it stands: recovers nothing, leaves root key store, mirrors and the
  // ledger's copy as they are. Every change answers closed. Errors: as open.
  static Result<std::unique_ptr<Keyring>> open_to_read(const os::Directory& directory,
                                                       const KeyringOptions& options);
  ~Keyring();

  // ---- reading ----
  // The rows of a tag; empty when there are none. An error is never "none".
  Result<SharedKeys> keys(const TreeRef& tree, const Tag& tag);
  Result<SharedKeys> tenant_keys(const TenantRef& tenant);
  // Reads the rows of many tags at once, where each would else be looked for from the root down:
  // the next keys() finds them. Of more than ahead_max the first may be forgotten again.
  Status load_ahead(const TreeRef& tree, std::span<const Tag> tags);
  std::size_t ahead_max() const noexcept { return options_.cached_tags_max / 2; }
  // Which of them have any row.
  Result<std::vector<bool>> have_rows(const TreeRef& tree, std::span<const Tag> tags);
  // Counts removals, and changes of rows that may refuse what was allowed. A reader that began
  // before one must look again before it answers.
  std::uint64_t removals() const noexcept {
    look_for_others();
    return removals_.load(std::memory_order_acquire);
  }
  // What is on file about the person of a row, opened; nothing when nothing is.
  Result<std::optional<codec::Plaintext>> file(const TenantRef& tenant, const Row& row);
  // The rows of one leaf of a tree; answers how many leaves there are. See KeyTree::walk_leaf.
  Result<std::uint32_t> walk_leaf(const TreeRef& tree, std::uint32_t leaf,
                                  FunctionRef<void(RowView)> look);
  // Of a run of leaves from `first` on, each with its number: an inner node's worth.
  struct Walked {
    std::uint32_t next;    // To go on with.
    std::uint32_t leaves;  // There are.
  };
  Result<Walked> walk_leaves(const TreeRef& tree, std::uint32_t first,
                             FunctionRef<void(std::uint32_t, RowView)> look);
  Status walk(const TreeRef& tree, FunctionRef<Result<Flow>(RowView)> look);
  Result<std::vector<TenantEntry>> tenants();
  // What it was given last. Errors: tenant_unknown.
  Result<std::vector<std::byte>> terms_of(const TenantRef& tenant);
  Epoch epoch() const noexcept { return epoch_.load(std::memory_order_acquire); }
  Assurance assurance() const;  // As of the last step of the root key store.
  Replicas replicas() const;    // Likewise.
  Result<KeyringStats> stats();
  // How many write transactions it has seen; those of the mirrors that follow included.
  std::uint64_t sequence() const noexcept { return sequence_.load(std::memory_order_acquire); }
  const Sequence& last_commit() const noexcept { return last_commit_; }  // Only while none writes.
  std::vector<MirrorStats> mirrors() const;
  // Writes anew those that are behind. Holds back other writers meanwhile. One that stays behind is
  // no error.
  Status catch_up_mirrors();

  // ---- adding: durable when it answers ----
  Result<Lock>
  lock();  // For who must look in several keyrings first; in the order of region names.
  // A decision is entered with the number of people that were made by it, if any was.
  Status ensure(const Lock& held, const TreeRef& tree, std::span<Ensure> rows,
                std::span<const ledger::Entry> enrolled = {});
  Result<TenantRef> add_tenant(const Lock& held, const Tag& tag, Bytes terms,
                               const ledger::Entry& declared = {});  // Errors: exists.
  Status set_terms(const Lock& held, const TenantRef& tenant, Bytes terms,
                   std::span<const ledger::Entry> decisions = {});
  // Changes rows without taking a key away. Who decided by what he read under the same lock decides
  // by what is changed.
  Status amend(const Lock& held, const TreeRef& tree, std::span<Amend> amends);

  // ---- the ledger: what was decided, in order, and nothing about whom ----
  // Each decision is entered in the transaction of what it stands for; these stand for themselves.
  Status enter(const Lock& held, std::span<const ledger::Entry> decisions);
  struct LedgerItem {
    std::vector<std::byte> bytes;
    bool swept = false;             // The ciphertext that it left is removed.
    std::uint32_t horizon_day = 0;  // The last on which a capsule from before it opens; 0: none.
  };
  Result<LedgerItem> ledger_item(std::uint64_t index);  // Errors: receipt_unknown.
  Result<std::optional<std::uint64_t>> find_request(const Id16& request);
  // As of now: how many entries, the root of their tree, until when a recovery capsule opens.
  Result<BookHead> ledger_head();
  struct LedgerProof {
    LedgerItem item;
    std::vector<ledger::Hash> path;
    std::uint64_t size = 0;
    ledger::Hash root{};
  };
  Result<LedgerProof> prove(std::uint64_t index);  // Errors: receipt_unknown.
  // That the ledger of that size is the beginning of today's.
  Result<LedgerProof> prove_since(std::uint64_t size);  // Errors: receipt_unknown.
  // From an index on, until look stops.
  Status each_entry(std::uint64_t first, FunctionRef<Result<Flow>(std::uint64_t, Bytes)> look);
  // The region's own: made with its first use.
  Result<crypto::SigningKey> signing_key();
  // Whether the copy has every entry, durably.
  bool copy_in_step() const noexcept { return !copy_behind_; }

  // ---- notes: what the region keeps for itself, by number, sealed under a key of its own ----
  Status put_note(const Lock& held, std::uint64_t number, Bytes note,
                  std::span<const ledger::Entry> decisions = {});
  Result<std::optional<codec::Plaintext>> note(std::uint64_t number);
  Result<std::vector<std::uint64_t>> note_numbers();  // Ascending.

  // ---- capsules: keyring/capsule.h ----
  // That there will be one stands in the ledger, durably, before the sink gets a byte.
  Status write_capsule(std::uint32_t last_day, const ledger::Entry& decision, CapsuleSink sink);
  // Puts what a capsule has in the place of a keyring that does not open, its root wrapped by the
  // root key store as it is. It opens with KeyringOptions::restoring. Errors: exists: it does open,
  // or a mirror of it; expired: the capsule's day is over; keyring_stale: no copy of the ledger is
  // there that goes on from the capsule, and no root key store that remembers; region_mismatch;
  // those of the capsule and of the stores. After a crash it is done again.
  static Status bring_back(const os::Directory& region, std::string_view name,
                           const KeyringOptions& options, const CapsuleSource& capsule);

  // ---- restoring ----
  // What the copy has and this keyring has not.
  Result<std::vector<ledger::Entry>> missing_entries();
  // They have been applied: they are entered as they were, and one more that says so.
  Status take_over(const Lock& held, std::span<const ledger::Entry> missing,
                   const ledger::Entry& restored);
  // Whether the ledger begins with one of that size and root, known from elsewhere. Errors:
  // keyring_stale, ledger_mismatch.
  Status check_begins_with(std::uint64_t entries, Bytes root) const;
  // How far this keyring had come when the records, as it knows of them, were last written: records
  // that had seen less are older copies.
  std::uint64_t records_floor() const noexcept { return records_floor_; }
  void saw_records(std::uint64_t sequence) const noexcept;

  // ---- forgetting ----
  // All removals that wait at the same time are one epoch. Not found is no error.
  Result<ErasureOutcome> erase(std::span<Removal> removals);
  // The same for who decided under the lock what has to go; an epoch of its own.
  Result<ErasureOutcome> erase(const Lock& held, std::span<Removal> removals);
  // Finishes what a failing root key store left pending. Nothing to do: nothing done.
  Status settle();

  // ---- notices: what an erasure of a tenant's people left to be told, oldest first ----
  struct Notice {
    std::uint64_t sequence = 0;
    std::vector<std::byte> bytes;
  };
  Result<std::vector<Notice>> notices(const TenantRef& tenant);
  Status finish_notice(const TenantRef& tenant, std::uint64_t sequence);

  // ---- changing custody ----
  // Ends an epoch, and removes nothing. Errors: as erase.
  Result<ErasureOutcome> rotate_root(const ledger::Entry& decision = {});
  // Wraps the root by another root key store, and destroys all that the present one holds. After
  // an error the keyring stands with the one or the other, and opens with that. Errors: as erase;
  // root_key_mismatch: the other one serves a keyring already; conflict: the one before it is not
  // retired. erase_pending: the root has moved, and retire_root has to follow.
  struct Migration {
    RootKeyStore& to;
    bool accept_lost = false;  // Of what the present one is made of, what does not answer.
  };
  Result<ErasureOutcome> migrate_root(const Migration& migration,
                                      const ledger::Entry& decision = {});
  // Destroys what the root key store that was left still holds. Errors: root_key_mismatch when it
  // is another one, or none was left.
  Status retire_root(RootKeyStore& left);

  // Whether a destruction waits for the root key store.
  bool pending() const noexcept { return pending_; }

  // ---- is it well? Both change nothing ----
  // What can be asked of the root key store about a directory. Waits for the writer.
  struct Custody {
    bool shares_volume = false;  // With the directory.
    bool keeps_in_clear = false;
    bool retiring = false;  // The one before it may still hold keys.
  };
  Result<Custody> custody(const std::string& directory);
  // Opens all that the keyring has, in a snapshot for each tree and one for the ledger; tells what
  // does not verify. Errors: only those that keep it from looking.
  Result<KeyringCheck> check(FunctionRef<void(std::uint64_t)> progress);
  // Opens whatever of old pages today's keys open (images.h). One snapshot: meanwhile the database
  // cannot grow. Errors: corruption of what is there today.
  Status reach(NodeImages& images);

  // ---- reclaiming ----
  Result<std::optional<Reclaim>> next_reclaim();
  Status drop_nodes(
      std::uint32_t tenant_number);  // Of a tenant that is gone; bounded transactions.
  Status finish_reclaim(std::uint64_t sequence);

 private:
  struct RootRecord;
  struct NextRoot;
  class BroughtBack;
  struct Retiring;
  struct EraseJob;
  class Txn;

  Keyring(const KeyringOptions& options, storage::Environment environment);
  Status recover();
  Status settle_epochs(Epoch in_force, bool spare_is_unused);
  Status settle_held(Epoch in_force, bool spare_is_unused);  // By who may call the store.
  Status settle_before();                                    // Step 0 of what ends an epoch.
  Status destroy_before(Epoch in_force);                     // Step 2.
  bool has_spare() const noexcept { return spare_ != 0 && !spare_used_; }
  Result<NextRoot> make_next_root(Epoch epoch, RootKeyStore& store);
  Status prepare_root();
  Result<std::array<std::byte, 32>> hash_of_root(const NodeReader& nodes,
                                                 std::uint32_t bucket_count) const;
  Result<RootRecord> read_root_record() const;
  Result<storage::ReadTxn> read() const;
  Status with_snapshot(
      FunctionRef<Status(const NodeReader&, const TreeRoot&, const storage::ReadTxn&)> look);
  Result<SharedKeys> load_keys(std::uint32_t tree, const std::optional<TreeRef>& ref,
                               const Tag& tag);
  Result<TreeRoot> root_of(const NodeReader& nodes, const TreeRoot& top, const TreeRef& tree) const;
  std::optional<crypto::SecretKey> held_root(const Id16& root_id) const;
  // ---- other processes: others.cc ----
  void look_for_others() const noexcept;
  Status learn_root(const RootRecord& record);
  Status end_commits();
  Status catch_up_with_others();
  Status load(const RootRecord& record);
  // Runs work in one transaction, again when the map had to grow, and commits it. Answers whether
  // the root was re-keyed: it is then coming_, until publish_root.
  Result<bool> change(storage::Space space, const NextRoot& next, FunctionRef<Status(Txn&)> work);
  Result<bool> commit_change(storage::Space space, const NextRoot& next,
                             FunctionRef<Status(Txn&)> work);
  Status change_plain(FunctionRef<Status(storage::WriteTxn&)> work,
                      std::span<const ledger::Entry> decisions = {});
  Result<Lock> take_lock();
  struct Numbered;
  // The number of a transaction, its last change; and, once it is committed, the mirrors.
  Status number(storage::WriteTxn& txn, Numbered& into) const;
  void follow(const Numbered& committed);
  struct Entered;
  Status enter(storage::WriteTxn& txn, std::span<ledger::Entry> entries, std::uint64_t next_reclaim,
               Entered& into) const;
  Status enter_change(storage::WriteTxn& txn, Txn& change, const NextRoot& next,
                      Entered& into) const;
  void keep(Entered&& entered);
  Result<std::optional<crypto::SecretKey>> notes_key();
  // Of a row of the top tree, which no tenant's removal touches: made where it is missing.
  Result<crypto::SecretKey> make_own_key(const Lock& held, const Tag& tag, Label label);
  Status check_head() const;
  Status open_copy(const Anchor& anchor);
  Result<bool> copy_has_entries(const storage::ReadTxn& txn, std::uint64_t first,
                                std::uint64_t end) const;
  Result<bool> copy_has(const BookRow& row) const;
  Status catch_up_copy();
  Status sync_copy();
  Status put_floor(storage::WriteTxn& txn, Entered& into) const;
  Status check_anchor(const Anchor& anchor) const;
  Status check_copy(const Anchor& anchor);
  Result<std::vector<TreeRoot>> unwrap_old_roots(const Lock& held, NodeImages& images) const;
  static Result<std::uint64_t> read_floor(const storage::ReadTxn& txn);
  Anchor anchor_of(Epoch in_force) const;
  Status put_root_record(storage::WriteTxn& txn, const NextRoot& next, std::uint32_t buckets) const;
  void publish_root();
  Status ready_to_write() const;
  Error latch(Error error);
  // ---- what whoever runs it should know: told.cc; by the writer ----
  const base::Watch& watch() const noexcept { return options_.environment.watch; }
  Error tell_pending(const Error& why, const Error& answer);
  Error tell_left();
  void tell_replicas();
  void tell_settled();
  void tell_copy(const Status& written);

  Status drop_prefix(Bytes prefix);
  Status drop_entry(const Lock& held, Bytes key);
  void erase_together(std::span<EraseJob* const> jobs);
  Result<ErasureOutcome> erase_locked(std::span<Removal* const> removals);
  Status remove_rows(Txn& txn, std::span<Removal* const> removals) const;
  Status remove_row(Txn& txn, const TreeRef& tree, LeafEdit& leaf, Removal& removal,
                    std::vector<Handle>& handles) const;
  Status apply(Txn& txn, const TreeRef& tree, const Tag& tag, std::span<const RowChange> changes,
               const std::optional<Bytes>& file, LeafEdit& leaf) const;
  Result<std::array<std::byte, 32>> read_back(RootKeyStore& store, const NextRoot& next,
                                              std::span<Removal* const> removals);
  void forget_cached(std::span<Removal* const> removals);
  Status read_retiring();
  Status finish_retiring(const Lock& held, RootKeyStore& left);
  Status forget_retiring(const Lock& held);
  Result<ErasureOutcome> move_root(RootKeyStore& to, Epoch fresh, const Retiring* left,
                                   const ledger::Entry& decision);
  void note_root_keys();

  const KeyringOptions options_;
  RootKeyStore* root_keys_;             // Changed by the writer.
  std::mutex root_store_mutex_;         // One call at a time: a reader may learn a root.
  std::unique_ptr<Retiring> retiring_;  // None: none is left.
  storage::Environment environment_;
  mutable KeyCache cache_;
  std::timed_mutex writer_;
  base::Combiner<EraseJob> erasures_;

  mutable std::shared_mutex roots_mutex_;
  std::unique_ptr<NextRoot> current_;  // Root key in force, and the one about to be.
  std::unique_ptr<NextRoot> coming_;
  Assurance assurance_;
  Replicas replicas_;

  std::atomic<Epoch> epoch_{0};
  mutable std::atomic<std::uint64_t> removals_{0};
  mutable std::atomic<std::uint64_t> seen_transaction_{0};  // Of the environment; of all processes.
  std::uint64_t known_transaction_ = 0;                     // What the writer knows everything of.
  std::atomic<bool> latched_{false};
  std::atomic<bool> pending_{false};  // The old root key may still be held by its store.
  std::unique_ptr<NextRoot>
      prepared_;  // For a split: wrapped under the epoch in force, not used yet.
  Epoch spare_ = 0;
  bool spare_used_ = false;
  std::array<std::byte, 32> root_hash_{};
  BookHead book_;  // As it is committed; changed by the writer.
  std::atomic<bool> copy_behind_{false};
  std::uint64_t copy_synced_entries_ = 0;  // How many of the copy's are durable, at least.
  std::uint64_t records_floor_ = 0;        // As it is committed.
  mutable std::atomic<std::uint64_t> records_seen_{0};
  std::unique_ptr<Mirrors> mirrors_;  // None: there are none.
  Sequence last_commit_;              // Changed by the writer.
  std::atomic<std::uint64_t> sequence_{0};
  bool reads_only_ = false;
  bool told_pending_ = false;
  bool told_replicas_ = false;
  bool told_copy_ = false;
};

}  // namespace efface::keyring
