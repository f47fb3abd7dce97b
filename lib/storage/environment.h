// storage/environment.h -- LMDB 0.9.24 behind RAII, with what it does not do for us.
//
// Shape     A directory with data.mdb and lock.mdb, one table of unique byte keys (1 to 511 B).
// Threads   Environment is shared. A ReadTxn or WriteTxn is used by one thread at a time. Any
//           number of ReadTxn, one WriteTxn; readers never wait for it, it never waits for them.
// Lifetime  Transactions keep the environment's gate shared: growing the map waits for all of them
//           to end (with a deadline), so hold them for milliseconds. They must end before the
//           Environment. A WriteTxn ends on the thread that began it.
// Errors    corruption: pages that cannot be. full: the map, or its limit, is reached (removals
//           still work). outcome_unknown: the commit failed half way; the environment is latched
//           and answers closed from then on; reopen it to learn what is there. no_space: the disk
//           is full; where a commit had begun it latches too. forked: this is a child of the
//           process that opened it. busy: open already in this process, all reader slots taken, or
//           a deadline.
// Cost      A durable commit is two device flushes at most (about 0.25 ms on a fast disk).
// Source    http://www.lmdb.tech/doc/; the flags that trade safety are never set.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/observer.h"
#include "efface/result.h"
#include "os/file.h"

namespace efface::storage {

struct EnvironmentOptions {
  std::size_t map_bytes = std::size_t{64} << 20;     // To begin with; grows by doubling.
  std::size_t map_bytes_max = std::size_t{1} << 40;  // Address space, not disk.
  // Kept for transactions that remove: of the map a quarter at most (an eighth while it can grow);
  // of the disk an eighth of what is used, and no less than 256 KiB. 0: nothing is kept.
  std::size_t headroom_bytes = std::size_t{16} << 20;
  std::uint32_t readers_max = 512;
  std::chrono::milliseconds deadline{10'000};
  bool verify_structure = false;  // Walk all pages, read-only, before LMDB sees them.
  // Other processes have it open and write: a walk of all pages would see them move.
  bool others_write = false;
  base::Watch watch{};
};

// Which space a write transaction may use. removal: the headroom too.
enum class Space : bool { ordinary, removal };

class EnvironmentImpl;
class ReadTxn;
class WriteSet;
class WriteTxn;

class Environment {
 public:
  // Creates the files in `directory`, which must be empty, makes the first commit and syncs both
  // the files and the directory. Make it in a temporary directory and rename that: until then a
  // crash, or an error, may leave files that do not open. Errors: exists, unsafe_filesystem,
  // no_space.
  static Status create(const os::Directory& directory, const EnvironmentOptions& options);

  // Checks modes, links, sizes and both meta pages before LMDB sees the files.
  // Errors: store_missing, unsafe_path, unsafe_filesystem, corruption, busy (open in this process).
  // Until FD_CLOEXEC is set, just after LMDB's open, another thread's fork and exec inherits it.
  static Result<Environment> open(const os::Directory& directory,
                                  const EnvironmentOptions& options);

  Environment(Environment&&) noexcept;
  Environment& operator=(Environment&&) noexcept;
  ~Environment();  // Every transaction must have ended.

  Result<ReadTxn> read() const;  // Pooled: about 50 ns. Grows nothing; sees other threads' commits.
  // Errors: busy when another is open until the deadline, at once when it is this thread's; busy
  // when the map has to grow while a transaction is held.
  Result<WriteTxn> write(Space space) const;

  struct Stats {
    std::uint64_t entries;
    std::uint64_t file_bytes;  // data.mdb as it stands
    std::uint64_t used_bytes;  // pages in use
    std::uint64_t map_bytes;
    std::uint64_t last_transaction;
    std::uint32_t readers;        // slots taken, pooled ones included
    std::uint32_t stale_readers;  // snapshots of processes that died; the next open frees them
  };
  Result<Stats> stats() const;
  // The number of the last that a read would see, of whatever process; nothing where none would
  // begin. It is not what LMDB's meta pages say: one that died within its commit may have written
  // those, and until the next write transaction nobody reads what it wrote. Cost: as read.
  std::optional<std::uint64_t> last_transaction() const noexcept;
  // Grows the map to that much ahead of time, if it may and no transaction keeps it where it is.
  Status expand(std::uint64_t map_bytes) const;
  bool can_grow() const noexcept;  // Whether repeating on full can help.
  bool latched() const noexcept;

 private:
  explicit Environment(std::shared_ptr<EnvironmentImpl> impl) noexcept;
  std::shared_ptr<EnvironmentImpl> impl_;
};

// A consistent snapshot. Bytes that it answers lie in the map: valid until it ends.
class ReadTxn {
 public:
  ReadTxn(ReadTxn&&) noexcept;
  ReadTxn& operator=(ReadTxn&&) noexcept;
  ~ReadTxn();

  Result<std::optional<Bytes>> get(Bytes key) const;

  struct Entry {
    Bytes key;
    Bytes value;
  };
  // Calls each(entry) for every key >= first that begins with prefix, in key order, until it
  // answers stop or fails.
  Status scan(Bytes prefix, Bytes first, FunctionRef<Result<Flow>(Entry)> each) const;

  std::uint64_t transaction_id() const noexcept;

 private:
  friend class Environment;
  friend class EnvironmentImpl;
  struct Impl;
  explicit ReadTxn(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

// The one writer. Ends with commit() or, undone, with the scope. Never call user code or wait for
// anything while one is open.
class WriteTxn {
 public:
  WriteTxn(WriteTxn&&) noexcept;
  WriteTxn& operator=(WriteTxn&&) noexcept;
  ~WriteTxn();  // Aborts what was not committed.

  Result<std::optional<Bytes>> get(Bytes key) const;  // Valid until the next change.
  Status scan(Bytes prefix, Bytes first, FunctionRef<Result<Flow>(ReadTxn::Entry)> each) const;
  // Errors: full and every later one leave the transaction unusable: it can only be dropped. On
  // full while Environment::can_grow(), drop it, call Environment::write again (which grows the
  // map) and repeat. invalid_argument (a key of 0 or over 511 bytes; a change within a scan) and
  // too_large (a value over 64 MiB) leave it as it was.
  Status put(Bytes key, Bytes value);
  Result<bool> remove(Bytes key);  // Whether it was there.
  // The same as put, of a key above all that are there: fills pages whole. corruption if it is not.
  Status append(Bytes key, Bytes value);

  // From here on, put and remove are noted there as well. It outlives the transaction.
  void record(WriteSet& into) noexcept;

  // Durable when it answers without error. full, and any error that an earlier call of this
  // transaction gave, leave everything as it was; no_space too where the headroom on the disk is
  // what is left. outcome_unknown, and no_space within the writing, latch the environment: all of
  // it or nothing is there.
  Status commit() &&;

 private:
  friend class Environment;
  friend class EnvironmentImpl;
  struct Impl;
  explicit WriteTxn(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace efface::storage
