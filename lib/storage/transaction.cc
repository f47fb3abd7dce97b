#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "storage/environment_impl.h"
#include "storage/write_set.h"

namespace efface::storage {
namespace {

MDB_val to_val(Bytes bytes) noexcept {
  return {bytes.size(), const_cast<std::byte*>(bytes.data())};  // LMDB does not write to it.
}
Bytes from_val(const MDB_val& val) noexcept {
  return {static_cast<const std::byte*>(val.mv_data), val.mv_size};
}

Status check_key(Bytes key) noexcept {
  if (key.empty() || key.size() > key_bytes_max)
    return Error(Errc::invalid_argument, "a key has 1 to 511 bytes");
  return {};
}

Result<std::optional<Bytes>> get_in(EnvironmentImpl& environment, MDB_txn* txn, Bytes key) {
  EFFACE_TRY(check_key(key));
  MDB_val wanted = to_val(key);
  MDB_val found{};
  const int rc = mdb_get(txn, main_table, &wanted, &found);
  if (rc == MDB_SUCCESS) [[likely]]
    return std::optional<Bytes>(from_val(found));
  if (rc == MDB_NOTFOUND) return std::optional<Bytes>();
  return environment.failed(rc, "get");
}

struct CursorCloser {
  void operator()(MDB_cursor* cursor) const noexcept { mdb_cursor_close(cursor); }
};

bool begins_with(Bytes key, Bytes prefix) noexcept {
  return key.size() >= prefix.size() &&
         (prefix.empty() || std::memcmp(key.data(), prefix.data(), prefix.size()) == 0);
}

Status scan_in(EnvironmentImpl& environment, MDB_txn* txn, Bytes prefix, Bytes first,
               FunctionRef<Result<Flow>(ReadTxn::Entry)> each) {
  if (prefix.size() > key_bytes_max || first.size() > key_bytes_max)
    return Error(Errc::invalid_argument, "a key has at most 511 bytes");
  MDB_cursor* opened = nullptr;
  int rc = mdb_cursor_open(txn, main_table, &opened);
  if (rc != MDB_SUCCESS) return environment.failed(rc, "opening of a cursor");
  const std::unique_ptr<MDB_cursor, CursorCloser> cursor(opened);
  const bool from_first = std::ranges::lexicographical_compare(prefix, first);
  const Bytes start = from_first ? first : prefix;
  MDB_val key = to_val(start);
  MDB_val value{};
  rc = mdb_cursor_get(cursor.get(), &key, &value, start.empty() ? MDB_FIRST : MDB_SET_RANGE);
  while (rc == MDB_SUCCESS && begins_with(from_val(key), prefix)) {
    EFFACE_ASSIGN(const Flow flow, each({.key = from_val(key), .value = from_val(value)}));
    if (flow == Flow::stop) return {};
    rc = mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT);
  }
  if (rc == MDB_SUCCESS || rc == MDB_NOTFOUND) return {};
  return environment.failed(rc, "scan");
}

int note_oldest(const char* line, void* context) noexcept {
  auto& oldest = *static_cast<std::uint64_t*>(context);
  if (const auto reader = reader_of(line)) oldest = std::min(oldest, reader->transaction);
  return 0;
}

struct FreePages {
  std::uint64_t reusable = 0;  // By the write transaction that comes next.
  std::uint64_t after_one_commit = 0;
};

// What LMDB's free list holds: for each transaction that freed pages, their count and their
// numbers. A write transaction may reuse what was freed before the oldest snapshot that anybody
// reads, and before the last commit.
FreePages count_free(MDB_env* env) {
  constexpr MDB_dbi free_table = 0;
  FreePages out;
  MDB_txn* txn = nullptr;
  if (mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) != MDB_SUCCESS) return out;
  const std::uint64_t last_commit = mdb_txn_id(txn);
  std::uint64_t oldest = last_commit;
  mdb_reader_list(env, note_oldest, &oldest);
  MDB_cursor* cursor = nullptr;
  if (mdb_cursor_open(txn, free_table, &cursor) == MDB_SUCCESS) {
    MDB_val key{};
    MDB_val value{};
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
      std::uint64_t freed_by = 0;
      std::uint64_t count = 0;
      if (key.mv_size != sizeof freed_by || value.mv_size < sizeof count) break;
      std::memcpy(&freed_by, key.mv_data, sizeof freed_by);
      std::memcpy(&count, value.mv_data, sizeof count);
      if (freed_by < oldest)
        out.reusable += count;
      else if (freed_by == last_commit && oldest == last_commit)
        out.after_one_commit += count;
    }
    mdb_cursor_close(cursor);
  }
  mdb_txn_abort(txn);
  return out;
}

