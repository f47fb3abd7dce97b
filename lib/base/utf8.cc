#include "base/utf8.h"

#include <cstddef>
#include <cstdint>

#include "efface/limits.h"

namespace efface::base {

bool is_utf8(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t lead = at(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t follow = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || follow >= text.size() - i) return false;
    for (std::size_t k = 1; k <= follow; ++k)
      if ((at(i + k) & 0xc0) != 0x80) return false;
    const std::uint8_t second = at(i + 1);
    if (lead == 0xe0 && second < 0xa0) return false;  // overlong
    if (lead == 0xed && second > 0x9f) return false;  // surrogate
    if (lead == 0xf0 && second < 0x90) return false;  // overlong
    if (lead == 0xf4 && second > 0x8f) return false;  // past U+10FFFF
    i += follow + 1;
  }
  return true;
}

bool is_label(std::string_view text) noexcept {
  if (text.empty() || text.size() > limits::label_bytes_max) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool mark = c == '_' || c == '-' || c == '.';
    if (!plain && (i == 0 || !mark)) return false;
  }
  return true;
}

}  // namespace efface::base
