// access/put_back.h -- putting the records of a backup where the store looks for them.
//
// Errors  Those of verify_backup; region_mismatch: the backup is of another store.
#pragma once
#include <string>
#include <vector>

#include "access/site.h"
#include "base/progress.h"
#include "efface/restore.h"

namespace efface::access {

// Answers the names of the regions whose records it replaced. Those that were there go when the new
// ones are in place, durably; a crash leaves the old or the new ones, and doing it again is right.
Result<std::vector<std::string>> put_records_back(const OpenOptions& options,
                                                  const RestoreOptions& restore,
                                                  base::Reached& reached);

}  // namespace efface::access
