#include "efface/backup.h"

#include "access/backup.h"
#include "access/capsule.h"
#include "api/handles.h"
#include "base/check.h"
#include "rights/restore.h"

namespace efface {

Result<BackupReport> Store::backup(const BackupOptions& options) const {
  return api::call(*state_, "Store::backup",
                   [&] { return access::back_up(*state_->site, options); });
}

Result<CapsuleReport> Store::make_capsule(const Region& region, const CapsuleOptions& options,
                                          Actor actor) const {
  return api::call(*state_, "Store::make_capsule", [&] {
    return access::make_capsule(*state_->site, *internal::Access::region(region), options,
                                actor.text);
  });
}

Result<RestoreReport> Store::restore(const OpenOptions& options, const RestoreOptions& restore) {
  return api::call_with(options, "Store::restore", [&](const auto&) -> Result<RestoreReport> {
    EFFACE_TRY(crypto::initialise());
    std::vector<access::SealedCapsule> capsules;
    for (const Capsule& capsule : restore.capsules) {
      if (capsule.keys == nullptr)
        return Error(Errc::invalid_argument, "a capsule opens with the keys it was sealed to");
      EFFACE_ASSIGN(const crypto::RecipientKeys* keys, api::recipient_keys(*capsule.keys));
      capsules.push_back({capsule.region, capsule.path, *keys, capsule.verifier_key});
    }
    return rights::restore(options, restore, capsules);
  });
}

Result<BackupReport> Store::verify_backup(const std::filesystem::path& backup) {
  return verify_backup(backup, {});
}

Result<BackupReport> Store::verify_backup(const std::filesystem::path& backup,
                                          const OnProgress& progress) {
  return api::guarded([&]() -> Result<BackupReport> {
    EFFACE_TRY(crypto::initialise());
    EFFACE_ASSIGN(const os::Directory directory, os::Directory::open(backup));
    base::Reached reached(progress, 2);
    EFFACE_ASSIGN(const codec::BackupFields fields, access::verify_backup(directory, reached));
    reached.end();
    return access::report_of(fields);
  });
}

}  // namespace efface
