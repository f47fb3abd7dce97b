// rights/erasure.h -- erasing people and tenants: one operation of the keyring at two heights.
//
// Errors  subject_erased, region_not_open, tenant_unknown; those of Keyring::erase.
#pragma once
#include <span>

#include "access/people.h"

namespace efface::rights {

// Whoever this is, if she has not been erased since. Errors: subject_erased.
Result<Erasure> erase(const access::Person& person);

// All of one region are one epoch. Unknown ids are counted. Errors: before anything is erased,
// region_not_open when one may live where it is not open here.
Result<Erasure> erase(const std::shared_ptr<access::TenantState>& tenant,
                      std::span<const SubjectId> ids);

// A tenant in all its regions.
Result<Erasure> offboard(const std::shared_ptr<access::TenantState>& tenant);

}  // namespace efface::rights
