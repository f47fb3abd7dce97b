#include "storage/environment_impl.h"

#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "base/check.h"
#include "os/lock.h"
#include "os/preallocate.h"

namespace efface::storage {
namespace {

constexpr int attempts_max = 8;  // At adopting the size that another process gave the map.
constexpr std::uint64_t begun_per_reader_check = 1024;
// Growing before it is needed may wait so long for readers to end.
constexpr std::chrono::milliseconds growth_patience{5};
// On the disk: an erasure dirties some ten pages, and reuses those of the one before the last.
constexpr std::uint64_t disk_headroom_bytes_min = 256 << 10;

// tmpfs and short writes tell LMDB "EIO" when the disk is full.
bool is_disk_full(int fd) noexcept {
  constexpr std::uint64_t nothing_much_bytes = 64 << 10;
  struct statvfs room{};
  return fstatvfs(fd, &room) == 0 &&
         std::uint64_t{room.f_bavail} * room.f_frsize < nothing_much_bytes;
}

// mdb_env_set_mapsize unmaps first; where the new map then fails, the environment has none.
bool has_address_space(std::size_t bytes) noexcept {
  void* tried = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (tried == MAP_FAILED) return false;
  munmap(tried, bytes);
  return true;
}

}  // namespace

EnvironmentImpl::EnvironmentImpl(EnvironmentHandle handle, const EnvironmentOptions& options,
                                 Registration registration)
    : options_(options),
      fork_generation_(os::fork_generation()),
      registration_(std::move(registration)),
      handle_(std::move(handle)),
      map_bytes_max_(options.map_bytes_max) {
  MDB_stat stat{};
  mdb_env_stat(env(), &stat);
  page_bytes_ = stat.ms_psize;
  map_bytes_.store(info().me_mapsize, std::memory_order_relaxed);
}

EnvironmentImpl::~EnvironmentImpl() {
  EFFACE_CHECK(gate_.is_empty());  // A transaction would outlive its environment.
  for (PoolSlot& slot : pool_) delete slot.idle.exchange(nullptr);
  pool_overflow_.clear();
}

bool EnvironmentImpl::is_forked() const noexcept {
  return fork_generation_ != os::fork_generation();
}

Status EnvironmentImpl::check_usable() const noexcept {
  if (is_forked()) [[unlikely]]
    return Error(Errc::forked, "an environment that the parent process opened");
  if (is_latched()) [[unlikely]]
    return Error(Errc::closed, "an environment that an earlier failure latched");
  return {};
}

bool EnvironmentImpl::can_grow() const noexcept {
  return map_bytes() < map_bytes_max_.load(std::memory_order_relaxed);
}

std::uint64_t EnvironmentImpl::headroom_pages() const noexcept {
  // A map that can grow needs less: removals only have to last until the readers let it.
  const std::uint64_t most_bytes = map_bytes() / (can_grow() ? 8 : 4);
  return std::min<std::uint64_t>(options_.headroom_bytes, most_bytes) / page_bytes_;
}

// On the disk: what removals may add to the file when nothing is left beside it.
std::uint64_t EnvironmentImpl::disk_headroom_pages(std::uint64_t used_pages) const noexcept {
  const std::uint64_t most_pages = options_.headroom_bytes / page_bytes_;
  return std::min(std::max(used_pages / 8, disk_headroom_bytes_min / page_bytes_), most_pages);
}

MDB_envinfo EnvironmentImpl::info() const noexcept {
  MDB_envinfo out{};
  mdb_env_info(env(), &out);
  return out;
}

std::optional<std::uint64_t> EnvironmentImpl::last_transaction() noexcept {
  try {
    auto begun = begin_read();
    if (!begun) return std::nullopt;
    return ReadTxn(std::move(begun).value()).transaction_id();
  } catch (const std::bad_alloc&) {
    return std::nullopt;
  }
}

Error EnvironmentImpl::failed(int code, Note note) noexcept {
  const Error error = lmdb_error(code, note);
  return code == MDB_PANIC ? latch(error) : error;
}

// Reading.

std::unique_ptr<ReadTxn::Impl> EnvironmentImpl::take_pooled() {
  const std::size_t first = thread_number();
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    std::atomic<ReadTxn::Impl*>& idle = pool_[(first + i) % pool_.size()].idle;
    if (idle.load(std::memory_order_relaxed) == nullptr) continue;
    if (ReadTxn::Impl* taken = idle.exchange(nullptr, std::memory_order_acq_rel); taken != nullptr)
      return std::unique_ptr<ReadTxn::Impl>(taken);
  }
  const std::lock_guard lock(pool_overflow_mutex_);
  if (pool_overflow_.empty()) return std::make_unique<ReadTxn::Impl>(*this);
  std::unique_ptr<ReadTxn::Impl> taken = std::move(pool_overflow_.back());
  pool_overflow_.pop_back();
  return taken;
}

