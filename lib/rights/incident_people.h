// rights/incident_people.h -- who of a tenant is there today and was there by a time, and what of
// her.
//
// By the time that stands sealed with her id; who was merged into somebody else brings her records'
// times. A record that was written since does not say whether it replaced another: then it is
// perhaps, if anything of the scope was ever overwritten, removed or re-keyed.
//
// Errors  transfer_not_permitted; those of the stores.
#pragma once
#include <map>

#include "access/people.h"

namespace efface::rights {

struct PersonWithin {
  const access::Person& person;
  struct Found {
    std::uint64_t records = 0;  // That were written by then.
    bool perhaps = false;
  };
  std::map<subjects::PurposeNumber, Found> purposes{};
};

// Once each. look must not re-key a scope (Shred::now, maintain).
Status each_person_within(const std::shared_ptr<access::TenantState>& tenant,
                          const access::TenantRegion& home, TimePoint until,
                          FunctionRef<Result<Flow>(const PersonWithin&)> look);

}  // namespace efface::rights
