// rights/receipt.h -- the ledger of a region as auditors get it: checkpoints, proofs, receipts.
//
// A receipt is signed after the fact and says what is so by then; asked for again, later, it says
// how much further it came. What an entry says itself never changes.
//
// Errors  receipt_unknown: no such entry, or one that no receipt is made of, or another tenant's.
//         erase_pending: a root key store has not confirmed yet.
#pragma once
#include "rights/file.h"

namespace efface::rights {

using access::RegionState;

Result<std::string> verifier_key(RegionState& region);
Result<std::string> checkpoint(RegionState& region);
// Errors: corruption when the earlier one is not this region's.
Result<std::string> consistency_proof(RegionState& region, std::string_view checkpoint_before);

enum class Silo : bool { open, closed };  // Whether the entry may be of none of the tenants.
Result<std::string> receipt(RegionState& region, std::uint64_t entry,
                            std::span<const std::shared_ptr<access::TenantState>> tenants,
                            Silo silo, TimePoint now);

Status each_decision(RegionState& region, std::uint64_t first,
                     FunctionRef<Result<Flow>(const Decision&)> look);

}  // namespace efface::rights
