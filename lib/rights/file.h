// rights/file.h -- a decision about one person: read, decided and written under her keyring's lock,
// her rows and her file in one commit.
//
// Errors  subject_erased; those of the keyring.
#pragma once
#include <string_view>

#include "access/people.h"
#include "subjects/dossier.h"

namespace efface::rights {

using access::Person;
using subjects::DossierFile;

// Who acts, in which tenant.
struct Acting {
  std::shared_ptr<access::TenantState> tenant;
  std::string_view actor;
};

// What is known when it is decided.
struct OnFile {
  keyring::SharedKeys keys;
  DossierFile dossier;

  const keyring::Row& person() const noexcept { return *keys->find(keyring::person); }
  bool has(std::uint16_t flag) const noexcept { return (person().flags & flag) != 0; }
};

// What is being transferred must not change: errors: transfer_pending.
Status check_stays(const OnFile& on_file);

// Errors: subject_unknown (another tenant's), subject_erased.
Result<OnFile> read_file(const Acting& acting, const Person& person);

// Lets decide() look at what stands, add to the dossier and say which rows change; then commits
// both. When it has answered, nothing that was allowed before is on its way to the records. Errors:
// transfer_pending.
Status amend_person(const Acting& acting, const Person& person,
                    FunctionRef<Status(OnFile&, keyring::Amend&)> decide);

// A removal of rows of hers, refused when she was erased since.
keyring::Removal removal_of(const Person& person, keyring::Removal::What what);

// Into `into`: what one region's erasure did. Answers its error.
Status count(const access::TenantRegion& home, std::span<const keyring::Removal> removals,
             const Result<keyring::ErasureOutcome>& outcome, Erasure& into);

}  // namespace efface::rights
