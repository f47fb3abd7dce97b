// The methods of Store and Tenant that speak of the ledger.
#include "api/handles.h"
#include "base/check.h"
#include "rights/decision.h"
#include "rights/receipt.h"

namespace efface {

using internal::Access;

namespace {

Result<internal::RegionState*> checked(const access::Site& site, const Region& region) {
  for (const auto& known : site.regions()) {
    if (known != Access::region(region)) continue;
    if (!known->open) return Error(Errc::region_not_open, "the region is not open here");
    return known.get();
  }
  return Error(Errc::region_unknown, "the region belongs to another store");
}

}  // namespace

Result<std::string> Store::verifier_key(const Region& region) const {
  return api::call(*state_, "Store::verifier_key", [&]() -> Result<std::string> {
    EFFACE_ASSIGN(auto* state, checked(*state_->site, region));
    return rights::verifier_key(*state);
  });
}

Result<std::string> Store::checkpoint(const Region& region) const {
  return api::call(*state_, "Store::checkpoint", [&]() -> Result<std::string> {
    EFFACE_ASSIGN(auto* state, checked(*state_->site, region));
    return rights::checkpoint(*state);
  });
}

Result<std::string> Store::consistency_proof(const Region& region, std::string_view before) const {
  return api::call(*state_, "Store::consistency_proof", [&]() -> Result<std::string> {
    EFFACE_ASSIGN(auto* state, checked(*state_->site, region));
    return rights::consistency_proof(*state, before);
  });
}

Result<std::string> Store::receipt(const ReceiptTicket& ticket) const {
  return api::call(*state_, "Store::receipt", [&]() -> Result<std::string> {
    EFFACE_ASSIGN(const Region found, region(ticket.region));
    EFFACE_ASSIGN(auto* state, checked(*state_->site, found));
    return rights::receipt(*state, ticket.entry, state_->site->tenants(), rights::Silo::open,
                           state_->site->now());
  });
}

Status Store::each_decision(const Region& region, std::uint64_t first,
                            FunctionRef<Flow(const Decision&)> look) const {
  return api::call(*state_, "Store::each_decision", [&]() -> Status {
    EFFACE_ASSIGN(auto* state, checked(*state_->site, region));
    return rights::each_decision(
        *state, first, [&](const Decision& decision) -> Result<Flow> { return look(decision); });
  });
}

Result<std::string> Tenant::receipt(const ReceiptTicket& ticket) const {
  return api::call(*state_, "Tenant::receipt", [&]() -> Result<std::string> {
    EFFACE_TRY(state_->tenant->check_here());
    for (const access::TenantRegion& home : state_->tenant->regions()) {
      if (home.region->name != ticket.region) continue;
      if (!home.region->open) return Error(Errc::region_not_open, "the region is not open here");
      return rights::receipt(*home.region, ticket.entry, {&state_->tenant, 1}, rights::Silo::closed,
                             state_->tenant->now());
    }
    return Error(Errc::receipt_unknown, "the tenant is not in that region");
  });
}

Result<std::string> Tenant::receipt(Bytes request) const {
  return api::call(*state_, "Tenant::receipt", [&]() -> Result<std::string> {
    EFFACE_TRY(state_->tenant->check_here());
    EFFACE_ASSIGN(const auto ticket, rights::made_by(*state_->tenant, {request, {}}));
    if (!ticket) return Error(Errc::receipt_unknown, "nothing was done for that request");
    return receipt(*ticket);
  });
}

}  // namespace efface
