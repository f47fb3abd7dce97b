// rights/notice.h -- telling services that somebody was erased, so that they drop what they derived
// [19].
//
// A caller's token is stored in the erasure's own transaction, sealed under a key of the tenant,
// and goes when the callback has answered: at least once, also after a crash.
//
// Errors  too_large; those of the keyring.
#pragma once
#include "access/tenant_state.h"

namespace efface::rights {

// Nothing when there is no token.
Result<std::vector<std::byte>> seal_notice(const access::TenantRegion& home, Bytes token);

// Tells what waits, if there is anybody to be told and no destruction is pending. Answers how many
// still wait.
Result<std::size_t> tell(const access::TenantState& tenant);

}  // namespace efface::rights
