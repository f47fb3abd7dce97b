#include "support/goals.h"

#include <string_view>

namespace efface::bench {
namespace {

using enum Reach;
using Value = std::function<std::optional<double>(const Measured&)>;

// How many times as fast a is as b.
Value rate(const std::string& a, const std::string& b) {
  return [a, b](const Measured& m) -> std::optional<double> {
    if (!m.has(a) || !m.has(b)) return std::nullopt;
    return m.median(b) / m.median(a);
  };
}
Value time(const std::string& a, const std::string& b) { return rate(b, a); }
Value size(const std::string& a, const std::string& b) {
  return [a, b](const Measured& m) -> std::optional<double> {
    if (!m.has(a) || !m.has(b)) return std::nullopt;
    return m.bytes(a) / m.bytes(b);
  };
}
Value milliseconds(const std::string& a) {
  return [a](const Measured& m) -> std::optional<double> {
    if (!m.has(a)) return std::nullopt;
    return m.median(a) / 1'000;
  };
}
Value bytes(const std::string& a) {
  return [a](const Measured& m) -> std::optional<double> {
    if (!m.has(a)) return std::nullopt;
    return m.bytes(a);
  };
}

std::vector<Goal> erasing() {
  std::vector<Goal> all = {
      {"erase_1M_vs_1_record",
       "Erasing a person of 1M records against one of a single record, time", at_most, 1.1,
       time("erase/1000000", "erase/1")},
      {"erase_durable_vs_lmdb_put", "One durable erasure against one durable LMDB put, time",
       at_most, 2.0, time("erase_one", "lmdb_put")},
      {"erase_64_threads_vs_1", "Erasures by 64 threads at once against one, rate", at_least, 5,
       rate("erase_threads threads:64", "erase_threads")},
      {"erase_bulk_vs_lmdb_delete_100",
       "100,000 of 1M people in one call, against LMDB's deletion of as many with 100 records "
       "each, "
       "rate",
       at_least, 5, rate("erase_bulk/100000", "lmdb_delete_bulk/100000")}};
  for (const char* const peer : {"rocksdb", "sqlite", "postgresql", "redis"})
    all.push_back(
        {std::string("erase_100k_vs_") + peer,
         std::string("A person of 100,000 records, until no file has her bytes, against ") + peer +
             ", time",
         at_most, 0.01, time("efface/erase/100000", std::string(peer) + "/erase/100000")});
  all.push_back({"expiry_1M_vs_1k",
                 "Destroying an expired day of 1M records against one of 1,000, time", at_most, 1.1,
                 time("expiry/1000000", "expiry/1000")});
  return all;
}

std::vector<Goal> reading_and_writing() {
  return {{"get_vs_lmdb", "Sealed get of 200 B, keys cached, against an LMDB get, rate", at_least,
           0.5, rate("get", "lmdb_get")},
          {"get_2_threads_vs_1", "Gets by two threads against one, rate", at_least, 1.8,
           rate("get threads:2", "get")},
          {"get_vs_rocksdb", "Get of 200 B against RocksDB, rate", at_least, 3,
           rate("efface/get", "rocksdb/get")},
          {"get_vs_sqlcipher", "The same against SQLCipher, rate", at_least, 5,
           rate("efface/get", "sqlcipher/get")},
          {"put_vs_lmdb", "Puts of 200 B, 1,000 a durable commit, against LMDB, rate", at_least,
           0.8, rate("put_1000", "lmdb_put_1000")},
          {"put_vs_sqlcipher", "The same against SQLCipher, rate", at_least, 1,
           rate("efface/put_1000", "sqlcipher/put_1000")},
          {"put_vs_rocksdb", "The same against RocksDB, which seals nothing, rate", at_least, 0.5,
           rate("efface/put_1000", "rocksdb/put_1000")},
          {"put_8_threads_vs_1", "Durable single puts by eight threads against one, rate", at_least,
           4, rate("put_one threads:8", "put_one")}};
}

std::vector<Goal> growing() {
  return {{"size_vs_lmdb_200", "All files against LMDB's, incompressible values of 200 B", at_most,
           1.6, size("size/200", "lmdb_size/200")},
          {"size_vs_lmdb_1000", "The same with 1,000 B", at_most, 1.2,
           size("size/1000", "lmdb_size/1000")},
          {"keyring_bytes_per_person", "The keyring's file, one purpose, bytes a person", at_most,
           220, bytes("keyring_size")},
          {"query_1M_ms", "\"Everyone with this purpose\" counted over 1M people, ms", at_most, 250,
           milliseconds("scale_count/1000000")},
          {"open_10M_vs_100k", "Opening a store of 10M people against one of 100,000, time",
           at_most, 1.5, time("scale_open/10000000", "scale_open/100000")}};
}

std::string run_of(const std::string& role, const std::string& database) {
  return "gdprbench/" + role + "/" + database;
}

std::vector<Goal> gdprbench() {
  std::vector<Goal> all;
  for (const char* const way : {"", "_as_shipped"}) {
    for (const char* const role : {"controller", "customer", "processor", "regulator"}) {
      for (const char* const peer : {"redis", "postgresql"}) {
        const std::string shipped = std::string(role) + "/shipped";
        const std::string against = std::string(peer) + way;
        all.push_back({std::string("gdprbench_") + role + "_vs_" + against,
                       std::string("GDPRbench, ") + role + ", against " + peer +
                           (*way == '\0' ? ", indexed, time" : ", the public clients' way, time"),
                       at_most, *way == '\0' ? 0.5 : 0.1,
                       [shipped, against](const Measured& m) -> std::optional<double> {
                         const auto both = compared(m, shipped, against);
                         if (!both) return std::nullopt;
                         return both->ours / both->theirs;
                       }});
      }
    }
  }
  return all;
}

}  // namespace

std::optional<Compared> compared(const Measured& measured, const std::string& role,
                                 const std::string& peer) {
  const std::string ours = run_of(role, "efface");
  const std::string theirs = run_of(role, peer);
  for (std::size_t power = 1'000'000; power > 0; power /= 10) {
    for (const std::size_t digit : {std::size_t{5}, std::size_t{2}, std::size_t{1}}) {
      const std::size_t operations = digit * power;
      const std::string mark = std::string("s").append(std::to_string(operations));
      if (measured.has(ours, mark) && measured.has(theirs, mark))
        return Compared{operations, measured.counter(ours, mark), measured.counter(theirs, mark)};
    }
  }
  return std::nullopt;
}

const std::vector<Goal>& goals() {
  static const std::vector<Goal> all = [] {
    std::vector<Goal> made;
    for (const auto& part : {erasing(), reading_and_writing(), growing(), gdprbench()})
      made.insert(made.end(), part.begin(), part.end());
    return made;
  }();
  return all;
}

}  // namespace efface::bench
