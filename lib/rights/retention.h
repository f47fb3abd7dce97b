// rights/retention.h -- what time makes due in one region [5(1)(e)]: expired days, ended holds,
// residue.
//
// A day is destroyed by the keys of its buckets, in one re-keying for all tenants of the region,
// however many records there are. Held people's records are sealed anew under their hold's key
// first. A clock that jumps does not shred: the high-water mark says up to which day this was done
// last; further days than a bound after it are destroyed only when a plan is confirmed.
//
// Errors  Those of the stores; what was done before stays done, and a later call goes on.
#pragma once
#include "access/site.h"
#include "base/progress.h"

namespace efface::rights {

using Tenants = std::span<const std::shared_ptr<access::TenantState>>;

// Over all open regions.
Result<ExpiryPlan> plan_expiry(Tenants tenants);
// How many days of one region are over and not destroyed.
Result<std::uint64_t> expired_days(Tenants tenants, const access::RegionState& region);
// Destroys what is due. Errors: conflict when the token is of another plan.
Status expire(Tenants tenants, const MaintainOptions& options, Maintained& into);
Status expire_planned(Tenants tenants, std::string_view token, const MaintainOptions& options,
                      Maintained& into);

Status end_holds(Tenants tenants, Maintained& into);
// What several people shared and nobody can open any more.
Status sweep_shared(Tenants tenants, const MaintainOptions& options, Maintained& into);
// Counted are scopes.
Status shred_residue(Tenants tenants, const MaintainOptions& options, Maintained& into,
                     base::Reached& reached);

}  // namespace efface::rights
