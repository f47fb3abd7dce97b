#include "support/raw_lmdb.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "support/must.h"

namespace efface::bench {
namespace {

constexpr std::size_t map_bytes = std::size_t{16} << 30;
constexpr std::size_t person_bytes = 8;

void must_lmdb(int code, const char* what) {
  if (code != MDB_SUCCESS) give_up(what, mdb_strerror(code), code);
}

MDB_val to_val(Bytes bytes) { return {bytes.size(), const_cast<std::byte*>(bytes.data())}; }

}  // namespace

RawLmdb::RawLmdb(std::string_view label) : path_(scratch() / (std::string(label) + ".lmdb")) {
  std::filesystem::create_directory(path_);
  open();
}

void RawLmdb::open() {
  must_lmdb(mdb_env_create(&env_), "mdb_env_create");
  must_lmdb(mdb_env_set_mapsize(env_, map_bytes), "mdb_env_set_mapsize");
  must_lmdb(mdb_env_open(env_, path_.c_str(), MDB_NOTLS, 0600), "mdb_env_open");
  MDB_txn* txn = nullptr;
  must_lmdb(mdb_txn_begin(env_, nullptr, 0, &txn), "mdb_txn_begin");
  must_lmdb(mdb_dbi_open(txn, nullptr, 0, &table_), "mdb_dbi_open");
  must_lmdb(mdb_txn_commit(txn), "mdb_txn_commit");
}

RawLmdb::~RawLmdb() { mdb_env_close(env_); }

void RawLmdb::put_durably(const RawKey& key, Bytes value) const {
  RawWrite write(*this);
  write.put(key, value);
  write.commit();
}

std::size_t RawLmdb::remove_durably(std::uint64_t person) const {
  RawWrite write(*this);
  const std::size_t removed = write.remove(person);
  write.commit();
  return removed;
}

void RawLmdb::load(std::uint64_t person, std::uint64_t first, std::size_t n,
                   std::size_t value_bytes) const {
  RawWrite write(*this);
  for (std::uint64_t record = first; record < first + n; ++record)
    write.put(raw_key(person, record), value_of(record, value_bytes));
  write.commit();
}

void RawLmdb::rewrite() {
  const std::filesystem::path copy = path_ / "copy.mdb";
  const int fd = ::open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) give_up("rewrite", "the copy cannot be made", errno);
  must_lmdb(mdb_env_copyfd2(env_, fd, MDB_CP_COMPACT), "mdb_env_copyfd2");
  if (::fsync(fd) != 0) give_up("rewrite", "the copy is not durable", errno);
  ::close(fd);
  mdb_env_close(env_);
  std::filesystem::rename(copy, path_ / "data.mdb");
  const int directory = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (::fsync(directory) != 0) give_up("rewrite", "the new name is not durable", errno);
  ::close(directory);
  open();
}

std::uint64_t RawLmdb::file_bytes() const { return std::filesystem::file_size(path_ / "data.mdb"); }

RawWrite::RawWrite(const RawLmdb& lmdb) : lmdb_(lmdb) {
  must_lmdb(mdb_txn_begin(lmdb.env_, nullptr, 0, &txn_), "mdb_txn_begin");
}

RawWrite::~RawWrite() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

void RawWrite::put(const RawKey& key, Bytes value) {
  MDB_val where = to_val(key);
  MDB_val what = to_val(value);
  must_lmdb(mdb_put(txn_, lmdb_.table_, &where, &what, 0), "mdb_put");
}

std::size_t RawWrite::remove(std::uint64_t person) {
  const RawKey prefix = raw_key(person, 0);
  MDB_cursor* cursor = nullptr;
  must_lmdb(mdb_cursor_open(txn_, lmdb_.table_, &cursor), "mdb_cursor_open");
  RawKey first = prefix;
  std::fill(first.begin() + person_bytes, first.end(), std::byte{0});
  MDB_val key = to_val(first);
  MDB_val value{};
  std::size_t removed = 0;
  int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
  while (rc == MDB_SUCCESS && std::memcmp(key.mv_data, prefix.data(), person_bytes) == 0) {
    must_lmdb(mdb_cursor_del(cursor, 0), "mdb_cursor_del");
    ++removed;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
  }
  mdb_cursor_close(cursor);
  return removed;
}

void RawWrite::commit() {
  must_lmdb(mdb_txn_commit(std::exchange(txn_, nullptr)), "mdb_txn_commit");
}

RawReader::RawReader(const RawLmdb& lmdb) : lmdb_(lmdb) {
  must_lmdb(mdb_txn_begin(lmdb.env_, nullptr, MDB_RDONLY, &txn_), "mdb_txn_begin");
  mdb_txn_reset(txn_);
}

RawReader::~RawReader() { mdb_txn_abort(txn_); }

std::size_t RawReader::get(const RawKey& key, std::span<std::byte> into) {
  must_lmdb(mdb_txn_renew(txn_), "mdb_txn_renew");
  MDB_val where = to_val(key);
  MDB_val what{};
  must_lmdb(mdb_get(txn_, lmdb_.table_, &where, &what), "mdb_get");
  std::memcpy(into.data(), what.mv_data, std::min(what.mv_size, into.size()));
  mdb_txn_reset(txn_);
  return what.mv_size;
}

}  // namespace efface::bench
