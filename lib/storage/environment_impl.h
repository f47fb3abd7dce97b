// storage/environment_impl.h -- what the transactions of one environment share. Private to this
// folder, which alone includes <lmdb.h>.
//
// Threads   EnvironmentImpl is shared; what begins with writer_ belongs to the holder of the turn.
// Lifetime  In a child of fork() nothing here may be touched or destroyed: the reader slots and the
//           locks are the parent's. Owners leak it there instead.
#pragma once
#include <lmdb.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "efface/result.h"
#include "os/file.h"
#include "storage/environment.h"
#include "storage/gate.h"

namespace efface::storage {

inline constexpr std::size_t key_bytes_max = 511;  // LMDB's MDB_MAXKEYSIZE
inline constexpr std::size_t value_bytes_max = std::size_t{64} << 20;
inline constexpr MDB_dbi main_table = 1;  // What mdb_dbi_open(..., nullptr, ...) always answers.

// From a code of LMDB's, which may be an errno.
Error lmdb_error(int code, Note note) noexcept;

// A commit that changes nothing: it writes one entry and takes it back. LMDB's code, and whether
// it came as far as to commit.
struct Touched {
  int code;
  bool committing;
};
Touched commit_nothing(MDB_env* env) noexcept;

// Who reads what, from a line of LMDB's list of its readers, which it gives as text only. Nothing:
// its heading, or a slot that is idle.
struct Reader {
  int process = 0;
  std::uint64_t transaction = 0;
};
std::optional<Reader> reader_of(const char* line) noexcept;

// How many reader slots hold a snapshot for a process that is not there any more. Frees none.
std::uint32_t stale_readers(MDB_env* env) noexcept;

struct EnvironmentCloser {
  void operator()(MDB_env* env) const noexcept { mdb_env_close(env); }
};
using EnvironmentHandle = std::unique_ptr<MDB_env, EnvironmentCloser>;

// The claim of this process on a data.mdb. LMDB's locks belong to the process, not to the
// descriptor: whoever opened the same environment twice and closed one would lose those of both.
class Registration {
 public:
  static Result<Registration> claim(os::FileId id);
  Registration(Registration&& other) noexcept;
  Registration& operator=(Registration&&) = delete;
  ~Registration();

 private:
  explicit Registration(os::FileId id) noexcept : id_(id) {}
  std::optional<os::FileId> id_;
};

struct ReadTxn::Impl {
  explicit Impl(EnvironmentImpl& owner) noexcept : environment(owner) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (txn != nullptr) mdb_txn_abort(txn);
  }

  EnvironmentImpl& environment;
  MDB_txn* txn = nullptr;  // Live while handed out, reset while pooled.
  Gate::Lane lane = 0;
};

struct WriteTxn::Impl {
  Impl(EnvironmentImpl& owner, MDB_txn* begun, Gate::Lane entered, Space may_use) noexcept;

  Status check_usable() const noexcept;
  Status check_change() const noexcept;

  // An upper bound of the pages that this transaction has taken or will take when it commits.
  std::uint64_t taken_pages() const noexcept;
  // Free ones that it may take. Counted once.
  std::uint64_t reusable_pages();
  // Whether an ordinary put may go on.
  bool leaves_headroom();
  Status put(Bytes key, Bytes value, unsigned flags);
  Error break_with(int code, Note note);  // From here on it can only be dropped.

  EnvironmentImpl& environment;
  MDB_txn* txn;  // Null once LMDB has freed it.
  Gate::Lane lane;
  Space space;
  bool scanning = false;
  WriteSet* recorded = nullptr;  // Where changes are noted, if anywhere.
  std::optional<Error> broken;

  std::uint64_t used_pages_before;
  std::uint64_t tail_pages;                 // Beyond the last page, up to the end of the map.
  std::optional<std::uint64_t> free_pages;  // That may be reused now; counted when it matters.
  std::uint64_t freed_last_pages = 0;       // Those that one more commit would add.
  bool one_commit_helps = false;            // They are what is missing.
  MDB_stat table_before{};
  std::uint64_t changes = 0;
  std::uint64_t overflow_pages = 0;
};

