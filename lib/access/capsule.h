// access/capsule.h -- writing a recovery capsule to a file, and bringing back what is in one.
//
// Shape   docs/format/capsule.md.
// Errors  Those of the sealed stream, of os/file.h and of keyring/capsule.h.
#pragma once
#include "access/site.h"
#include "crypto/sealed_stream.h"
#include "efface/capsule.h"

namespace efface::access {

// All or nothing: made as TARGET.new, and renamed when it is whole and synced.
Result<CapsuleReport> make_capsule(const Site& site, RegionState& region,
                                   const CapsuleOptions& options, std::string_view actor);

struct SealedCapsule {
  std::string_view region;
  const std::filesystem::path& path;
  const crypto::RecipientKeys& keys;
  std::string_view verifier_key;
};
// Before the store opens. Errors: see Store::restore.
Status bring_back(const OpenOptions& options, const SealedCapsule& capsule);

}  // namespace efface::access
