// records/vault.h -- the records of one region: ciphertext under random handles, nothing else.
//
// Threads   Shared. Writes that wait at the same time commit as one group: leader and followers.
//           What was acknowledged ahead of its commit goes first, with the next group (queue.h).
// Errors    As storage/environment.h; conflict for an expectation that does not hold.
// Cost      A group is one durable commit, however many jobs and records it has.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/combiner.h"
#include "keyring/keyring.h"
#include "os/file.h"
#include "records/change.h"
#include "records/queue.h"
#include "storage/copy.h"
#include "storage/environment.h"

namespace efface::records {

// What was overwritten or removed of a scope since its key was made: it may survive in free pages.
struct Residue {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::int64_t oldest_ms = 0;  // Since 1970.
};

// The byte of the region's locks that whoever writes records holds.
inline constexpr std::size_t records_byte = 1;

struct Found {
  RecordKey key{};
  std::vector<std::byte> value{};
};

class Vault {
 public:
  static Status create(const os::Directory& directory, const Id16& region,
                       const storage::EnvironmentOptions& options);
  // processes: who else may have it open; null: nobody.
  static Result<std::unique_ptr<Vault>> open(const os::Directory& directory, const Id16& region,
                                             const storage::EnvironmentOptions& options,
                                             std::shared_ptr<os::ByteLocks> processes = {});

  // look gets the sealed bytes where they lie; they are valid during the call alone. Sees what
  // waits.
  Result<bool> get(const RecordKey& key, FunctionRef<Status(Bytes)> look) const;
  // The same of a shared record; and all of them, from one snapshot.
  Result<bool> get_group(const keyring::Handle& handle, FunctionRef<Status(Bytes)> look) const;
  Result<std::vector<keyring::Handle>> groups() const;
  // Every record of a handle, in no order that means anything, from one snapshot. What waits of it
  // is committed before.
  Status each(const keyring::Handle& handle, FunctionRef<Status(const RecordKey&, Bytes)> look);

  // All changes or none. still_valid runs under the records lock, just before they are stored.
  // Residue is counted in the same transaction, as of now_ms.
  Status commit(std::span<Change> changes, std::int64_t now_ms, FunctionRef<Status()> still_valid);
  // The scopes that have residue, from one snapshot; kept small by maintain(). All that waits is
  // committed before.
  Status each_residue(FunctionRef<Status(const keyring::Handle&, const Residue&)> look);

  // ---- ahead of the commit: vault_waiting.cc ----
  // Acknowledges a batch, which waits until a commit takes it: each one does, and all that waits,
  // before its own changes. False: it is still the caller's, and to be committed. See Queue::add.
  Result<bool> leave_waiting(std::unique_ptr<Waiting>& batch, FunctionRef<Status()> still_valid);
  // Decides again on what waits, under the records lock and before the transaction: notes which
  // batches are refused, and appends what has to be stored beside the others.
  using Prepare = Status (*)(std::span<Waiting* const> all, std::vector<Change>& beside);
  void prepare_with(Prepare prepare) noexcept { prepare_ = prepare; }
  // Commits all that waits. Errors: then it waits still, or outcome_unknown; or, once, the first
  // refusal of a batch that was dropped since the last time.
  Status sync();
  Status commit_waiting();                               // The same, and leaves refusals to sync.
  Status commit_waiting(const keyring::Handle& handle);  // If anything of it waits.
  // What waits is committed, if that can be, and nothing waits from here on to the end of it: for
  // whoever changes what it would be refused for.
  class Settled {
   public:
    explicit Settled(Vault& vault) : shut_(vault.queue_) {
      static_cast<void>(vault.commit_waiting());  // What cannot be stored is decided again.
    }

   private:
    Queue::Shut shut_;
  };
  // An owner goes: commits what waits, and drops what of his cannot be.
  void let_go(const void* owner) noexcept;

  // Returns once every commit that had begun has ended: after an erasure has been published, none
  // that was found valid before it is still on its way. For one of another process that is stopped
  // it does not wait for ever: what that stores yet has no key.
  void barrier();

  // ---- reclaiming: up to records_max of a handle in one transaction, its residue with the last;
  // answers how many records went ----
  Result<std::size_t> remove_some(const keyring::Handle& handle, std::size_t records_max);
  // The same for the records, at the first record key >= from, that expire on a day up to `day`;
  // from moves on, and is empty when all were looked at.
  Result<std::size_t> remove_expired(Bucket day, std::size_t looked_at_max,
                                     std::optional<RecordKey>& from);
  // The handles that have records, from one snapshot, once all that waits is committed. Cost: one
  // seek a handle.
  Result<std::vector<keyring::Handle>> handles();

  // How far a keyring had come when these records were last written; what is watched is put down
  // with the next write after it moved.
  struct Seen {
    std::uint64_t sequence = 0;
    Epoch epoch = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  void watch(const keyring::Keyring& keyring) noexcept { watched_ = &keyring; }  // It outlives it.
  Result<Seen> seen() const;
  Status accept();  // What is watched has been seen from now on, however old the records are.
  // A copy of it all while it is written to: storage/copy.h. All that waits is committed before.
  Status copy(const os::Directory& into, const storage::EnvironmentOptions& options,
              storage::CopyProgress progress);

  Result<storage::Environment::Stats> stats();  // Likewise.

 private:
  struct Job;
  struct Ahead;
  Vault(storage::Environment environment, const storage::EnvironmentOptions& options,
        std::shared_ptr<os::ByteLocks> processes);
  // The one who writes, of all threads and processes. Errors: busy.
  struct Alone {
    std::unique_lock<std::mutex> here;
    os::ByteLocks::Held there{};
  };
  Result<Alone> be_alone();
  Result<Alone> take_locks();
  void commit_together(std::span<Job* const> jobs);
  Status get_ready(Ahead& ahead);
  void take_off_queue(const Ahead& stored);
  Status store(std::span<Job* const> jobs);
  Status store_all(std::span<Job* const> jobs);
  Result<bool> store_one(storage::WriteTxn& txn, Job& job);
  Status store_changes(storage::WriteTxn& txn, Job& job);

  Status note_seen(storage::WriteTxn& txn, Seen& noted) const;
  Status commit(storage::WriteTxn txn);  // With what is seen. Under writer_.

  storage::Environment environment_;
  base::Combiner<Job> jobs_;
  Queue queue_;
  Prepare prepare_ = nullptr;  // Nothing waits without.
  std::mutex writer_;
  const std::chrono::milliseconds deadline_;
  const base::Watch watch_;
  const std::shared_ptr<os::ByteLocks> processes_;
  const keyring::Keyring* watched_ = nullptr;
  Seen seen_;  // As it stands in the environment; under writer_.
};

}  // namespace efface::records
