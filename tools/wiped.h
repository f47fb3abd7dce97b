// tools/wiped.h -- text that leaves nothing behind: its memory is wiped when it is given back, also
// when the text grows into other memory. For passphrases, ids, names and values on their way in.
//
// Cost  One pass over the memory at its end.
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "efface/bytes.h"

namespace efface::cli {

template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT: allocators convert.

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* at, std::size_t count) noexcept {
    // Through volatile: compilers drop a plain fill of memory that is given back.
    auto* byte = reinterpret_cast<volatile unsigned char*>(at);
    for (std::size_t left = count * sizeof(T); left > 0; --left) *byte++ = 0;
    std::allocator<T>().deallocate(at, count);
  }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

using WipedText = std::vector<char, WipingAllocator<char>>;

inline std::string_view view(const WipedText& text EFFACE_BORROWED) noexcept {
  return {text.data(), text.size()};
}
inline Bytes bytes_of(const WipedText& text EFFACE_BORROWED) noexcept {
  return as_bytes(view(text));
}
inline void append(WipedText& text, std::string_view more) {
  text.insert(text.end(), more.begin(), more.end());
}

}  // namespace efface::cli
