// rights/erasure.h -- erasing people and tenants: one operation of the keyring at two heights.
//
// Errors  subject_erased, region_not_open, tenant_unknown, legal_hold; those of Keyring::erase.
#pragma once
#include <span>

#include "rights/file.h"

namespace efface::rights {

// Whoever this is, if she has not been erased since. Errors: subject_erased; legal_hold: it is
// queued, and she is restricted.
Result<Erasure> erase(const Acting& acting, const Person& person, Bytes token = {},
                      const ReceiptOptions& receipt = {});

// All of one region are one epoch. Unknown ids are counted, and people on hold, whose erasure is
// queued. Errors: before anything is erased, region_not_open when one may live where it is not open
// here.
Result<Erasure> erase(const Acting& acting, std::span<const SubjectId> ids, Bytes token = {},
                      const ReceiptOptions& receipt = {});

// Her rows, and those of her further identifiers.
Result<std::vector<keyring::Removal>> removals_of(const Person& person, const keyring::Keys& keys);

// A tenant in all its regions, in two steps.
Result<OffboardPlan> plan_offboarding(const access::TenantState& tenant);
// Errors: conflict, legal_hold.
Result<Erasure> offboard(const Acting& acting, std::string_view token);

}  // namespace efface::rights
