// peers/rocksdb_peer.cc -- RocksDB, with a filter and a cache that holds everything.
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>

#include <algorithm>
#include <cstring>

#include "peers/peer.h"
#include "support/must.h"

namespace efface::bench {
namespace {

constexpr std::size_t cache_bytes = std::size_t{1} << 30;
constexpr double filter_bits = 10;

void check(const rocksdb::Status& status, const char* what) {
  if (!status.ok()) give_up(what, status.ToString().c_str());
}

rocksdb::Slice slice(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Her keys are from low to high, both included.
struct Range {
  explicit Range(std::uint64_t person) : low(raw_key(person, 0)), high(low) {
    std::fill(low.begin() + 8, low.end(), std::byte{0});
    std::fill(high.begin() + 8, high.end(), std::byte{0xff});
  }
  RawKey low;
  RawKey high;
};

class RocksDbPeer final : public Peer {
 public:
  RocksDbPeer() {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(cache_bytes);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(filter_bits));
    rocksdb::Options options;
    options.create_if_missing = true;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(options, (scratch() / "rocksdb").string(), &db), "open");
    db_.reset(db);
    durable_.sync = true;
  }

  Facts facts() const override {
    return {
        "rocksdb", rocksdb::GetRocksVersionAsString(),
        "defaults with a filter of 10 bits a key and a block cache of 1 GiB; WriteOptions::sync",
        "", "DeleteRange of her keys, flush, CompactRange of them down to the last level"};
  }

  void put(std::span<const Item> items) override {
    rocksdb::WriteBatch batch;
    for (const Item& item : items)
      check(batch.Put(slice(raw_key(item.person, item.record)), slice(item.value)), "Put");
    check(db_->Write(durable_, &batch), "Write");
  }

  std::size_t get(std::uint64_t person, std::uint64_t record, std::span<std::byte> into) override {
    found_.Reset();
    check(db_->Get({}, db_->DefaultColumnFamily(), slice(raw_key(person, record)), &found_), "Get");
    std::memcpy(into.data(), found_.data(), std::min(found_.size(), into.size()));
    return found_.size();
  }

  void erase(std::span<const std::uint64_t> people) override {
    rocksdb::WriteBatch batch;
    RawKey low = Range(people.front()).low;
    RawKey high = low;
    for (const std::uint64_t person : people) {
      const Range range(person);
      // The end is not included; her last possible key is none of hers.
      check(batch.DeleteRange(slice(range.low), slice(range.high)), "DeleteRange");
      low = std::min(low, range.low);
      high = std::max(high, range.high);
    }
    check(db_->Write(durable_, &batch), "Write");
    check(db_->Flush({}), "Flush");
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    const rocksdb::Slice begin = slice(low);
    const rocksdb::Slice end = slice(high);
    check(db_->CompactRange(options, &begin, &end), "CompactRange");
  }

  std::uint64_t count(std::uint64_t person) override {
    const Range range(person);
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}));
    std::uint64_t records = 0;
    for (at->Seek(slice(range.low)); at->Valid() && at->key().compare(slice(range.high)) <= 0;
         at->Next())
      ++records;
    check(at->status(), "iterate");
    return records;
  }

  void settle() override { check(db_->Flush({}), "Flush"); }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::WriteOptions durable_;
  rocksdb::PinnableSlice found_;
};

}  // namespace

std::unique_ptr<Peer> make_peer() { return std::make_unique<RocksDbPeer>(); }

}  // namespace efface::bench
