// os/host.h -- the machine under the store, as far as it bears on what the store promises.
//
// Errors  io, and those of a path that is not there. A system that does not tell is said to be the
//         worse.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "os/file.h"

namespace efface::os {

struct Volume {
  std::uint64_t device = 0;
  FileSystem file_system = FileSystem::unknown;
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // To who is not root.
};
Result<Volume> volume_of(const std::filesystem::path& path);

// Whether anyone but this user may enter the directory, or read or write a file below it. Follows
// no symlink; one is such an opening itself.
Result<bool> is_open_to_others(const std::filesystem::path& directory);

// Of this boot and this namespace of process ids: where two processes differ in it, neither can
// tell whether the other lives.
Result<std::string> process_namespace();

// Whether a crash of this process leaves its memory in a file, or with a program that takes it.
bool may_dump_core() noexcept;
// Whether the system has swap in use. Nothing: it does not tell.
std::optional<bool> has_swap();

}  // namespace efface::os
