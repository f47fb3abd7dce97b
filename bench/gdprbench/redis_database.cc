// gdprbench/redis_database.cc -- a hash for each record. A user keeps a set of keys for each value
// of what is asked for; the public client looks at every key instead.
#include <algorithm>
#include <iterator>

#include "gdprbench/database.h"
#include "peers/redis.h"
#include "support/files.h"
#include "support/must.h"

namespace efface::bench::gdpr {
namespace {

constexpr Field indexed[] = {Field::pur, Field::ttl, Field::usr,
                             Field::obj, Field::dec, Field::shr};

bool is_indexed(Field field) {
  return std::find(std::begin(indexed), std::end(indexed), field) != std::end(indexed);
}

Redis& server() {
  static Redis running;
  return running;
}

std::string set_of(Field field, std::uint32_t value) {
  return std::string("index:") + name(field) + ":" + value_text(field, value);
}

Row unpacked(std::uint32_t key, const redisReply& hash) {
  Row row;
  row.key = key;
  for (std::size_t i = 0; i + 1 < hash.elements; i += 2) {
    const std::string_view field = text_of(*hash.element[i]);
    const std::string_view value = text_of(*hash.element[i + 1]);
    if (field == "data") row.data = value;
    for (std::size_t f = 0; f < field_count; ++f)
      if (field == name(static_cast<Field>(f)))
        row.values[f] = value_number(static_cast<Field>(f), value);
  }
  return row;
}

// Some commands in one transaction.
class Transaction {
 public:
  Transaction() { server().begin(); }
  void add(const Redis::Command& command) {
    server().append(command);
    ++commands_;
  }
  void put(const Row& row) {
    const std::string key = key_text(row.key);
    Redis::Command all = {"HSET", key, "data", row.data};
    for (std::size_t f = 0; f < field_count; ++f) {
      all.emplace_back(name(static_cast<Field>(f)));
      all.emplace_back(value_text(static_cast<Field>(f), row.values[f]));
    }
    add(all);
  }
  void note(const Row& row, const char* how) {
    for (const Field field : indexed)
      add({how, set_of(field, of(row.values, field)), key_text(row.key)});
  }
  void commit() { server().commit(commands_); }

 private:
  std::size_t commands_ = 0;
};

class Indexed : public Database {
 public:
  Indexed() {
    server().ask({"FLUSHALL"});
    server().rewrite();
  }

  void load(std::span<const Row> rows) override {
    Transaction all;
    for (const Row& row : rows) {
      all.put(row);
      if (has_index()) all.note(row, "SADD");
    }
    all.commit();
  }
  void insert(const Row& row) override { load({&row, 1}); }

  std::optional<Row> read(std::uint32_t key) override {
    const RedisAnswer hash = server().ask({"HGETALL", key_text(key)});
    if (hash->elements == 0) return std::nullopt;
    return unpacked(key, *hash);
  }

  bool update(const Row& row) override {
    const std::optional<Row> before = read(row.key);
    Transaction all;
    if (before) all.note(*before, "SREM");
    all.put(row);
    all.note(row, "SADD");
    all.commit();
    return before.has_value();
  }

  bool remove(std::uint32_t key) override {
    const std::optional<Row> before = read(key);
    if (before) remove_all({&*before, 1});
    return before.has_value();
  }

  std::vector<Row> read_where(Field where, std::uint32_t value) override {
    const RedisAnswer keys = server().ask({"SMEMBERS", set_of(where, value)});
    for (std::size_t i = 0; i < keys->elements; ++i)
      server().append({"HGETALL", text_of(*keys->element[i])});
    std::vector<Row> rows;
    for (std::size_t i = 0; i < keys->elements; ++i)
      rows.push_back(unpacked(key_number(text_of(*keys->element[i])), *server().next()));
    return rows;
  }

  std::size_t update_where(Field where, std::uint32_t value, Field field,
                           std::uint32_t to) override {
    const RedisAnswer keys = server().ask({"SMEMBERS", set_of(where, value)});
    std::vector<std::uint32_t> from(keys->elements, to);
    if (is_indexed(field)) {
      for (std::size_t i = 0; i < keys->elements; ++i)
        server().append({"HGET", text_of(*keys->element[i]), name(field)});
      for (std::uint32_t& each : from) each = value_number(field, text_of(*server().next()));
    }
    const std::string target = set_of(field, to);
    Transaction all;
    for (std::size_t i = 0; i < keys->elements; ++i) {
      const std::string_view key = text_of(*keys->element[i]);
      all.add({"HSET", key, name(field), value_text(field, to)});
      if (from[i] != to) all.add({"SMOVE", set_of(field, from[i]), target, key});
    }
    all.commit();
    return keys->elements;
  }

  std::size_t remove_where(Field where, std::uint32_t value) override {
    const std::vector<Row> rows = read_where(where, value);
    remove_all(rows);
    return rows.size();
  }

  std::size_t read_log(std::size_t lines) override {
    return read_last_lines(server().log(), lines);
  }
  std::uint64_t file_bytes() override {
    server().rewrite();
    return bytes_below(server().log().parent_path());
  }

 protected:
  virtual bool has_index() const { return true; }

 private:
  static void remove_all(std::span<const Row> rows) {
    Transaction all;
    for (const Row& row : rows) {
      all.add({"UNLINK", key_text(row.key)});
      all.note(row, "SREM");
    }
    all.commit();
  }
};

// Of every operation but those of one key: all keys, and of each its hash, one after the other.
class AsShipped final : public Indexed {
 public:
  bool update(const Row& row) override {
    const bool was_there = server().number({"EXISTS", key_text(row.key)}) == 1;
    insert(row);
    return was_there;
  }
  bool remove(std::uint32_t key) override { return server().number({"DEL", key_text(key)}) == 1; }

  std::vector<Row> read_where(Field where, std::uint32_t value) override {
    std::vector<Row> rows;
    const RedisAnswer keys = server().ask({"KEYS", "key*"});
    for (std::size_t i = 0; i < keys->elements; ++i) {
      const std::string_view key = text_of(*keys->element[i]);
      Row row = unpacked(key_number(key), *server().ask({"HGETALL", key}));
      if (of(row.values, where) == value) rows.push_back(std::move(row));
    }
    return rows;
  }
  std::size_t update_where(Field where, std::uint32_t value, Field field,
                           std::uint32_t to) override {
    const std::vector<Row> rows = read_where(where, value);
    for (const Row& row : rows)
      server().ask({"HSET", key_text(row.key), name(field), value_text(field, to)});
    return rows.size();
  }
  std::size_t remove_where(Field where, std::uint32_t value) override {
    const std::vector<Row> rows = read_where(where, value);
    for (const Row& row : rows) remove(row.key);
    return rows.size();
  }

 protected:
  bool has_index() const override { return false; }
};

}  // namespace

std::unique_ptr<Database> make_database(bool as_shipped) {
  if (as_shipped) return std::make_unique<AsShipped>();
  return std::make_unique<Indexed>();
}

Facts facts() {
  return {
      "redis",
      "a hash for each record; a set of keys for each value of purpose, TTL, person, objection, "
      "decision and recipient, kept in the same transaction; the log is the append-only file; "
      "as shipped: no sets, but KEYS and HGETALL of every key",
      true};
}

}  // namespace efface::bench::gdpr