// Where a node is larger than this, LMDB gives its value pages of its own (two nodes fit one page).
std::uint64_t overflow_pages_of(Bytes key, Bytes value, std::uint64_t page_bytes) noexcept {
  constexpr std::uint64_t page_header_bytes = 16;
  constexpr std::uint64_t node_header_bytes = 8;
  const std::uint64_t node_bytes_max = (page_bytes - page_header_bytes) / 2 - sizeof(std::uint16_t);
  if (node_header_bytes + key.size() + value.size() <= node_bytes_max) return 0;
  return (page_header_bytes + value.size() + page_bytes - 1) / page_bytes;
}

}  // namespace

Error lmdb_error(int code, Note note) noexcept {
  switch (code) {
    case MDB_MAP_FULL:
      return {Errc::full, note, code};
    case MDB_PANIC:
      return {Errc::closed, note, code};
    case MDB_READERS_FULL:
    case EAGAIN:
    case MDB_MAP_RESIZED:  // Again and again: others grow it faster than we follow.
      return {Errc::busy, note, code};
    case MDB_TXN_FULL:
      return {Errc::too_large, note, code};
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_INCOMPATIBLE:
    case MDB_NOTFOUND:
      return {Errc::corruption, note, code};
    default:
      return code > 0 ? Error(os::system_error(code, note)) : Error(Errc::io, note, code);
  }
}

namespace {

// Makes a change that leaves everything as it is.
int touch(MDB_txn* txn) noexcept {
  std::array<std::byte, key_bytes_max> unused_key{};
  unused_key.fill(std::byte{0xff});
  MDB_val key = to_val(unused_key);
  MDB_val value{0, nullptr};
  const int rc = mdb_put(txn, main_table, &key, &value, MDB_NOOVERWRITE);
  return rc == MDB_SUCCESS ? mdb_del(txn, main_table, &key, nullptr) : rc;
}

}  // namespace

Touched commit_nothing(MDB_env* env) noexcept {
  MDB_txn* txn = nullptr;
  int rc = mdb_txn_begin(env, nullptr, 0, &txn);
  if (rc != MDB_SUCCESS) return {rc, false};
  rc = touch(txn);
  if (rc == MDB_SUCCESS) return {mdb_txn_commit(txn), true};
  mdb_txn_abort(txn);
  return {rc, false};
}

// Reading.

