#include "soak/gauges.h"

#include <lmdb.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace efface::test {
namespace {

namespace fs = std::filesystem;

std::uint64_t files_in(const fs::path& directory) {
  std::uint64_t count = 0;
  std::error_code gone;
  for (fs::directory_iterator at(directory, gone), end; !gone && at != end; at.increment(gone))
    ++count;
  return count;
}

// Of /proc/PID/status, in its own unit.
std::uint64_t field_of(const fs::path& status, std::string_view field) {
  std::ifstream in(status);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(field)) continue;
    return std::strtoull(line.c_str() + field.size(), nullptr, 10);
  }
  return 0;
}

struct Oldest {
  std::uint64_t slots = 0;
  std::uint64_t snapshot = UINT64_MAX;
};

// A line of mdb_reader_list: process, thread, number of the snapshot or "-".
int look_at_reader(const char* line, void* context) {
  auto& oldest = *static_cast<Oldest*>(context);
  std::istringstream words(line);
  std::string process;
  std::string thread;
  std::string snapshot;
  words >> process >> thread >> snapshot;
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(snapshot.data(), snapshot.data() + snapshot.size(), number);
  const bool is_a_reader = !process.empty() && process[0] >= '0' && process[0] <= '9';
  if (!is_a_reader) return 0;
  ++oldest.slots;
  if (parsed.ec == std::errc()) oldest.snapshot = std::min(oldest.snapshot, number);
  return 0;
}

void look_at_database(const fs::path& directory, Gauges& into, std::uint64_t& commits) {
  MDB_env* made = nullptr;
  if (mdb_env_create(&made) != MDB_SUCCESS) return;
  const std::unique_ptr<MDB_env, decltype(&mdb_env_close)> env(made, mdb_env_close);
  if (mdb_env_open(made, directory.c_str(), MDB_RDONLY | MDB_NOTLS, 0600) != MDB_SUCCESS) return;
  MDB_envinfo info{};
  mdb_env_info(made, &info);
  commits += info.me_last_txnid;
  Oldest oldest;
  mdb_reader_list(made, look_at_reader, &oldest);
  into.reader_slots += oldest.slots;
  if (oldest.snapshot < info.me_last_txnid)
    into.reader_lag = std::max(into.reader_lag, info.me_last_txnid - oldest.snapshot);
}

}  // namespace

Gauges gauges_of(pid_t process, const fs::path& store) {
  const fs::path about = fs::path("/proc") / std::to_string(process);
  Gauges now;
  now.memory_bytes = field_of(about / "status", "RssAnon:") * 1024;
  now.threads = field_of(about / "status", "Threads:");
  now.descriptors = files_in(about / "fd");
  std::uint64_t records_commits = 0;
  for (const char* region : {"eu", "us"}) {
    std::error_code absent;
    const fs::path records = store / region / "records";
    const fs::path keyring = store / region / "keyring";
    now.records_bytes += fs::file_size(records / "data.mdb", absent);
    now.keyring_bytes += fs::file_size(keyring / "data.mdb", absent);
    look_at_database(records, now, records_commits);
    look_at_database(keyring, now, now.keyring_commits);
  }
  return now;
}

Gauges peak(const Gauges& one, const Gauges& other) {
  return {std::max(one.memory_bytes, other.memory_bytes),
          std::max(one.descriptors, other.descriptors),
          std::max(one.threads, other.threads),
          std::max(one.records_bytes, other.records_bytes),
          std::max(one.keyring_bytes, other.keyring_bytes),
          std::max(one.keyring_commits, other.keyring_commits),
          std::max(one.reader_slots, other.reader_slots),
          std::max(one.reader_lag, other.reader_lag)};
}

}  // namespace efface::test
