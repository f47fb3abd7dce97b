// access/backup.h -- making a backup of the records of a store, and looking whether it is whole.
//
// Shape   docs/format/backup.md.
#pragma once
#include <filesystem>

#include "access/site.h"
#include "base/progress.h"
#include "codec/backup_codec.h"
#include "efface/backup.h"

namespace efface::access {

// All or nothing: it is made beside the target, as TARGET.new, and renamed when it is whole and
// synced. Errors: exists; invalid_argument; unsafe_path (the target lies inside the data);
// no_space; those of os/file.h and of storage/copy.h.
Result<BackupReport> back_up(const Site& site, const BackupOptions& options);

// Reads all of it and opens nothing of it with LMDB. Errors: corruption: it is not what was
// written, or a part is missing; store_missing: there is nothing; unsafe_path; format_new; io.
// Counted are bytes of records; here each is gone through twice.
Result<codec::BackupFields> verify_backup(const os::Directory& backup, base::Reached& reached);

BackupReport report_of(const codec::BackupFields& fields);

}  // namespace efface::access
