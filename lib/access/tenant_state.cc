#include "access/tenant_state.h"

#include <algorithm>

#include "base/check.h"

namespace efface::access {

bool TenantState::all_open() const noexcept {
  return std::all_of(regions_.begin(), regions_.end(),
                     [](const TenantRegion& r) { return r.region->open; });
}

Status TenantState::check_here() const {
  if (gone()) return Error(Errc::tenant_unknown, "the tenant has been off-boarded");
  return {};
}

Result<const TenantRegion*> TenantState::region(const RegionState* state) const {
  EFFACE_TRY(check_here());
  for (const TenantRegion& r : regions_) {
    if (r.region.get() != state) continue;
    if (!state->open) return Error(Errc::region_not_open, "the region is not open here");
    return &r;
  }
  return Error(Errc::region_not_permitted, "the tenant was not declared for the region");
}

subjects::Terms TenantState::terms() const {
  std::shared_lock lock(mutex_);
  return terms_;
}

std::optional<subjects::NumberedPurpose> TenantState::purpose(std::string_view name) const {
  std::shared_lock lock(mutex_);
  const auto* found = terms_.find(name);
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::optional<subjects::NumberedPurpose> TenantState::purpose(
    subjects::PurposeNumber number) const {
  std::shared_lock lock(mutex_);
  const auto* found = terms_.find(number);
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

Result<subjects::PurposeNumber> TenantState::declare(const PurposeTerms& purpose) {
  EFFACE_TRY(check_here());
  if (!all_open())
    return Error(Errc::region_not_open, "declaring a purpose needs all of the tenant's regions");
  const std::lock_guard one(declaring_);
  const subjects::Terms before = terms();
  subjects::Terms next = before;
  EFFACE_ASSIGN(const auto number, subjects::add_purpose(next, purpose));
  if (next == before && complete_) return number;
  complete_ = false;
  const codec::Plaintext encoded = subjects::encode(next);
  for (const TenantRegion& r : regions_) {
    EFFACE_ASSIGN(const auto held, r.region->keyring->lock());
    EFFACE_TRY(r.region->keyring->set_terms(held, r.ref, encoded.bytes()));
  }
  std::unique_lock lock(mutex_);
  terms_ = std::move(next);
  complete_ = true;
  return number;
}

}  // namespace efface::access
