// rights/reclaim.h -- giving back the space of the erased. Their secrecy never depends on it.
//
// Errors  Those of the stores; what was done before stays done, and a later call goes on.
#pragma once
#include "access/region.h"
#include "base/progress.h"

namespace efface::rights {

// Works off the region's queue, and finishes a destruction that a root key store left pending.
// Counted are entries, and for each commits beyond the first.
Status reclaim(access::RegionState& region, const MaintainOptions& options, Maintained& into,
               base::Reached& reached);

}  // namespace efface::rights
