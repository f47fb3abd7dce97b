// access/custody.h -- changing where the root key of a region is kept.
#pragma once
#include "access/region.h"

namespace efface::access {

// Errors: region_not_open; those of Keyring::rotate_root.
Result<Erasure::InRegion> rotate_root(RegionState& region, std::string_view actor);
// Errors: unsafe_path; assurance_too_low; those of Keyring::migrate_root.
Result<Erasure::InRegion> migrate_root(RegionState& region, RootKeyStore& to,
                                       const MigrateRootOptions& options, std::string_view actor);
Status retire_root(RegionState& region, RootKeyStore& left);

// That none of them is within: a copy of the data would have both.
Status check_outside(const RootKeyStore& root_keys, const std::filesystem::path& directory);
// Errors: assurance_too_low when it is L0 and that was not accepted.
Status check_assurance(const RootKeyStore& root_keys, bool accept_l0);

}  // namespace efface::access
