// access/sighting.h -- what one region knows of an id. Private to this folder.
#pragma once
#include "access/people.h"

namespace efface::access {

struct Sighting {
  std::optional<Person> person;
  bool incoming = false;    // She is on her way here: where she comes from decides.
  bool moving = false;      // She is on her way from here.
  bool suppressed = false;  // A tombstone.
};

Result<Sighting> look_in(const std::shared_ptr<TenantState>& tenant, const TenantRegion& region,
                         SubjectId id);

}  // namespace efface::access
