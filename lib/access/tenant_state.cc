#include "access/tenant_state.h"

#include <algorithm>

#include "access/processes.h"
#include "base/check.h"

namespace efface::access {

TenantState::~TenantState() {
  for (const TenantRegion& home : regions_)
    if (home.region->open) home.region->vault->let_go(this);
}

bool TenantState::all_open() const noexcept {
  return std::all_of(regions_.begin(), regions_.end(),
                     [](const TenantRegion& r) { return r.region->open; });
}

Status TenantState::look_for_others() const {
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    const TenantRegion& home = regions_[i];
    if (!home.region->open || home.region->processes == nullptr || home.ref.number == 0) continue;
    const std::uint64_t now = home.region->keyring->removals();
    {
      std::shared_lock lock(mutex_);
      if (seen_[i] == now) continue;
    }
    const auto stored = home.region->keyring->terms_of(home.ref);
    if (!stored && stored.error().code() == Errc::tenant_unknown) {
      gone_.store(true, std::memory_order_release);
      return {};
    }
    EFFACE_TRY(stored);
    EFFACE_ASSIGN(const subjects::Terms theirs, subjects::decode_terms(*stored));
    std::unique_lock lock(mutex_);
    // Of two that change them at once the one has the lock of all, so the longer is the later.
    if (theirs.purposes.size() >= terms_.purposes.size()) terms_ = theirs;
    seen_[i] = now;
  }
  return {};
}

Status TenantState::check_here() const {
  EFFACE_TRY(look_for_others());
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

Result<LegalBasis> TenantState::basis_of(subjects::PurposeNumber number) const {
  std::shared_lock lock(mutex_);
  const auto* found = terms_.find(number);
  if (found == nullptr) return Error(Errc::corruption, "a scope is of a purpose that never was");
  return found->terms.basis;
}

Status TenantState::check_residency(const TenantRegion& home) const {
  const std::string& here = setting_.processing_region;
  if (here.empty() || here == home.region->name) return {};
  std::shared_lock lock(mutex_);
  for (const TransferRule& rule : terms_.transfers)
    if (rule.from == home.region->name && rule.to == here) return {};
  return Error(Errc::transfer_not_permitted, "no transfer rule lets the person be read from here");
}

Status TenantState::check_agreement() const {
  if (!setting_.require_agreement) return {};
  std::shared_lock lock(mutex_);
  if (terms_.agreement) return {};
  return Error(Errc::agreement_missing, "the tenant has no processing agreement on record");
}

void TenantState::begin_move(const keyring::Handle& person) {
  const std::lock_guard lock(moving_mutex_);
  moving_.insert(person);
}

void TenantState::end_move(const keyring::Handle& person) {
  const std::lock_guard lock(moving_mutex_);
  moving_.erase(person);
  ++moves_;
}

bool TenantState::is_moving(const keyring::Handle& person) const {
  const std::lock_guard lock(moving_mutex_);
  return moving_.contains(person);
}

std::optional<std::uint64_t> TenantState::moves() const {
  for (const TenantRegion& home : regions_)
    if (home.region->open && somebody_moves_elsewhere(*home.region)) return std::nullopt;
  const std::lock_guard lock(moving_mutex_);
  return moving_.empty() ? std::optional(moves_) : std::nullopt;
}

Result<subjects::PurposeNumber> TenantState::declare(const PurposeTerms& purpose,
                                                     std::string_view actor) {
  subjects::PurposeNumber number = 0;
  EFFACE_TRY(change_terms(actor, [&](subjects::Terms& terms) -> Status {
    EFFACE_ASSIGN(number, subjects::add_purpose(terms, purpose));
    return {};
  }));
  return number;
}

namespace {

// What of the terms changed, for the ledger.
std::vector<ledger::Entry> decisions_between(const subjects::Terms& before,
                                             const subjects::Terms& next, std::string_view actor) {
  std::vector<ledger::Entry> decisions;
  const auto add = [&](ledger::Kind kind, std::string_view detail) -> ledger::Entry& {
    ledger::Entry& entry = decisions.emplace_back();
    entry.kind = kind;
    entry.actor = actor;
    entry.detail = detail;
    return entry;
  };
  for (std::size_t i = before.purposes.size(); i < next.purposes.size(); ++i)
    add(ledger::Kind::purpose_declared, "").purpose = next.purposes[i].number;
  if (next.transfers != before.transfers) add(ledger::Kind::configured, "transfer-rule");
  if (next.agreement != before.agreement) add(ledger::Kind::configured, "agreement");
  return decisions;
}

}  // namespace

Status TenantState::change_terms(std::string_view actor,
                                 FunctionRef<Status(subjects::Terms&)> change) {
  EFFACE_TRY(check_here());
  if (!all_open())
    return Error(Errc::region_not_open, "changing a tenant's terms needs all of its regions");
  const std::lock_guard one(declaring_);
  std::vector<keyring::Keyring::Lock> held;  // Of all processes, before the terms are read.
  for (const TenantRegion& r : regions_) {
    EFFACE_ASSIGN(auto lock, r.region->keyring->lock());
    held.push_back(std::move(lock));
  }
  EFFACE_TRY(check_here());
  const subjects::Terms before = terms();
  subjects::Terms next = before;
  EFFACE_TRY(change(next));
  if (next == before && complete_) return {};
  complete_ = false;
  const codec::Plaintext encoded = subjects::encode(next);
  const std::vector<ledger::Entry> decisions = decisions_between(before, next, actor);
  for (std::size_t i = 0; i < regions_.size(); ++i)
    EFFACE_TRY(regions_[i].region->keyring->set_terms(held[i], regions_[i].ref, encoded.bytes(),
                                                      decisions));
  std::unique_lock lock(mutex_);
  terms_ = std::move(next);
  complete_ = true;
  return {};
}

}  // namespace efface::access