void EnvironmentImpl::keep_pooled(std::unique_ptr<ReadTxn::Impl> idle) noexcept {
  const std::size_t first = thread_number();
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    ReadTxn::Impl* none = nullptr;
    if (!pool_[(first + i) % pool_.size()].idle.compare_exchange_strong(none, idle.get(),
                                                                        std::memory_order_acq_rel))
      continue;
    static_cast<void>(idle.release());
    return;
  }
  const std::lock_guard lock(pool_overflow_mutex_);
  try {
    pool_overflow_.push_back(std::move(idle));
  } catch (const std::bad_alloc&) {  // Then it is not kept.
  }
}

Result<std::unique_ptr<ReadTxn::Impl>> EnvironmentImpl::begin_read() {
  EFFACE_TRY(check_usable());
  std::unique_ptr<ReadTxn::Impl> out = take_pooled();
  int rc = MDB_MAP_RESIZED;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const std::optional<Gate::Lane> lane = gate_.enter(options_.deadline);
    if (!lane) {
      keep_pooled(std::move(out));
      return Error(Errc::busy, "the map is being moved");
    }
    rc = out->txn != nullptr ? mdb_txn_renew(out->txn)
                             : mdb_txn_begin(env(), nullptr, MDB_RDONLY, &out->txn);
    if (rc == MDB_SUCCESS) [[likely]] {
      out->lane = *lane;
      return out;
    }
    if (rc == MDB_READERS_FULL && attempt == 0) {
      int dead = 0;
      mdb_reader_check(env(), &dead);
    }
    gate_.leave(*lane);
    if (rc == MDB_MAP_RESIZED) {
      EFFACE_TRY(adopt_size());
    } else if (rc != MDB_READERS_FULL || attempt > 0) {
      break;
    }
  }
  return failed(rc, "begin of a read transaction");
}

void EnvironmentImpl::end_read(std::unique_ptr<ReadTxn::Impl> ended) noexcept {
  const Gate::Lane lane = ended->lane;
  mdb_txn_reset(ended->txn);
  keep_pooled(std::move(ended));
  gate_.leave(lane);
}

// Writing.

Result<std::unique_ptr<WriteTxn::Impl>> EnvironmentImpl::begin_write(Space space) {
  EFFACE_TRY(check_usable());
  if (!turn_.take(options_.deadline)) return Error(Errc::busy, "another write transaction is open");
  Result<std::unique_ptr<WriteTxn::Impl>> begun = begin_write_in_turn(space);
  if (!begun) turn_.give_back();
  return begun;
}

Result<std::unique_ptr<WriteTxn::Impl>> EnvironmentImpl::begin_write_in_turn(Space space) {
  EFFACE_TRY(check_usable());  // The one before us may have latched it.
  if (++writer_begun_ % begun_per_reader_check == 0) {
    int dead = 0;
    mdb_reader_check(env(), &dead);
  }
  EFFACE_TRY(make_room(space));
  int rc = MDB_MAP_RESIZED;
  for (int attempt = 0; attempt < attempts_max && rc == MDB_MAP_RESIZED; ++attempt) {
    if (attempt > 0) EFFACE_TRY(adopt_size());
    const std::optional<Gate::Lane> lane = gate_.enter(options_.deadline);
    if (!lane) return Error(Errc::busy, "the map is being moved");
    MDB_txn* txn = nullptr;
    rc = mdb_txn_begin(env(), nullptr, 0, &txn);
    if (rc == MDB_SUCCESS) {
      std::unique_ptr<WriteTxn::Impl> begun(new (std::nothrow)
                                                WriteTxn::Impl(*this, txn, *lane, space));
      if (begun != nullptr) return begun;
      mdb_txn_abort(txn);
      rc = ENOMEM;
    }
    gate_.leave(*lane);
  }
  return failed(rc, "begin of a write transaction");
}

