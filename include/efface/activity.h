// efface/activity.h -- a processing activity [GDPR 30]: one tenant, one purpose. All reading and
// writing goes through one, so no access is without a purpose.
//
// Threads  Activity: shared freely. Batch: filled by one thread at a time.
// Rules    Each access is decided in this order, and what is unknown or missing refuses: the region
//          (region_not_open; transfer_not_permitted to read, agreement_missing to write), the
//          person (subject_erased, suppressed, transfer_pending, restricted), the purpose
//          (consent_missing, objected), the record (purpose_not_permitted, objected, expired).
//          docs/rights.md has it in full.
// Errors   Those, and from every call: tenant_unknown (off-boarded meanwhile), purpose_unknown
//          (another tenant's person), invalid_argument or too_large for a name, corruption, io,
//          closed, forked.
//
// Example
//   const Activity selling = shop.activity(orders).value();
//   selling.put(alice, RecordName("order-1"), as_bytes("tea")).value();
//   const std::optional<Record> order = selling.get(alice, RecordName("order-1")).value();
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "efface/bytes.h"
#include "efface/record.h"
#include "efface/result.h"
#include "efface/rights.h"
#include "efface/subject.h"

namespace efface {

// When a write is acknowledged.
enum class Durability : std::uint8_t {
  synced,  // When it is on disk.
  // When it has been decided and sealed, as any other: it waits in memory, in order, for the next
  // commit of its region's records, which takes all that waits, before its own. This process reads
  // it at once (what lists or counts commits it first); others do once it is committed.
  //   Lost with the process or the power: at most what waits, which is the latest of what was
  // acknowledged in the region; of a batch all or nothing. It is no more than
  // limits::relaxed_records_max and limits::relaxed_bytes_max in a region and process: who finds no
  // room commits, and is synced. So is who names a recipient of the scope for the first time.
  //   Nothing waits once Store::sync has answered, or when the store or the last handle of the
  // tenant goes (which tells nobody of an error: sync first). Nothing commits it in time by itself:
  // there is no thread.
  //   What changes who may be written (an erasure, a withdrawal, a restriction ...) commits what
  // waits before, in this process. A batch that is refused when it is committed all the same, for
  // what another process did, is dropped: sync answers why.
  //   Cost: some microseconds, and a share of the commit.
  relaxed,
};

struct PutOptions {
  std::span<const Purpose> also_permitted{};     // Beside the purpose it is collected for.
  std::optional<Days> retention = std::nullopt;  // Instead of the purpose's; never longer than it.
  std::string_view origin{};                     // Where it came from: UTF-8, at most 64 bytes.
  // To whom it is disclosed [15(1)(c)]: UTF-8, at most 64 bytes each, at most 16.
  std::span<const std::string_view> recipients{};
  bool automated_decision = false;  // Taken without a human [22].
  bool rectifies = false;           // It corrects what is there [16]: noted in her file.
  // Of Activity::put. A batch has its own; put_shared, and what rectifies, is synced.
  Durability durability = Durability::synced;
};

// To whom a record of several people belongs.
enum class Sharing : std::uint8_t {
  any = 1,  // To each of them alone: readable while one of them is there.
  all = 2,  // To all together: readable only while all are there.
};

// When what is removed becomes unreadable also from old pages.
enum class Shred : bool {
  within_window,  // When maintain() next re-keys the scope: MaintainOptions::residue_window.
  now,  // Before remove answers. Costs an erasure, and sealing the rest of the scope anew.
};

struct ScanOptions {
  std::string_view prefix{};  // Of the name.
  std::string_view after{};   // Names greater than this: to go on where a scan ended.
  std::size_t limit = SIZE_MAX;
};

enum class ScanEnd : std::uint8_t { exhausted, limit, stopped };

// What read-modify-write shall do with the record.
class EFFACE_EXPORT Update {
 public:
  static Update keep() noexcept;  // Leave it as it is.
  static Update remove() noexcept;
  static Update put(Bytes value);  // Copies, into memory that is wiped.
  Update(Update&&) noexcept;
  Update& operator=(Update&&) noexcept;
  ~Update();

