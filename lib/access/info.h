// access/info.h -- the files in which a store and a region say what they are, and their formats.
#pragma once
#include <cstdint>
#include <string_view>

namespace efface::access {

inline constexpr std::uint32_t store_format = 1;
inline constexpr std::string_view store_info_file = "store.info";
inline constexpr std::uint32_t region_format = 1;
inline constexpr std::string_view region_info_file = "region.info";

}  // namespace efface::access
