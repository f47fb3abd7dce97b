// storage/copy.h -- a whole environment, written anew somewhere else while it is in use.
//
// Entry by entry, in key order, from one snapshot: pages are full, and no byte of what was removed
// or overwritten before comes along, as it would with LMDB's own copies, which take the tails of
// overflow pages as they are and refuse a file that lost a page.
//
// Threads  Beside any reader or writer of the source. Its map cannot grow meanwhile, so it is grown
//          ahead; and pages that are freed meanwhile wait for the end.
// Errors   Those of both environments; exists where `into` holds one; what progress answers. After
//          an error, or a crash, `into` is to be thrown away.
// Cost     Reads and writes every entry; a durable commit for each 16 MiB.
#pragma once
#include <cstdint>

#include "efface/bytes.h"
#include "efface/result.h"
#include "os/file.h"
#include "storage/environment.h"

namespace efface::storage {

// Told how many bytes of keys and values are written.
using CopyProgress = FunctionRef<Status(std::uint64_t bytes)>;

// Makes an environment in `into`, an empty directory: data.mdb and lock.mdb, 0600, synced.
Status copy(const Environment& source, const os::Directory& into, const EnvironmentOptions& options,
            CopyProgress progress);
Status copy(const Environment& source, const os::Directory& into,
            const EnvironmentOptions& options);

}  // namespace efface::storage