ReadTxn::ReadTxn(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
ReadTxn::ReadTxn(ReadTxn&&) noexcept = default;

ReadTxn& ReadTxn::operator=(ReadTxn&& other) noexcept {
  ReadTxn ended(std::move(other));
  std::swap(impl_, ended.impl_);
  return *this;
}

ReadTxn::~ReadTxn() {
  if (impl_ == nullptr) return;
  EnvironmentImpl& environment = impl_->environment;
  if (environment.is_forked())
    static_cast<void>(impl_.release());  // The reader slot is the parent's.
  else
    environment.end_read(std::move(impl_));
}

Result<std::optional<Bytes>> ReadTxn::get(Bytes key) const {
  if (impl_->environment.is_forked()) return Error(Errc::forked, "get");
  return get_in(impl_->environment, impl_->txn, key);
}

Status ReadTxn::scan(Bytes prefix, Bytes first, FunctionRef<Result<Flow>(Entry)> each) const {
  if (impl_->environment.is_forked()) return Error(Errc::forked, "scan");
  return scan_in(impl_->environment, impl_->txn, prefix, first, each);
}

std::uint64_t ReadTxn::transaction_id() const noexcept { return mdb_txn_id(impl_->txn); }

// Writing.

WriteTxn::Impl::Impl(EnvironmentImpl& owner, MDB_txn* begun, Gate::Lane entered,
                     Space may_use) noexcept
    : environment(owner), txn(begun), lane(entered), space(may_use) {
  const MDB_envinfo info = environment.info();
  used_pages_before = info.me_last_pgno + 1;
  tail_pages = info.me_mapsize / environment.page_bytes() - used_pages_before;
  mdb_stat(txn, main_table, &table_before);
}

// Each change copies at most one leaf and the branches above it, once; splits add pages; values on
// pages of their own are always new; and the free list needs some for itself.
std::uint64_t WriteTxn::Impl::taken_pages() const noexcept {
  MDB_stat now{};
  mdb_stat(txn, main_table, &now);
  const auto more = [](std::uint64_t later, std::uint64_t earlier) {
    return later > earlier ? later - earlier : 0;
  };
  const std::uint64_t leaves = std::min<std::uint64_t>(table_before.ms_leaf_pages, changes);
  const std::uint64_t branches =
      std::min<std::uint64_t>(table_before.ms_branch_pages, changes * table_before.ms_depth);
  const std::uint64_t tree = leaves + branches +
                             more(now.ms_leaf_pages, table_before.ms_leaf_pages) +
                             more(now.ms_branch_pages, table_before.ms_branch_pages);
  const std::uint64_t taken = tree + overflow_pages;
  return taken + taken / 256 + 8;
}

std::uint64_t WriteTxn::Impl::reusable_pages() {
  if (!free_pages) {
    const FreePages counted = count_free(environment.env());
    free_pages = counted.reusable;
    freed_last_pages = counted.after_one_commit;
  }
  return *free_pages;
}

bool WriteTxn::Impl::leaves_headroom() {
  const std::uint64_t needed = taken_pages() + environment.headroom_pages();
  if (needed <= tail_pages) return true;
  const std::uint64_t left = tail_pages + reusable_pages();
  one_commit_helps = needed > left && needed <= left + freed_last_pages;
  return needed <= left;
}

Error WriteTxn::Impl::break_with(int code, Note note) {
  broken = environment.failed(code, note);
  if (code == MDB_MAP_FULL) environment.note_full(*this);
  return *broken;
}

WriteTxn::WriteTxn(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
WriteTxn::WriteTxn(WriteTxn&&) noexcept = default;

WriteTxn& WriteTxn::operator=(WriteTxn&& other) noexcept {
  WriteTxn ended(std::move(other));
  std::swap(impl_, ended.impl_);
  return *this;
}

WriteTxn::~WriteTxn() {
  if (impl_ == nullptr) return;
  if (impl_->environment.is_forked())
    static_cast<void>(impl_.release());  // The writer's lock is the parent's.
  else if (impl_->txn != nullptr)
    impl_->environment.drop(*impl_);
}

Status WriteTxn::Impl::check_usable() const noexcept {
  if (environment.is_forked()) return Error(Errc::forked, "a write transaction of the parent");
  if (broken) return *broken;
  return {};
}

Status WriteTxn::Impl::check_change() const noexcept {
  EFFACE_TRY(check_usable());
  if (scanning) return Error(Errc::invalid_argument, "a change within a scan");
  return {};
}

Result<std::optional<Bytes>> WriteTxn::get(Bytes key) const {
  EFFACE_TRY(impl_->check_usable());
  return get_in(impl_->environment, impl_->txn, key);
}

Status WriteTxn::scan(Bytes prefix, Bytes first,
                      FunctionRef<Result<Flow>(ReadTxn::Entry)> each) const {
  EFFACE_TRY(impl_->check_usable());
  // A change would move what the cursor stands on; LMDB repairs that, and has had bugs in it.
  const bool was_scanning = std::exchange(impl_->scanning, true);
  const Status out = scan_in(impl_->environment, impl_->txn, prefix, first, each);
  impl_->scanning = was_scanning;
  return out;
}

Status WriteTxn::Impl::put(Bytes key, Bytes value, unsigned flags) {
  EFFACE_TRY(check_change());
  EFFACE_TRY(check_key(key));
  if (value.size() > value_bytes_max) return Error(Errc::too_large, "a value over 64 MiB");
  ++changes;
  overflow_pages += overflow_pages_of(key, value, environment.page_bytes());
  if (space == Space::ordinary && !leaves_headroom())
    return break_with(MDB_MAP_FULL, "what is left is kept for removals");
  if (recorded != nullptr) recorded->note_put(key, value);  // While they are where they are.
  MDB_val where = to_val(key);
  MDB_val what = to_val(value);
  const int rc = mdb_put(txn, main_table, &where, &what, flags);
  if (rc == MDB_KEYEXIST) return break_with(MDB_CORRUPTED, "a key that is out of order");
  if (rc != MDB_SUCCESS) return break_with(rc, "put");
  return {};
}

Status WriteTxn::put(Bytes key, Bytes value) { return impl_->put(key, value, 0); }

Status WriteTxn::append(Bytes key, Bytes value) { return impl_->put(key, value, MDB_APPEND); }

void WriteTxn::record(WriteSet& into) noexcept { impl_->recorded = &into; }

Result<bool> WriteTxn::remove(Bytes key) {
  EFFACE_TRY(impl_->check_change());
  EFFACE_TRY(check_key(key));
  ++impl_->changes;
  if (impl_->recorded != nullptr) impl_->recorded->note_removal(key);
  MDB_val where = to_val(key);
  const int rc = mdb_del(impl_->txn, main_table, &where, nullptr);
  if (rc == MDB_NOTFOUND) return false;
  if (rc != MDB_SUCCESS) return impl_->break_with(rc, "remove");
  return true;
}

Status WriteTxn::commit() && {
  const WriteTxn ending(std::move(*this));  // Whatever comes, this one has ended.
  EFFACE_TRY(ending.impl_->check_change());
  EnvironmentImpl& environment = ending.impl_->environment;
  return environment.commit(*ending.impl_);
}

}  // namespace efface::storage
