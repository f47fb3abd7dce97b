// rights/suppression.h -- refusing to know a person: tombstones in every region of the tenant.
//
// A tombstone is a row with a tag and nothing else. The tombstones come first, then the erasure at
// home: whatever happens in between, she is not written any more.
#pragma once
#include "rights/file.h"

namespace efface::rights {

Result<Erasure> suppress(const Acting& acting, SubjectId id, const ReceiptOptions& receipt = {});
// Errors: subject_unknown when she is not suppressed.
Status reinstate(const Acting& acting, SubjectId id, std::string_view reason);

}  // namespace efface::rights
