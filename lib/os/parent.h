// os/parent.h -- the directory that a file of ours lies in when that directory need not be ours
// alone: a key file in /etc/efface, say.
//
// Shape   Symlinks on the way are followed once, by realpath; then every component is opened from
// its
//         parent's descriptor and looked at.
// Errors  unsafe_path: some directory on the way is writable for group or others and not sticky, or
//         the last one belongs neither to us nor to root. Those of os/file.h.
#pragma once
#include <filesystem>

#include "os/file.h"

namespace efface::os {

// What is created in it or opened from it is checked as strictly as anywhere (File).
Result<Directory> open_parent_of(const std::filesystem::path& path);

}  // namespace efface::os
