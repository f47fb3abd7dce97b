// peers/postgresql.h -- a PostgreSQL server of the bench's own, on a socket, and one connection.
//
// Threads  One.
// Errors   Any ends the program.
#pragma once
#include <libpq-fe.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/postgresql.h"

namespace efface::bench {

class PgAnswer {
 public:
  explicit PgAnswer(PGresult* result) : result_(result, PQclear) {}
  std::size_t rows() const { return static_cast<std::size_t>(PQntuples(result_.get())); }
  std::string_view at(std::size_t row, int column) const;  // Text, or bytes.
  std::uint64_t affected() const;
  PGresult* get() const { return result_.get(); }

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

class Postgresql {
 public:
  Postgresql();
  ~Postgresql();

  std::string version() const;
  static const char* settings();
  std::filesystem::path log() const { return directory_ / "output"; }

  PgAnswer run(const char* sql) const;
  void prepare(const char* name, const char* sql) const;
  // Parameters and answer are text.
  PgAnswer ask(const char* prepared, const std::vector<std::string>& parameters) const;
  // Numbers as int8, big-endian; the answer is binary.
  PgAnswer ask_binary(const char* prepared, const std::vector<std::uint64_t>& numbers) const;
  // `copy ... from stdin (format binary)`, with its rows.
  void copy(const char* sql, std::string_view rows) const;

  // Nothing of what was deleted is in a file from then on.
  void rewrite(const char* table) const;

 private:
  PGresult* good(PGresult* result, const char* what) const;

  std::filesystem::path directory_;
  test::PostgresqlServer server_;
  PGconn* connection_ = nullptr;
};

// The bytes of the number, most significant first.
template <class Number>
void append_big_endian(std::string& out, Number number) {
  for (std::size_t byte = sizeof number; byte-- > 0;)
    out += static_cast<char>(number >> (8 * byte));
}

}  // namespace efface::bench
