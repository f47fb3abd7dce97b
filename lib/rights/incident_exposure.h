// rights/incident_exposure.h -- what could be read of whom [33(3), 34(2)]: from the ledger, who was
// there and has gone; from the key trees and the records, who is there.
//
// The ledger counts everyone who came and went, and names nobody. Whoever is there today was there
// in the window if she was enrolled by its end; so those who were there and have gone are the rest.
//
// Cost    One pass over the ledger of each region, then every record of every person is opened.
// Errors  incident_unknown, transfer_not_permitted; those of the stores.
#pragma once
#include <map>
#include <span>

#include "access/site.h"
#include "efface/incident.h"

namespace efface::rights {

Result<Exposure> exposure(const access::Site& site, const Incident& incident,
                          FunctionRef<void(const TenantExposure&)> each);

// Of one of its tenants. Errors: incident_unknown when it does not concern the tenant.
Result<TenantExposure> exposure_of(const std::shared_ptr<access::TenantState>& tenant,
                                   const Incident& incident);

// Who of the tenant is there today, and was within the window, with her purposes. Nobody, when
// nothing can be read.
Status each_concerned(
    const std::shared_ptr<access::TenantState>& tenant, const Incident& incident,
    FunctionRef<Flow(std::string_view id, std::span<const std::string_view> purposes)> look);

}  // namespace efface::rights
