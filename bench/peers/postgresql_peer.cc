// peers/postgresql_peer.cc -- PostgreSQL, one row a record.
#include <algorithm>
#include <cstring>

#include "peers/peer.h"
#include "peers/postgresql.h"
#include "support/must.h"

namespace efface::bench {
namespace {

class PostgresqlPeer final : public Peer {
 public:
  PostgresqlPeer() {
    pg_.run(
        "create table records(person bigint, record bigint, value bytea not null,"
        " primary key(person, record))");
    pg_.prepare("get", "select value from records where person = $1 and record = $2");
    pg_.prepare("erase", "delete from records where person = $1");
    pg_.prepare("count", "select count(*) from records where person = $1");
  }

  Facts facts() const override {
    return {"postgresql", pg_.version(),
            std::string(Postgresql::settings()) + "; a batch of puts is one copy", "",
            "delete, vacuum full, pg_switch_wal, checkpoint (wal_recycle=off removes older logs)"};
  }

  void put(std::span<const Item> items) override {
    rows_.clear();
    for (const Item& item : items) {
      append_big_endian<std::uint16_t>(rows_, 3);
      append_big_endian<std::uint32_t>(rows_, 8);
      append_big_endian(rows_, item.person);
      append_big_endian<std::uint32_t>(rows_, 8);
      append_big_endian(rows_, item.record);
      append_big_endian(rows_, static_cast<std::uint32_t>(item.value.size()));
      rows_.append(as_text(item.value));
    }
    pg_.copy("copy records from stdin (format binary)", rows_);
  }

  std::size_t get(std::uint64_t person, std::uint64_t record, std::span<std::byte> into) override {
    const PgAnswer answer = pg_.ask_binary("get", {person, record});
    if (answer.rows() != 1) give_up("get", "it is not there");
    const std::string_view value = answer.at(0, 0);
    std::memcpy(into.data(), value.data(), std::min(value.size(), into.size()));
    return value.size();
  }

  void erase(std::span<const std::uint64_t> people) override {
    pg_.run("begin");
    for (const std::uint64_t person : people) pg_.ask_binary("erase", {person});
    pg_.run("commit");
    pg_.rewrite("records");
  }

  std::uint64_t count(std::uint64_t person) override {
    const std::string_view bytes = pg_.ask_binary("count", {person}).at(0, 0);
    std::uint64_t records = 0;
    for (const char byte : bytes) records = records << 8 | static_cast<unsigned char>(byte);
    return records;
  }

  void settle() override { pg_.run("checkpoint"); }

 private:
  Postgresql pg_;
  std::string rows_;
};

}  // namespace

std::unique_ptr<Peer> make_peer() { return std::make_unique<PostgresqlPeer>(); }

}  // namespace efface::bench
