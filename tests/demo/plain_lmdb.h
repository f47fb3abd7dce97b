// demo/plain_lmdb.h -- the control: the same person in a plain LMDB, deleted, and her bytes still
// there.
#pragma once
#include <filesystem>

#include "demo/population.h"

namespace efface::demo {

// Stores her among some others in a new environment, deletes all of hers, commits and closes.
// Answers whether every step succeeded, her records then being gone for LMDB.
bool store_and_delete(const std::filesystem::path& directory, const Person& person);

}  // namespace efface::demo