// Grows the map where the last transaction ran into its end, and by the way where four fifths of it
// are used. A removal does not wait for what an ordinary transaction needs: it has the headroom.
Status EnvironmentImpl::make_room(Space space) {
  if (writer_reuse_) EFFACE_TRY(reuse_last_freed());
  const std::optional<Gate::Lane> lane = gate_.enter(options_.deadline);
  if (!lane) return Error(Errc::busy, "the map is being moved");
  const std::uint64_t used_pages = info().me_last_pgno + 1;
  gate_.leave(*lane);

  if (!can_grow()) {
    writer_full_ = Full::no;
    return {};
  }
  const bool must = writer_full_ == Full::for_removal ||
                    (writer_full_ == Full::for_ordinary && space == Space::ordinary);
  const std::uint64_t map_pages = map_bytes() / page_bytes_;
  const bool should = used_pages > map_pages / 5 * 4 && used_pages >= writer_growth_retry_pages_;
  if (!must && !should) return {};

  const std::uint64_t limit_pages = map_bytes_max_.load(std::memory_order_relaxed) / page_bytes_;
  std::uint64_t pages = std::min(2 * map_pages, limit_pages);
  while (must && pages < limit_pages && pages < writer_wanted_pages_)
    pages = std::min(2 * pages, limit_pages);
  const Status grown = resize(pages * page_bytes_, must ? options_.deadline : growth_patience);
  if (grown) {
    writer_full_ = Full::no;
    writer_growth_retry_pages_ = 0;
    return {};
  }
  if (grown.error().code() == Errc::out_of_memory) {  // That will not change: this is the limit.
    map_bytes_max_.store(map_bytes(), std::memory_order_relaxed);
    writer_full_ = Full::no;
    return {};
  }
  if (must || grown.error().code() != Errc::busy) return grown.error();
  writer_growth_retry_pages_ = used_pages + map_pages / 32;
  return {};
}

Status EnvironmentImpl::expand(std::uint64_t wanted_bytes) {
  EFFACE_TRY(check_usable());
  if (!turn_.take(options_.deadline)) return Error(Errc::busy, "another write transaction is open");
  const std::uint64_t most_bytes = map_bytes_max_.load(std::memory_order_relaxed);
  std::uint64_t bytes = map_bytes();
  while (bytes < wanted_bytes && bytes < most_bytes) bytes = std::min(2 * bytes, most_bytes);
  Status grown;
  if (bytes != map_bytes()) grown = resize(bytes, growth_patience);
  turn_.give_back();
  return is_latched() ? grown : Status();  // Else it is as large as it was.
}

// LMDB reuses what a commit freed only from the second transaction after it on. Where nothing but
// that stands between a full map and the next put, one commit of nothing helps.
Status EnvironmentImpl::reuse_last_freed() {
  writer_reuse_ = false;
  const std::optional<Gate::Lane> lane = gate_.enter(options_.deadline);
  if (!lane) return Error(Errc::busy, "the map is being moved");
  const Touched done = commit_nothing(env());
  gate_.leave(*lane);
  // What else keeps it from that, the transaction that comes next finds out.
  if (!done.committing || done.code == MDB_SUCCESS || done.code == MDB_MAP_FULL) return {};
  return commit_failed(done.code);
}

// An ordinary transaction leaves the headroom on the disk too, and else changes nothing. Pages that
// may be reused count; they are counted only where the disk does not give more.
Status EnvironmentImpl::leave_disk_headroom(WriteTxn::Impl& ending) {
  if (ending.space == Space::removal || ending.changes == 0 || options_.headroom_bytes == 0)
    return {};
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(env(), &fd);
  if (writer_allocated_pages_ == 0) writer_allocated_pages_ = os::allocated_bytes(fd) / page_bytes_;
  const std::uint64_t used_pages = ending.used_pages_before;
  const std::uint64_t headroom_pages = disk_headroom_pages(used_pages);
  const std::uint64_t needed_pages = ending.taken_pages() + headroom_pages;
  if (used_pages + needed_pages <= writer_allocated_pages_) return {};

  const std::uint64_t end_pages = used_pages + needed_pages + headroom_pages / 4;
  const Status allocated = os::preallocate(fd, end_pages * page_bytes_);
  if (allocated) {
    writer_allocated_pages_ = end_pages;
    return {};
  }
  if (allocated.error().code() != Errc::no_space) return allocated;
  const std::uint64_t ahead_pages = std::max(writer_allocated_pages_, used_pages) - used_pages;
  if (needed_pages <= ahead_pages + ending.reusable_pages()) return {};
  tell_full(LogEvent::disk_full);
  return Error(Errc::no_space, "what is left on the disk is kept for removals",
               allocated.error().system_code());
}

