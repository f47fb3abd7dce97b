// tools/mirrors.h -- --mirror [REGION=]DIR: where keyrings are mirrored. REGION= is taken for a
// region when it is a label; a bare DIR goes to the only region that is opened.
#pragma once
#include <string>
#include <vector>

#include "efface/store.h"

namespace efface::cli {

// As EFFACE_MIRROR has them: several separated by ':'.
std::vector<std::string> split_mirrors(const std::string& text);

// Errors: usage.
void add_mirrors(const std::vector<std::string>& given, std::vector<RegionOptions>& regions);

}  // namespace efface::cli
