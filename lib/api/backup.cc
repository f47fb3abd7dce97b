#include "efface/backup.h"

#include "access/backup.h"
#include "api/handles.h"
#include "base/check.h"
#include "rights/restore.h"

namespace efface {

Result<BackupReport> Store::backup(const BackupOptions& options) const {
  return api::guarded([&] { return access::back_up(*state_->site, options); });
}

Result<RestoreReport> Store::restore(const OpenOptions& options, const RestoreOptions& restore) {
  return api::guarded([&] { return rights::restore(options, restore); });
}

Result<BackupReport> Store::verify_backup(const std::filesystem::path& backup) {
  return api::guarded([&]() -> Result<BackupReport> {
    EFFACE_TRY(crypto::initialise());
    EFFACE_ASSIGN(const os::Directory directory, os::Directory::open(backup));
    EFFACE_ASSIGN(const codec::BackupFields fields, access::verify_backup(directory));
    return access::report_of(fields);
  });
}

}  // namespace efface