// 0 bytes: what the file says.
Status EnvironmentImpl::resize(std::size_t bytes, std::chrono::milliseconds wait) {
  if (!gate_.shut(wait)) return Error(Errc::busy, "transactions keep the map where it is");
  Status out;
  if (bytes != 0 && !has_address_space(bytes)) {
    out = Error(Errc::out_of_memory, "no address space for a larger map", ENOMEM);
  } else if (const int rc = mdb_env_set_mapsize(env(), bytes); rc != MDB_SUCCESS) {
    out = latch(lmdb_error(rc, "resizing of the map"));  // There may be no map any more.
  } else {
    map_bytes_.store(info().me_mapsize, std::memory_order_relaxed);
    if (bytes != 0) options_.watch.note(LogEvent::map_grown, {{"bytes", map_bytes()}});
  }
  gate_.reopen();
  return out;
}

void EnvironmentImpl::note_full(const WriteTxn::Impl& stopped) noexcept {
  const bool removal = stopped.space == Space::removal;
  writer_full_ = removal ? Full::for_removal : Full::for_ordinary;
  writer_wanted_pages_ =
      stopped.used_pages_before + 2 * stopped.taken_pages() + 2 * headroom_pages();
  writer_reuse_ = !can_grow() && stopped.one_commit_helps;
  if (!removal && !can_grow() && !writer_reuse_) tell_full(LogEvent::map_full);
}

// Once, until something is written again.
void EnvironmentImpl::tell_full(LogEvent which) noexcept {
  if (std::exchange(writer_told_full_, true)) return;
  if (which == LogEvent::map_full)
    options_.watch.note(which, {{"bytes", map_bytes()}});
  else
    options_.watch.note(which);
}

Error EnvironmentImpl::latch(const Error& why) noexcept {
  if (!latched_.exchange(true, std::memory_order_acq_rel))
    options_.watch.note(LogEvent::latched, {}, why);
  return why;
}

Error EnvironmentImpl::commit_failed(int code) noexcept {
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(env(), &fd);
  const Error known = lmdb_error(code, "a commit found no space");
  if (known.code() == Errc::no_space) return latch(known);
  if (code == EIO && is_disk_full(fd))
    return latch({Errc::no_space, "a commit found no space", code});
  return latch({Errc::outcome_unknown, "a commit failed half way", code});
}

// LMDB's own mutex of writers belongs to the thread that locked it.
Status EnvironmentImpl::commit(WriteTxn::Impl& committed) {
  EFFACE_CHECK(turn_.is_mine());
  if (Status room = leave_disk_headroom(committed); !room) {
    drop(committed);
    return room;
  }
  const int rc = mdb_txn_commit(std::exchange(committed.txn, nullptr));
  Status out;
  if (rc == MDB_MAP_FULL) {  // Before the first page was written.
    note_full(committed);
    out = lmdb_error(rc, "a commit needs more map");
  } else if (rc != MDB_SUCCESS) {
    out = commit_failed(rc);
  } else if (committed.space == Space::ordinary && committed.changes != 0) {
    writer_told_full_ = false;
  }
  leave(committed);
  return out;
}

void EnvironmentImpl::drop(WriteTxn::Impl& dropped) noexcept {
  EFFACE_CHECK(turn_.is_mine());
  mdb_txn_abort(std::exchange(dropped.txn, nullptr));
  leave(dropped);
}

void EnvironmentImpl::leave(WriteTxn::Impl& ended) noexcept {
  gate_.leave(ended.lane);
  turn_.give_back();
}

}  // namespace efface::storage
