// tools/per_region.h -- what a command line gives a region besides its root keys.
//
// Shape   --mirror [REGION=]DIR, --ledger-copy [REGION=]FILE, --witness [REGION=]FILE. REGION= is
//         taken for a region when it is a label; a bare path goes to the only region that is
//         opened.
// Errors  usage; of a witness those of reading it.
#pragma once
#include <string>
#include <vector>

#include "efface/store.h"

namespace efface::cli {

struct Common;

// As EFFACE_MIRROR and the others have them: several separated by ':'.
std::vector<std::string> split_paths(const std::string& text);

void add_per_region(const Common& common, std::vector<RegionOptions>& regions);

// The text of a checkpoint, a receipt or a proof. Errors: too_large.
std::string note_of(const std::string& path);

}  // namespace efface::cli
