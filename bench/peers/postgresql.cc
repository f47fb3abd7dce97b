#include "peers/postgresql.h"

#include <cstdlib>

#include "support/data.h"
#include "support/must.h"

namespace efface::bench {

std::string_view PgAnswer::at(std::size_t row, int column) const {
  const int r = static_cast<int>(row);
  return {PQgetvalue(result_.get(), r, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), r, column))};
}

std::uint64_t PgAnswer::affected() const {
  return std::strtoull(PQcmdTuples(result_.get()), nullptr, 10);
}

Postgresql::Postgresql()
    : directory_(test::make_server_directory(scratch(), "pg")),
      server_(directory_,
              {"shared_buffers=1GB", "max_wal_size=4GB", "wal_recycle=off", "max_connections=10"}) {
  connection_ = PQconnectdb(server_.connection().c_str());
  if (PQstatus(connection_) != CONNECTION_OK) give_up("postgresql", "does not answer");
}

Postgresql::~Postgresql() { PQfinish(connection_); }

std::string Postgresql::version() const {
  return "PostgreSQL " + std::string(run("show server_version").at(0, 0));
}

const char* Postgresql::settings() {
  return "on a socket; fsync, synchronous_commit and full_page_writes as they come, on; "
         "shared_buffers=1GB, max_wal_size=4GB, wal_recycle=off, data checksums; prepared "
         "statements";
}

PGresult* Postgresql::good(PGresult* result, const char* what) const {
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
    give_up(what, PQerrorMessage(connection_));
  return result;
}

PgAnswer Postgresql::run(const char* sql) const {
  return PgAnswer(good(PQexec(connection_, sql), sql));
}

void Postgresql::prepare(const char* name, const char* sql) const {
  PgAnswer(good(PQprepare(connection_, name, sql, 0, nullptr), sql));
}

PgAnswer Postgresql::ask(const char* prepared, const std::vector<std::string>& parameters) const {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  return PgAnswer(good(PQexecPrepared(connection_, prepared, static_cast<int>(values.size()),
                                      values.data(), nullptr, nullptr, 0),
                       prepared));
}

PgAnswer Postgresql::ask_binary(const char* prepared,
                                const std::vector<std::uint64_t>& numbers) const {
  std::string bytes;
  for (const std::uint64_t number : numbers) append_big_endian(bytes, number);
  std::vector<const char*> values;
  for (std::size_t i = 0; i < numbers.size(); ++i) values.push_back(bytes.data() + 8 * i);
  const std::vector<int> lengths(numbers.size(), 8);
  const std::vector<int> formats(numbers.size(), 1);
  return PgAnswer(good(PQexecPrepared(connection_, prepared, static_cast<int>(values.size()),
                                      values.data(), lengths.data(), formats.data(), 1),
                       prepared));
}

void Postgresql::copy(const char* sql, std::string_view rows) const {
  PgAnswer(good(PQexec(connection_, sql), sql));
  std::string all("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  all.append(rows).append("\377\377");
  if (PQputCopyData(connection_, all.data(), static_cast<int>(all.size())) != 1 ||
      PQputCopyEnd(connection_, nullptr) != 1)
    give_up("copy", PQerrorMessage(connection_));
  while (PGresult* const result = PQgetResult(connection_)) PgAnswer(good(result, sql));
}

void Postgresql::rewrite(const char* table) const {
  run((std::string("vacuum full ") + table).c_str());
  run("select pg_switch_wal()");
  run("checkpoint");
}

}  // namespace efface::bench
