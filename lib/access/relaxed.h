// access/relaxed.h -- writes that are acknowledged ahead of their commit (Durability::relaxed).
//
// Decided and sealed as any other, a batch waits in its region's queue (records/queue.h) for the
// next commit. That decides again, under the records lock, and seals what the summaries of all that
// waited have to say, once for each scope.
//
// Lifetime  What waits knows its tenant, and does not keep it: a tenant's state that goes commits
//           it before (~TenantState).
#pragma once
#include "access/access.h"

namespace efface::access {

// False: writes are as they were, and to be committed: there is no room, nothing may wait now, or a
// scope's summary does not name all whom they are disclosed to. Errors: as still_valid and
// seal_summaries.
Result<bool> leave_waiting(const Activity& activity, const TenantRegion& region,
                           SealedWrites& writes);

// The vault's Vault::Prepare.
Status prepare_waiting(std::span<records::Waiting* const> all,
                       std::vector<records::Change>& beside);

}  // namespace efface::access
