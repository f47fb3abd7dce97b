#include "storage/pages.h"

namespace efface::storage {
namespace {

constexpr std::size_t entry_header_bytes = 8;
constexpr std::size_t number_bytes = 8;
constexpr std::uint16_t on_overflow_pages = 1;
constexpr std::uint16_t page_is_overflow = 4;

}  // namespace

void search_page(Bytes page, KeySizes sizes, FunctionRef<void(const PageEntry&)> found) {
  for (std::size_t at = data_page_header_bytes; at + entry_header_bytes < page.size(); at += 2) {
    const auto head = load_le<std::uint64_t>(page.data() + at);
    const auto flags = static_cast<std::uint16_t>(head >> 32);
    const std::size_t key_bytes = head >> 48;
    if (flags > on_overflow_pages || !sizes.has(key_bytes)) continue;
    const Bytes rest = page.subspan(at + entry_header_bytes);
    PageEntry entry{{}, static_cast<std::uint32_t>(head)};
    const std::size_t stored = flags == on_overflow_pages ? number_bytes : entry.value_bytes;
    if (key_bytes > rest.size() || stored > rest.size() - key_bytes) continue;
    entry.key = rest.first(key_bytes);
    if (flags == on_overflow_pages) {
      entry.overflow_page = load_le<std::uint64_t>(rest.data() + key_bytes);
      if (entry.overflow_page == 0) continue;
    } else {
      entry.value = rest.subspan(key_bytes, stored);
    }
    found(entry);
  }
}

std::uint64_t page_number(Bytes page) noexcept {
  return page.size() < data_page_header_bytes ? 0 : load_le<std::uint64_t>(page.data());
}

bool begins_run(Bytes page, std::uint64_t number, std::uint32_t value_bytes) noexcept {
  if (page.size() < data_page_header_bytes || page_number(page) != number) return false;
  if (load_le<std::uint16_t>(page.data() + 10) != page_is_overflow) return false;
  const std::uint64_t room =
      load_le<std::uint32_t>(page.data() + 12) * std::uint64_t{data_page_bytes};
  return room >= data_page_header_bytes + std::uint64_t{value_bytes};
}

}  // namespace efface::storage
