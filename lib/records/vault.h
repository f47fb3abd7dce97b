// records/vault.h -- the records of one region: ciphertext under random handles, nothing else.
//
// Threads   Shared. Writes that wait at the same time commit as one group: leader and followers.
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
#include "records/envelope.h"
#include "storage/copy.h"
#include "storage/environment.h"

namespace efface::records {

// One sealed change, ready to be stored.
struct Change {
  RecordKey key{};
  std::vector<std::byte> value{};  // Empty: remove it.
  enum class Expect : std::uint8_t { anything, absent, nonce } expect = Expect::anything;
  std::array<std::byte, crypto::nonce_bytes> nonce{};
  bool is_group = false;  // A shared record: the handle alone is its key.
  bool is_data = true;    // What it overwrites or removes is residue of the scope.
  // Answers:
  bool was_there = false;
  bool was_link = false;  // To a shared record.
};

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

  // look gets the sealed bytes where they lie; they are valid during the call alone.
  Result<bool> get(const RecordKey& key, FunctionRef<Status(Bytes)> look) const;
  // The same of a shared record; and all of them, from one snapshot.
  Result<bool> get_group(const keyring::Handle& handle, FunctionRef<Status(Bytes)> look) const;
  Result<std::vector<keyring::Handle>> groups() const;
  // Every record of a handle, in no order that means anything, from one snapshot.
  Status each(const keyring::Handle& handle,
              FunctionRef<Status(const RecordKey&, Bytes)> look) const;

  // All changes or none. still_valid runs under the records lock, just before they are stored.
  // Residue is counted in the same transaction, as of now_ms.
  Status commit(std::span<Change> changes, std::int64_t now_ms, FunctionRef<Status()> still_valid);
  // The scopes that have residue, from one snapshot; kept small by maintain().
  Status each_residue(FunctionRef<Status(const keyring::Handle&, const Residue&)> look) const;

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
  // The handles that have records, from one snapshot. Cost: one seek a handle.
  Result<std::vector<keyring::Handle>> handles() const;

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
  // A copy of it all while it is written to: storage/copy.h.
  Status copy(const os::Directory& into, const storage::EnvironmentOptions& options,
              storage::CopyProgress progress) const {
    return storage::copy(environment_, into, options, progress);
  }

  Result<storage::Environment::Stats> stats() const { return environment_.stats(); }

 private:
  struct Job;
  Vault(storage::Environment environment, std::chrono::milliseconds deadline,
        std::shared_ptr<os::ByteLocks> processes);
  // The one who writes, of all threads and processes. Errors: busy.
  struct Alone {
    std::unique_lock<std::mutex> here;
    os::ByteLocks::Held there{};
  };
  Result<Alone> be_alone();
  void commit_together(std::span<Job* const> jobs);
  Status store(std::span<Job* const> jobs);
  Result<bool> store_one(storage::WriteTxn& txn, Job& job);
  Status store_changes(storage::WriteTxn& txn, Job& job);

  Status note_seen(storage::WriteTxn& txn, Seen& noted) const;
  Status commit(storage::WriteTxn txn);  // With what is seen. Under writer_.

  storage::Environment environment_;
  base::Combiner<Job> jobs_;
  std::mutex writer_;
  const std::chrono::milliseconds deadline_;
  const std::shared_ptr<os::ByteLocks> processes_;
  const keyring::Keyring* watched_ = nullptr;
  Seen seen_;  // As it stands in the environment; under writer_.
};

}  // namespace efface::records
