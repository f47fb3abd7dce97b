// peers/sqlite_peer.cc -- SQLite, and compiled a second time SQLCipher, which exports the same
// names. EFFACE_BENCH_SQLCIPHER says which.
#if EFFACE_BENCH_SQLCIPHER
#include <sqlcipher/sqlite3.h>
#else
#include <sqlite3.h>
#endif

#include <algorithm>
#include <cstring>

#include "peers/peer.h"
#include "support/must.h"

namespace efface::bench {
namespace {

// Secure_delete overwrites with zeros what is deleted, though not what moved between pages before:
// hence also a vacuum. A log that is cut off has no older pages.
constexpr const char* setting_up = R"(
pragma journal_mode = wal;
pragma synchronous = full;
pragma secure_delete = on;
pragma cache_size = -1048576;
create table records(person integer, record integer, value blob not null,
                     primary key(person, record)) without rowid;
)";

class SqlitePeer final : public Peer {
 public:
  SqlitePeer() {
    check(sqlite3_open((scratch() / "records.sqlite").c_str(), &db_), "open");
    if (EFFACE_BENCH_SQLCIPHER) {
      run("pragma key = \"x'6b9d5a7c24e801f3c2a4987166035ebdd0f7421c8a39be65134fd2ab5906c7e8'\"");
      cipher_ = text("pragma cipher_version");
    }
    run(setting_up);
    put_ = prepared("insert into records values(?1, ?2, ?3)");
    get_ = prepared("select value from records where person = ?1 and record = ?2");
    erase_ = prepared("delete from records where person = ?1");
    count_ = prepared("select count(*) from records where person = ?1");
  }
  ~SqlitePeer() override {
    for (sqlite3_stmt* const statement : {put_, get_, erase_, count_}) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }

  Facts facts() const override {
    const std::string version = std::string("SQLite ") + sqlite3_libversion();
    const std::string settings =
        "journal_mode=wal, synchronous=full, secure_delete=on, cache of 1 GiB, rows in the order "
        "of person and record, prepared statements";
    const std::string erasing =
        "delete with secure_delete, vacuum (without it pages that were rebalanced keep bytes of "
        "hers), wal_checkpoint(truncate)";
    if (!EFFACE_BENCH_SQLCIPHER) return {"sqlite", version, settings, "", erasing};
    return {"sqlcipher", "SQLCipher " + cipher_ + ", " + version, settings,
            "every page, under one key for all: AES-256-CBC with HMAC", erasing};
  }

  void put(std::span<const Item> items) override {
    run("begin immediate");
    for (const Item& item : items) {
      bind(put_, 1, item.person);
      bind(put_, 2, item.record);
      check(sqlite3_bind_blob(put_, 3, item.value.data(), static_cast<int>(item.value.size()),
                              SQLITE_STATIC),
            "bind");
      done(put_);
    }
    run("commit");
  }

  std::size_t get(std::uint64_t person, std::uint64_t record, std::span<std::byte> into) override {
    bind(get_, 1, person);
    bind(get_, 2, record);
    if (sqlite3_step(get_) != SQLITE_ROW) give_up("get", "it is not there");
    const auto bytes = static_cast<std::size_t>(sqlite3_column_bytes(get_, 0));
    std::memcpy(into.data(), sqlite3_column_blob(get_, 0), std::min(bytes, into.size()));
    check(sqlite3_reset(get_), "reset");
    return bytes;
  }

  void erase(std::span<const std::uint64_t> people) override {
    run("begin immediate");
    for (const std::uint64_t person : people) {
      bind(erase_, 1, person);
      done(erase_);
    }
    run("commit");
    run("vacuum");
    settle();
  }

  std::uint64_t count(std::uint64_t person) override {
    bind(count_, 1, person);
    if (sqlite3_step(count_) != SQLITE_ROW) give_up("count", sqlite3_errmsg(db_));
    const auto records = static_cast<std::uint64_t>(sqlite3_column_int64(count_, 0));
    check(sqlite3_reset(count_), "reset");
    return records;
  }

  void settle() override { run("pragma wal_checkpoint(truncate)"); }

 private:
  void check(int code, const char* what) const {
    if (code != SQLITE_OK) give_up(what, sqlite3_errmsg(db_), code);
  }
  void run(const char* sql) const {
    check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), "exec");
  }
  void done(sqlite3_stmt* statement) const {
    if (sqlite3_step(statement) != SQLITE_DONE) give_up("step", sqlite3_errmsg(db_));
    check(sqlite3_reset(statement), "reset");
  }
  void bind(sqlite3_stmt* statement, int place, std::uint64_t number) const {
    check(sqlite3_bind_int64(statement, place, static_cast<sqlite3_int64>(number)), "bind");
  }
  sqlite3_stmt* prepared(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr), "prepare");
    return statement;
  }
  std::string text(const char* sql) const {
    sqlite3_stmt* const statement = prepared(sql);
    if (sqlite3_step(statement) != SQLITE_ROW) give_up("exec", "nothing is answered");
    std::string answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return answer;
  }

  sqlite3* db_ = nullptr;
  std::string cipher_;
  sqlite3_stmt* put_ = nullptr;
  sqlite3_stmt* get_ = nullptr;
  sqlite3_stmt* erase_ = nullptr;
  sqlite3_stmt* count_ = nullptr;
};

}  // namespace

std::unique_ptr<Peer> make_peer() { return std::make_unique<SqlitePeer>(); }

}  // namespace efface::bench
