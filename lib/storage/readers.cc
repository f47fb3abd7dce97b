#include <signal.h>

#include <cerrno>
#include <cstdio>

#include "storage/environment_impl.h"

namespace efface::storage {
namespace {

int count_stale(const char* line, void* context) noexcept {
  const auto reader = reader_of(line);
  if (reader && ::kill(reader->process, 0) != 0 && errno == ESRCH)
    ++*static_cast<std::uint32_t*>(context);
  return 0;
}

}  // namespace

// A line is: process, thread, and the transaction that it reads, or `-`.
std::optional<Reader> reader_of(const char* line) noexcept {
  Reader reader;
  unsigned long long transaction = 0;
  // NOLINTNEXTLINE(cert-err34-c): how many were read is what is asked.
  if (std::sscanf(line, "%d %*x %llu", &reader.process, &transaction) != 2) return std::nullopt;
  reader.transaction = transaction;
  return reader;
}

std::uint32_t stale_readers(MDB_env* env) noexcept {
  std::uint32_t count = 0;
  mdb_reader_list(env, count_stale, &count);
  return count;
}

}  // namespace efface::storage
