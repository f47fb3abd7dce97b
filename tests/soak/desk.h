// soak/desk.h -- a tenant from its first day to its last, with every right used on its people: one
// process's part in the soak, while others write, read, erase and die.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "processes/shared_store.h"

namespace efface::test {

// What went wrong, or nothing. home: for a backup, which is removed again.
std::string run_a_tenant(Store& store, std::uint64_t number, const std::filesystem::path& home);

}  // namespace efface::test
