// rights/incident_text.h -- what a controller tells the authority [33(3)] and the people [34(2)]:
// plain text, with what only the controller knows left to fill in, in square brackets.
//
// Says how many and of what kind, never who; and nothing of another tenant.
#pragma once
#include <string>

#include "efface/incident.h"

namespace efface::rights {

std::string notification(const Incident& incident, const TenantExposure& exposure,
                         Audience audience);

}  // namespace efface::rights
