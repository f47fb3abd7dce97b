#include "access/custody.h"

#include "base/check.h"

namespace efface::access {
namespace {

Status check_open(const RegionState& region) {
  if (region.open) return {};
  return Error(Errc::region_not_open, "the region is not open here");
}

Erasure::InRegion told(const RegionState& region, const keyring::ErasureOutcome& outcome) {
  return {region.name, outcome.epoch_before, outcome.epoch_after, outcome.assurance};
}

}  // namespace

Status check_outside(const RootKeyStore& root_keys, const std::filesystem::path& directory) {
  EFFACE_ASSIGN(const bool inside, root_keys.lies_within(directory.string()));
  if (inside)
    return Error(Errc::unsafe_path,
                 "the root keys lie inside the data: a copy of it would have both");
  return {};
}

Status check_assurance(const RootKeyStore& root_keys, bool accept_l0) {
  if (root_keys.assurance().level == AssuranceLevel::l0_logical && !accept_l0)
    return Error(Errc::assurance_too_low,
                 "the root key store destroys only logically (L0), which was not accepted");
  return {};
}

Result<Erasure::InRegion> rotate_root(RegionState& region, std::string_view actor) {
  EFFACE_TRY(check_open(region));
  ledger::Entry decision;
  decision.kind = ledger::Kind::configured;
  decision.actor = actor;
  decision.detail = "root key rotated";
  EFFACE_ASSIGN(const keyring::ErasureOutcome outcome, region.keyring->rotate_root(decision));
  return told(region, outcome);
}

Result<Erasure::InRegion> migrate_root(RegionState& region, RootKeyStore& to,
                                       const MigrateRootOptions& options, std::string_view actor) {
  EFFACE_TRY(check_open(region));
  if (region.processes != nullptr)
    return Error(Errc::unsupported, "custody moves while one process alone has the region open");
  EFFACE_TRY(check_assurance(to, region.accept_l0));
  for (const std::filesystem::path& directory : region.apart)
    EFFACE_TRY(check_outside(to, directory));
  ledger::Entry decision;
  decision.kind = ledger::Kind::root_migrated;
  decision.actor = actor;
  if (options.accept_lost) decision.detail = "accepting that of the store left a part is lost";
  EFFACE_ASSIGN(const keyring::ErasureOutcome outcome,
                region.keyring->migrate_root({to, options.accept_lost}, decision));
  return told(region, outcome);
}

Status retire_root(RegionState& region, RootKeyStore& left) {
  EFFACE_TRY(check_open(region));
  return region.keyring->retire_root(left);
}

}  // namespace efface::access
