#include "storage/copy.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace efface::storage {
namespace {

constexpr std::uint64_t commit_bytes = std::uint64_t{16} << 20;
constexpr std::uint64_t spare_bytes = std::uint64_t{4} << 20;

// Large enough that it never has to grow.
EnvironmentOptions sized_for(const Environment::Stats& source, const EnvironmentOptions& options) {
  EnvironmentOptions out = options;
  const std::uint64_t wanted = source.used_bytes + source.used_bytes / 4 + spare_bytes;
  out.map_bytes = std::max(out.map_bytes, static_cast<std::size_t>(wanted));
  out.map_bytes_max = std::max(out.map_bytes, out.map_bytes_max);
  out.headroom_bytes = 0;
  return out;
}

// Of a copy there is nothing to be unsure about: it is thrown away.
Status commit(WriteTxn txn) {
  const Status done = std::move(txn).commit();
  if (done || done.error().code() != Errc::outcome_unknown) return done;
  return Error(Errc::io, "a copy could not be written", done.error().system_code());
}

}  // namespace

Status copy(const Environment& source, const os::Directory& into, const EnvironmentOptions& options,
            CopyProgress progress) {
  EFFACE_ASSIGN(const Environment::Stats before, source.stats());
  EFFACE_TRY(source.expand(2 * before.used_bytes));
  const EnvironmentOptions sized = sized_for(before, options);
  EFFACE_TRY(Environment::create(into, sized));
  EFFACE_ASSIGN(const Environment target, Environment::open(into, sized));
  EFFACE_ASSIGN(const ReadTxn snapshot, source.read());
  std::optional<WriteTxn> txn;
  std::uint64_t written_bytes = 0;
  std::uint64_t uncommitted_bytes = 0;
  EFFACE_TRY(snapshot.scan({}, {}, [&](ReadTxn::Entry entry) -> Result<Flow> {
    if (!txn) {
      EFFACE_ASSIGN(txn, target.write(Space::removal));
    }
    EFFACE_TRY(txn->append(entry.key, entry.value));
    uncommitted_bytes += entry.key.size() + entry.value.size();
    if (uncommitted_bytes < commit_bytes) return Flow::more;
    EFFACE_TRY(commit(*std::exchange(txn, std::nullopt)));
    written_bytes += std::exchange(uncommitted_bytes, 0);
    EFFACE_TRY(progress(written_bytes));
    return Flow::more;
  }));
  if (txn) EFFACE_TRY(commit(*std::move(txn)));
  EFFACE_TRY(progress(written_bytes + uncommitted_bytes));
  return into.sync();
}

Status copy(const Environment& source, const os::Directory& into,
            const EnvironmentOptions& options) {
  return copy(source, into, options, [](std::uint64_t) -> Status { return {}; });
}

}  // namespace efface::storage
