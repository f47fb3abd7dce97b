// A PostgreSQL server of a test's or a bench's own, on a socket in its directory.
//
// Shape   directory/data is its data directory, directory/output its log.
// Errors  Any ends the program.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/server.h"

namespace efface::test {

// The whole path of one that comes with the server.
std::string postgresql_program(std::string_view name);

// Runs, and answers, until the scope ends. Whoever can reach the directory is let in.
class PostgresqlServer {
 public:
  using Settings = std::vector<std::string>;  // "name=value"

  // In a directory of make_server_directory: over the data that is there, or else with none.
  PostgresqlServer(const std::filesystem::path& directory, const Settings& settings);

  // What libpq and PostgreSQL's programs take as a connection.
  std::string connection(std::string_view database = "postgres") const;

 private:
  std::filesystem::path directory_;
  Server server_;
};

}  // namespace efface::test
