#include "support/postgresql.h"

#include <libpq-fe.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace efface::test {
namespace {

constexpr int tries_max = 3'000;  // Of reaching it, 10 ms apart.

std::vector<std::string> command_of(const std::filesystem::path& directory,
                                    const PostgresqlServer::Settings& settings) {
  const std::filesystem::path data = directory / "data";
  if (!std::filesystem::exists(data))
    run_to_end({postgresql_program("initdb"), "-D", data.string(), "-A", "trust", "-U", "postgres",
                "-E", "UTF8", "--locale=C", "--data-checksums", "--no-sync"},
               directory / "output");
  std::vector<std::string> command = {postgresql_program("postgres"),
                                      "-D",
                                      data.string(),
                                      "-c",
                                      "listen_addresses=",
                                      "-c",
                                      "unix_socket_directories=" + directory.string()};
  for (const std::string& setting : settings) {
    command.emplace_back("-c");
    command.push_back(setting);
  }
  return command;
}

}  // namespace

std::string postgresql_program(std::string_view name) {
  return std::string(EFFACE_POSTGRESQL).append("/").append(name);
}

PostgresqlServer::PostgresqlServer(const std::filesystem::path& directory, const Settings& settings)
    : directory_(directory),
      server_(command_of(directory, settings), directory / "output", SIGINT) {
  const std::string reached_by = connection();
  for (int tried = 0; tried < tries_max && !server_.has_ended(); ++tried) {
    if (PQping(reached_by.c_str()) == PQPING_OK) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::fputs("server: postgresql: does not answer\n", stderr);
  std::exit(1);
}

std::string PostgresqlServer::connection(std::string_view database) const {
  return "host=" + directory_.string() + " user=postgres dbname=" + std::string(database);
}

}  // namespace efface::test
