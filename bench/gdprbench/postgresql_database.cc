// gdprbench/postgresql_database.cc -- a row for each record. A user has an index on what is asked
// for; the public client has the key's alone.
#include "gdprbench/database.h"
#include "peers/postgresql.h"
#include "support/files.h"
#include "support/must.h"

namespace efface::bench::gdpr {
namespace {

constexpr std::size_t columns = field_count + 2;  // The key before them, the data after.
constexpr Field asked_for[] = {Field::pur, Field::ttl, Field::usr,
                               Field::obj, Field::dec, Field::shr};

std::string column_names(const char* type) {
  std::string out;
  for (std::size_t f = 0; f < field_count; ++f)
    out += std::string(name(static_cast<Field>(f))) + type + ", ";
  return out;
}

// A connection to the one server; its statements are prepared with the first table.
Postgresql& server() {
  static Postgresql running;
  return running;
}

Row unpacked(const PgAnswer& answer, std::size_t at) {
  Row row;
  row.key = key_number(answer.at(at, 0));
  for (std::size_t f = 0; f < field_count; ++f)
    row.values[f] = value_number(static_cast<Field>(f), answer.at(at, static_cast<int>(f) + 1));
  row.data = answer.at(at, columns - 1);
  return row;
}

std::vector<std::string> packed(const Row& row) {
  std::vector<std::string> out = {key_text(row.key)};
  for (std::size_t f = 0; f < field_count; ++f)
    out.push_back(value_text(static_cast<Field>(f), row.values[f]));
  out.push_back(row.data);
  return out;
}

class PostgresqlDatabase final : public Database {
 public:
  explicit PostgresqlDatabase(bool as_shipped) : is_indexed_(!as_shipped) {
    server().run("deallocate all");
    server().run("set client_min_messages = error");
    server().run("drop table if exists records");
    server().run(("create table records(key text primary key, " + column_names(" text not null") +
                  "data text not null)")
                     .c_str());
    if (is_indexed_)
      for (const Field field : asked_for)
        server().run((std::string("create index on records(") + name(field) + ")").c_str());
    prepare();
  }

  void load(std::span<const Row> rows) override {
    std::string copy;
    for (const Row& row : rows) {
      append_big_endian<std::uint16_t>(copy, columns);
      for (const std::string& column : packed(row)) {
        append_big_endian(copy, static_cast<std::uint32_t>(column.size()));
        copy += column;
      }
    }
    server().copy("copy records from stdin (format binary)", copy);
    if (rows.back().key + 1 == record_count()) server().run("vacuum analyze records");
  }
  void insert(const Row& row) override { server().ask("insert", packed(row)); }

  std::optional<Row> read(std::uint32_t key) override {
    const PgAnswer answer = server().ask("read", {key_text(key)});
    if (answer.rows() == 0) return std::nullopt;
    return unpacked(answer, 0);
  }
  bool update(const Row& row) override {
    const bool was_there = server().ask("update", packed(row)).affected() == 1;
    if (!was_there) insert(row);
    return was_there;
  }
  bool remove(std::uint32_t key) override {
    return server().ask("remove", {key_text(key)}).affected() == 1;
  }

  std::vector<Row> read_where(Field where, std::uint32_t value) override {
    const PgAnswer answer =
        server().ask((std::string("read_") + name(where)).c_str(), {value_text(where, value)});
    std::vector<Row> rows;
    for (std::size_t at = 0; at < answer.rows(); ++at) rows.push_back(unpacked(answer, at));
    return rows;
  }
  std::size_t update_where(Field where, std::uint32_t value, Field field,
                           std::uint32_t to) override {
    const std::string statement = std::string("update_") + name(where) + "_" + name(field);
    return server()
        .ask(statement.c_str(), {value_text(where, value), value_text(field, to)})
        .affected();
  }
  std::size_t remove_where(Field where, std::uint32_t value) override {
    return server()
        .ask((std::string("remove_") + name(where)).c_str(), {value_text(where, value)})
        .affected();
  }

  std::size_t read_log(std::size_t lines) override {
    return read_last_lines(server().log(), lines);
  }
  std::uint64_t file_bytes() override {
    server().run("checkpoint");
    const PgAnswer answer = server().run("select pg_total_relation_size('records')");
    return std::strtoull(std::string(answer.at(0, 0)).c_str(), nullptr, 10);
  }

 private:
  static void prepare() {
    std::string places = "$1";
    std::string changes;
    for (std::size_t f = 0; f < field_count; ++f) {
      const std::string place = "$" + std::to_string(f + 2);
      places += ", " + place;
      changes += std::string(name(static_cast<Field>(f))) + " = " + place + ", ";
    }
    const std::string data = "$" + std::to_string(columns);
    server().prepare("insert",
                     ("insert into records values(" + places + ", " + data + ")").c_str());
    server().prepare(
        "update", ("update records set " + changes + "data = " + data + " where key = $1").c_str());
    server().prepare("read", "select * from records where key = $1");
    server().prepare("remove", "delete from records where key = $1");
    for (const Field where : asked_for) {
      const std::string condition = std::string(" where ") + name(where) + " = $1";
      server().prepare((std::string("read_") + name(where)).c_str(),
                       ("select * from records" + condition).c_str());
      server().prepare((std::string("remove_") + name(where)).c_str(),
                       ("delete from records" + condition).c_str());
      for (std::size_t f = 0; f < field_count; ++f) {
        const char* const field = name(static_cast<Field>(f));
        server().prepare(
            (std::string("update_") + name(where) + "_" + field).c_str(),
            (std::string("update records set ") + field + " = $2" + condition).c_str());
      }
    }
  }

  bool is_indexed_;
};

}  // namespace

std::unique_ptr<Database> make_database(bool as_shipped) {
  server().run("alter system set log_statement = 'mod'");
  server().run("select pg_reload_conf()");
  return std::make_unique<PostgresqlDatabase>(as_shipped);
}

Facts facts() {
  return {"postgresql",
          "a row for each record; an index each on purpose, TTL, person, objection, decision and "
          "recipient; the log is the server's, of every statement that changes something; as "
          "shipped: only the key has an index",
          true};
}

}  // namespace efface::bench::gdpr
