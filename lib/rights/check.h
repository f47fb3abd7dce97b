// rights/check.h -- does everything in the open regions of a store verify?
//
// Threads  While the store is used: what changes meanwhile is looked at again before it is called
//          damaged, and may be counted twice. A keyring is read in one snapshot, records scope by
//          scope.
// Errors   Those that keep it from looking.
#pragma once
#include <functional>

#include "access/site.h"
#include "efface/doctor.h"

namespace efface::rights {

Result<CheckReport> check(const access::Site& site,
                          const std::function<void(std::uint64_t)>& progress);

}  // namespace efface::rights
