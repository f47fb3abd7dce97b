// oracle/pages.h -- pages of LMDB 0.9, read by the book and against it.
//
// Shape  A page is 4,096 bytes: number 8 | pad 2 | flags 2 | lower 2 | upper 2, or for an overflow
//        run number 8 | pad 2 | flags 2 | pages 4. A value on a leaf is size 4 | flags 2 | key size
//        2 | key | value, at an even offset; with flag 1 the value is the number of its overflow
//        page.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>

#include "oracle/primitives.h"

namespace disclosure {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t page_header_bytes = 16;
inline constexpr std::uint16_t page_branch = 1;
inline constexpr std::uint16_t page_leaf = 2;
inline constexpr std::uint16_t page_overflow = 4;

// A file in memory, as it is.
class MappedFile {
 public:
  static std::optional<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  Bytes bytes() const { return bytes_; }

 private:
  explicit MappedFile(Bytes bytes) : bytes_(bytes) {}
  Bytes bytes_;
};

// A value that stands on a page or did so once. value is empty when it lies on overflow pages.
struct Entry {
  Bytes key;
  Bytes value;
  std::uint64_t overflow_page = 0;
  std::uint32_t size = 0;
};

// Every place on a page where a value with a key of one of our shapes may begin, pointed to or not.
template <class Found>
void search_page(Bytes page, Found&& found) {
  constexpr std::size_t head_bytes = 8;
  for (std::size_t at = page_header_bytes; at + head_bytes < page.size(); at += 2) {
    const auto head = little<std::uint64_t>(page, at);
    const std::uint64_t flags = (head >> 32) & 0xffff;
    const std::size_t key_size = head >> 48;
    if (flags > 1) continue;
    if (key_size != 32 && key_size != 21 && key_size != 10 && key_size != 5 && key_size != 1)
      continue;
    Entry entry;
    entry.size = static_cast<std::uint32_t>(head);
    const std::size_t stored = flags == 1 ? 8 : entry.size;
    if (at + head_bytes + key_size > page.size()) continue;
    if (stored > page.size() - at - head_bytes - key_size) continue;
    entry.key = page.subspan(at + head_bytes, key_size);
    const Bytes value = page.subspan(at + head_bytes + key_size, stored);
    if (flags == 1)
      entry.overflow_page = little<std::uint64_t>(value, 0);
    else
      entry.value = value;
    found(entry);
  }
}

// The live tree of a data.mdb, from its newest meta page.
class LiveFile {
 public:
  static std::optional<LiveFile> open(const std::filesystem::path& path);

  std::optional<Bytes> get(Bytes key) const;
  // Answers false when the tree makes no sense.
  bool each(const std::function<void(Bytes key, Bytes value)>& look) const;

 private:
  explicit LiveFile(MappedFile file) : file_(std::move(file)) {}
  bool find_root();
  std::optional<Bytes> page(std::uint64_t number) const;
  std::optional<Bytes> value_of(Bytes leaf, std::size_t slot) const;
  bool each_below(std::uint64_t number, int depth,
                  const std::function<void(Bytes, Bytes)>& look) const;

  MappedFile file_;
  std::uint64_t root_ = 0;
};

}  // namespace disclosure