 private:
  friend struct internal::Access;
  struct State;
  explicit Update(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

// Sealed writes, waiting. Each put compresses and seals there and then, on the caller's thread,
// with no lock held. Nothing happens before commit; dropping it discards it. All people of a batch
// are at home in the batch's region. At most 65,536 records and 64 MiB (too_large).
class EFFACE_EXPORT Batch {
 public:
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch();

  // Errors: region_mismatch when the person's home is another region. On any error the batch is as
  // before.
  Status put(const Subject& subject, RecordName name, Bytes value, const PutOptions& options = {});
  Status remove(const Subject& subject, RecordName name);
  std::size_t records() const noexcept;
  std::size_t sealed_bytes() const noexcept;

 private:
  friend struct internal::Access;
  struct State;
  explicit Batch(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

class EFFACE_EXPORT Activity {
 public:
  Purpose purpose() const noexcept;

  // ---- reading: the purpose's own scope, then records that permit it; absence is a value ----
  // Errors: expired. Cost: about a microsecond when the person's keys are cached.
  Result<std::optional<Record>> get(const Subject& subject, RecordName name) const;
  // Without a copy for the caller: the bytes are valid during look, and wiped after it.
  Result<bool> visit(const Subject& subject, RecordName name, FunctionRef<void(Bytes)> look) const;
  // The purpose's own scope, in name order. Cost: opens every record of the scope once to sort by
  // name.
  Result<ScanEnd> list(const Subject& subject, const ScanOptions& options,
                       FunctionRef<Flow(std::string_view name)> each) const;
  Result<ScanEnd> scan(const Subject& subject, const ScanOptions& options,
                       FunctionRef<Flow(std::string_view name, Bytes value)> each) const;

  // ---- writing: durable when it answers; concurrent writers share a commit ----
  // But for what is Durability::relaxed: of that the errors of a commit are told by Store::sync.
  // After any error but outcome_unknown nothing of the call is on disk; after that one, all or
  // nothing of it may be: reopen the store to learn which.
  // Errors: full, no_space, outcome_unknown, busy.
  Status put(const Subject& subject, RecordName name, Bytes value,
             const PutOptions& options = {}) const;
  // Answers whether it was there.
  Result<bool> remove(const Subject& subject, RecordName name,
                      Shred shred = Shred::within_window) const;
  // Enrols the person there when the tenant does not know her; after an error she may be enrolled
  // without the record. Errors: region_mismatch when her home is another region;
  // region_not_permitted.
  Status put(SubjectId id, const Region& region, RecordName name, Bytes value,
             const PutOptions& options = {}) const;

  // One record of several people of one region, under the same name with each of them: get, visit
  // and scan find it with any of them. Erasing one of them, withdrawing her consent or removing it
  // from her takes it from her, by key, and of an `all` record from everyone; Erasure::shared
  // counts what she shared. An `all` record is read only while all of them may be read (restricted,
  // objected, ...). put of one of them replaces her link by a record of her own. Of 2 to 64 people.
  // Errors: region_mismatch; invalid_argument (one person twice).
  Status put_shared(std::span<const Subject* const> subjects, Sharing sharing, RecordName name,
                    Bytes value, const PutOptions& options = {}) const;

  Batch batch(const Region& region) const;
  // All of it or none, decided again for each person when it is stored. Who was erased since her
  // record was sealed: subject_erased, and nothing of the batch is written. conflict: a scope was
  // re-keyed since (maintain does); fill the batch again.
  Status commit(Batch&& batch) const;
  Status commit(Batch&& batch, Durability durability) const;

  // Read-modify-write. change gets the present value (nothing: absent) and answers what to do; it
  // runs without any lock, again if somebody else wrote in between. Errors: conflict after 64 lost
  // races.
  Status update(const Subject& subject, RecordName name,
                FunctionRef<Result<Update>(std::optional<Bytes>)> change) const;

 private:
  friend struct internal::Access;
  struct State;
  explicit Activity(std::shared_ptr<const State> state) noexcept;
  std::shared_ptr<const State> state_;
};

}  // namespace efface
