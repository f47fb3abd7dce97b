// rights/incident_record.h -- an incident as the register keeps it, as bytes.
//
// Shape   docs/format/incident.md.
// Errors  corruption: not an incident. format_new: of a later version.
#pragma once
#include <string>
#include <vector>

#include "codec/plaintext.h"
#include "efface/incident.h"
#include "efface/result.h"

namespace efface::rights {

struct IncidentRecord {
  Incident incident;       // But for its number, the deadline and what is left until it.
  std::vector<bool> told;  // Whether on_incident has taken it, for each of its tenants.
};

std::vector<std::byte> encode(const IncidentRecord& record);
Result<IncidentRecord> decode_incident(Bytes bytes);

}  // namespace efface::rights
