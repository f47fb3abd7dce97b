// rights/incident.h -- the register of incidents [33(5)].
//
// An incident stands in the keyring of the first of its regions, by name, sealed under a key of the
// region's own; its number tells which region that is. Each change is entered in the ledger there,
// in one commit, and then in those of its other regions.
//
// Errors  incident_unknown; region_not_open: its region is not; those of the keyring.
#pragma once
#include <string_view>
#include <vector>

#include "access/site.h"
#include "rights/incident_record.h"

namespace efface::rights {

// Errors: invalid_argument, too_large, tenant_unknown, region_unknown, region_not_open.
Result<IncidentNumber> open_incident(const access::Site& site, const IncidentTerms& terms,
                                     std::string_view actor);
Result<Incident> find_incident(const access::Site& site, IncidentNumber number);
// Of the regions that are open, by number.
Result<std::vector<Incident>> incidents(const access::Site& site);

// Errors: conflict when it is closed; invalid_argument, too_large.
Status update_incident(const access::Site& site, IncidentNumber number, std::string_view text,
                       std::string_view actor);
// The first time stays.
Status note_notified(const access::Site& site, IncidentNumber number, Audience audience,
                     std::optional<TimePoint> when, std::string_view actor);
Status close_incident(const access::Site& site, IncidentNumber number, std::string_view actor);

// Tells on_incident of what it has not taken yet, for each tenant.
Status tell_incidents(const access::Site& site);

}  // namespace efface::rights
