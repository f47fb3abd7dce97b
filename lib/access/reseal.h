// access/reseal.h -- sealing anew what lives, so that what it was sealed under can be destroyed:
// scopes with residue, and records that a legal hold keeps past their day.
//
// Errors  Those of the stores; what was done before stays done, and a later call goes on.
#pragma once
#include "access/access.h"

namespace efface::access {

// Some person's scope, as a walk of her tree found it.
struct ScopePlace {
  keyring::Tag tag{};
  keyring::Label purpose = 0;
};

// Gives each scope a successor, moves its records there in bounded transactions, and destroys the
// old keys, all in one epoch. A crash in between leaves both readable; a later call goes on.
// Answers how many were re-keyed: one that is gone meanwhile is passed over.
Result<std::size_t> rekey(const std::shared_ptr<TenantState>& tenant, const TenantRegion& home,
                          std::span<const ScopePlace> scopes, std::size_t records_per_commit_max);

// Seals the records of a held person that expire on those days or before under her hold's key.
// Answers how many. held: her keyring's lock may be held or not.
Result<std::size_t> keep_by_hold(const std::shared_ptr<TenantState>& tenant,
                                 const TenantRegion& home, const keyring::Tag& tag,
                                 records::Bucket last_day, std::size_t records_per_commit_max);

// Removes what nobody can open: the records of a person's scopes that only a released hold kept.
Result<std::size_t> drop_kept(const Person& person, std::size_t records_per_commit_max);

}  // namespace efface::access