class EnvironmentImpl {
 public:
  EnvironmentImpl(EnvironmentHandle handle, const EnvironmentOptions& options,
                  Registration registration);
  EnvironmentImpl(const EnvironmentImpl&) = delete;
  EnvironmentImpl& operator=(const EnvironmentImpl&) = delete;
  ~EnvironmentImpl();

  bool is_forked() const noexcept;
  Status check_usable() const noexcept;
  std::optional<std::uint64_t> last_transaction() noexcept;
  bool is_latched() const noexcept { return latched_.load(std::memory_order_acquire); }
  bool can_grow() const noexcept;

  Result<std::unique_ptr<ReadTxn::Impl>> begin_read();
  void end_read(std::unique_ptr<ReadTxn::Impl> ended) noexcept;

  Result<std::unique_ptr<WriteTxn::Impl>> begin_write(Space space);
  Status expand(std::uint64_t map_bytes);
  Status commit(WriteTxn::Impl& committed);
  void drop(WriteTxn::Impl& dropped) noexcept;

  // The error for a code that a call inside a transaction answered; latches where LMDB did.
  Error failed(int code, Note note) noexcept;
  void note_full(const WriteTxn::Impl& stopped) noexcept;

  MDB_env* env() const noexcept { return handle_.get(); }
  std::uint64_t page_bytes() const noexcept { return page_bytes_; }
  std::uint64_t map_bytes() const noexcept { return map_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t headroom_pages() const noexcept;
  std::uint64_t disk_headroom_pages(std::uint64_t used_pages) const noexcept;
  MDB_envinfo info() const noexcept;  // Only inside the gate: it reads the map.

 private:
  Result<std::unique_ptr<WriteTxn::Impl>> begin_write_in_turn(Space space);
  Status make_room(Space space);
  Status leave_disk_headroom(WriteTxn::Impl& ending);
  Status reuse_last_freed();
  Status resize(std::size_t bytes, std::chrono::milliseconds wait);
  Status adopt_size() { return resize(0, options_.deadline); }
  Error commit_failed(int code) noexcept;
  Error latch(const Error& why) noexcept;
  void tell_full(LogEvent which) noexcept;
  void leave(WriteTxn::Impl& ended) noexcept;
  std::unique_ptr<ReadTxn::Impl> take_pooled();
  void keep_pooled(std::unique_ptr<ReadTxn::Impl> idle) noexcept;

  const EnvironmentOptions options_;
  const std::uint64_t fork_generation_;
  Registration registration_;  // Outlives the handle.
  EnvironmentHandle handle_;
  std::uint64_t page_bytes_ = 0;
  std::atomic<std::uint64_t> map_bytes_{0};
  std::atomic<std::uint64_t> map_bytes_max_;  // Less than the option where addresses ran out.
  std::atomic<bool> latched_{false};
  Gate gate_;
  WriterTurn turn_;

  enum class Full : std::uint8_t { no, for_ordinary, for_removal };
  Full writer_full_ = Full::no;                  // What the last write transaction ran into.
  std::uint64_t writer_wanted_pages_ = 0;        // How large the map should become for it.
  bool writer_reuse_ = false;                    // One commit would make enough pages reusable.
  std::uint64_t writer_growth_retry_pages_ = 0;  // No growing by the way before so many are used.
  std::uint64_t writer_begun_ = 0;
  bool writer_told_full_ = false;             // Since something was last written.
  std::uint64_t writer_allocated_pages_ = 0;  // Of the file, ahead of what is used; 0: not asked.

  struct alignas(64) PoolSlot {
    std::atomic<ReadTxn::Impl*> idle{nullptr};
  };
  std::array<PoolSlot, 16> pool_;
  std::mutex pool_overflow_mutex_;
  std::vector<std::unique_ptr<ReadTxn::Impl>> pool_overflow_;
};

}  // namespace efface::storage
