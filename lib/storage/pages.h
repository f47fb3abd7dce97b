// storage/pages.h -- what stands, or once stood, on a page of LMDB, whoever the page belonged to.
//
// Nothing of a page is trusted, and nothing is followed: every even offset at which an entry with a
// key of a wanted size could begin is looked at, so that what a page no longer points to is found
// as well. For who searches old files; verify.h is for who wants to know whether a file is good.
//
// Shape   A page: number 8 | pad 2 | flags 2 | lower 2 | upper 2, or of an overflow run number 8 |
//         pad 2 | flags 2 | pages 4. An entry: size 4 | flags 2 | key size 2 | key | value, or,
//         with flag 1, the number of the overflow page on which the value begins, 8.
// Cost    About 2 microseconds a page.
// Source  LMDB 0.9.24 mdb.c (MDB_page, MDB_node; data version 1).
#pragma once
#include <cstdint>
#include <initializer_list>

#include "base/bytes.h"

namespace efface::storage {

inline constexpr std::size_t data_page_bytes = 4096;
inline constexpr std::size_t data_page_header_bytes = 16;

// Sizes of keys, each below 64.
class KeySizes {
 public:
  constexpr KeySizes(std::initializer_list<unsigned> sizes) noexcept {
    for (const unsigned size : sizes) sizes_ |= std::uint64_t{1} << size;
  }
  constexpr bool has(std::size_t size) const noexcept {
    return size < 64 && ((sizes_ >> size) & 1) != 0;
  }

 private:
  std::uint64_t sizes_ = 0;
};

struct PageEntry {
  Bytes key;
  std::uint32_t value_bytes = 0;
  Bytes value{};                    // Empty where it lies on an overflow run,
  std::uint64_t overflow_page = 0;  // which begins there. 0: it does not.
};

// The page may be cut short.
void search_page(Bytes page, KeySizes sizes, FunctionRef<void(const PageEntry&)> found);

// What a page says its number is; 0 of one that is cut short.
std::uint64_t page_number(Bytes page) noexcept;

// Whether an overflow run of that number, with room for a value of that size, begins with the page.
bool begins_run(Bytes page, std::uint64_t number, std::uint32_t value_bytes) noexcept;

}  // namespace efface::storage
