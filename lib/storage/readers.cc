#include <signal.h>

#include <cerrno>
#include <cstdio>

#include "storage/environment_impl.h"

namespace efface::storage {
namespace {

// A line of LMDB's list: process, thread, and the transaction that it reads, or `-`.
int count_stale(const char* line, void* context) noexcept {
  int process = 0;
  unsigned long long transaction = 0;
  // The heading, and slots that read nothing, have other fields.
  // NOLINTNEXTLINE(cert-err34-c): how many were read is what is asked.
  if (std::sscanf(line, "%d %*x %llu", &process, &transaction) != 2 || process <= 0) return 0;
  if (::kill(process, 0) != 0 && errno == ESRCH) ++*static_cast<std::uint32_t*>(context);
  return 0;
}

}  // namespace

std::uint32_t stale_readers(MDB_env* env) noexcept {
  std::uint32_t count = 0;
  mdb_reader_list(env, count_stale, &count);
  return count;
}

}  // namespace efface::storage
