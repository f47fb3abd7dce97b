// support/data.h -- the same ids, keys and values for the store and for its peer.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "efface/bytes.h"

namespace efface::bench {

// A directory on the disk of the current directory, never in memory: durability is measured.
// Removed when the program ends.
const std::filesystem::path& scratch();

// A number that looks random, the same in every run.
std::uint64_t scrambled(std::uint64_t number) noexcept;

std::string person_id(std::uint64_t person);
std::string record_name(std::uint64_t record);

// The peer's key: person 8 | record 8, both scrambled. A person's records are neighbours, as in the
// store, and stand in no order among themselves.
using RawKey = std::array<std::byte, 16>;
RawKey raw_key(std::uint64_t person, std::uint64_t record) noexcept;

// Incompressible, valid for ever, at most 4,096 bytes.
Bytes value_of(std::uint64_t number, std::size_t bytes);

// 0 to n-1 in an order that looks random, the same in every run.
std::vector<std::uint32_t> shuffled(std::size_t n);

}  // namespace efface::bench
