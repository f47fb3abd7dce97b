// support/raw_lmdb.h -- the peer: LMDB as it comes, with its defaults, every commit synced.
//
// Threads  RawLmdb and Reader: one thread each; any number of Readers beside one Write.
// Errors   Any ends the program.
#pragma once
#include <lmdb.h>

#include <cstdint>
#include <string_view>

#include "support/data.h"

namespace efface::bench {

class RawLmdb {
 public:
  explicit RawLmdb(std::string_view label);
  ~RawLmdb();
  RawLmdb(const RawLmdb&) = delete;
  RawLmdb& operator=(const RawLmdb&) = delete;

  void put_durably(const RawKey& key, Bytes value) const;
  // Everything of one person, in one transaction. Answers how many there were.
  std::size_t remove_durably(std::uint64_t person) const;
  // Records first to first + n - 1 of a person; value_bytes each.
  void load(std::uint64_t person, std::uint64_t first, std::size_t n,
            std::size_t value_bytes) const;
  std::uint64_t file_bytes() const;
  // Copies what is there into a new file, without what was deleted, and puts it in the old one's
  // place, durably. Nobody else is reading.
  void rewrite();

 private:
  friend class RawWrite;
  friend class RawReader;
  void open();

  std::filesystem::path path_;
  MDB_env* env_ = nullptr;
  MDB_dbi table_ = 0;
};

// One transaction; committed, or undone with its scope.
class RawWrite {
 public:
  explicit RawWrite(const RawLmdb& lmdb);
  ~RawWrite();
  RawWrite(const RawWrite&) = delete;
  RawWrite& operator=(const RawWrite&) = delete;
  void put(const RawKey& key, Bytes value);
  std::size_t remove(std::uint64_t person);
  void commit();

 private:
  const RawLmdb& lmdb_;
  MDB_txn* txn_ = nullptr;
};

// A transaction that is renewed for every read, so that each sees the last commit.
class RawReader {
 public:
  explicit RawReader(const RawLmdb& lmdb);
  ~RawReader();
  RawReader(const RawReader&) = delete;
  RawReader& operator=(const RawReader&) = delete;

  // Copies the value, which is what may be kept of it, and answers its size.
  std::size_t get(const RawKey& key, std::span<std::byte> into);

 private:
  const RawLmdb& lmdb_;
  MDB_txn* txn_ = nullptr;
};

}  // namespace efface::bench
