// os/preallocate.h -- blocks that are a file's own before anything is written there, so that a full
// file system does not refuse what comes next.
//
// Errors  no_space; those of os/file.h. Where the file system has no such call: done, and nothing
//         is set aside.
// Source  fallocate(2), FALLOC_FL_KEEP_SIZE: the file stays as long as it is. On a file system that
//         copies on write (btrfs) overwriting still takes new blocks.
#pragma once
#include <cstdint>

#include "efface/result.h"

namespace efface::os {

Status preallocate(int fd, std::uint64_t end) noexcept;  // Everything before that offset.

// How much of the file system the file holds: set aside or written, holes left out. 0: unknown.
std::uint64_t allocated_bytes(int fd) noexcept;

}  // namespace efface::os
