// os/truncate.h -- cutting off the end of a file.
//
// Errors  As os/file.h.
#pragma once
#include "os/file.h"

namespace efface::os {

Status truncate(const File& file, std::uint64_t size);

}  // namespace efface::os
