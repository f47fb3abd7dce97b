#include "storage/copy.h"

#include "base/check.h"
#include "storage/filling.h"

namespace efface::storage {

Status copy(const Environment& source, const os::Directory& into, const EnvironmentOptions& options,
            CopyProgress progress) {
  EFFACE_ASSIGN(const Environment::Stats before, source.stats());
  EFFACE_TRY(source.expand(2 * before.used_bytes));
  EFFACE_ASSIGN(Filling target, Filling::begin(into, options, before.used_bytes));
  EFFACE_ASSIGN(const ReadTxn snapshot, source.read());
  std::uint64_t told_bytes = 0;
  EFFACE_TRY(snapshot.scan({}, {}, [&](ReadTxn::Entry entry) -> Result<Flow> {
    EFFACE_ASSIGN(const std::uint64_t bytes, target.add(entry.key, entry.value));
    if (bytes == told_bytes) return Flow::more;
    told_bytes = bytes;
    EFFACE_TRY(progress(bytes));
    return Flow::more;
  }));
  EFFACE_ASSIGN(const std::uint64_t bytes, target.finish());
  EFFACE_TRY(progress(bytes));
  return into.sync();
}

Status copy(const Environment& source, const os::Directory& into,
            const EnvironmentOptions& options) {
  return copy(source, into, options, [](std::uint64_t) -> Status { return {}; });
}

}  // namespace efface::storage
