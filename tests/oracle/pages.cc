#include "oracle/pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace disclosure {
namespace {

constexpr std::uint32_t lmdb_magic = 0xBEEFC0DE;
constexpr std::uint64_t no_page = ~std::uint64_t{0};
constexpr int depth_max = 32;

std::size_t slots_of(Bytes page) {
  const auto lower = little<std::uint16_t>(page, 12);
  return lower < page_header_bytes ? 0 : (lower - page_header_bytes) / 2;
}

// From the head of the value or branch in that slot to the end of the page.
std::optional<Bytes> slot_of(Bytes page, std::size_t slot) {
  const std::size_t pointer_at = page_header_bytes + 2 * slot;
  if (pointer_at + 2 > page.size()) return std::nullopt;
  const auto at = little<std::uint16_t>(page, pointer_at);
  if (at < page_header_bytes || std::size_t{at} + 8 > page.size()) return std::nullopt;
  const Bytes node = page.subspan(at);
  if (8u + little<std::uint16_t>(node, 6) > node.size()) return std::nullopt;
  return node;
}

Bytes key_of(Bytes node) { return node.subspan(8, little<std::uint16_t>(node, 6)); }

bool is_before(Bytes a, Bytes b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

std::uint64_t child_of(Bytes branch) {
  return little<std::uint32_t>(branch, 0) | (std::uint64_t{little<std::uint16_t>(branch, 4)} << 32);
}

}  // namespace

std::optional<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  struct stat info{};
  std::optional<MappedFile> out;
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
    const auto size = static_cast<std::size_t>(info.st_size);
    if (size == 0) {
      out.emplace(MappedFile(Bytes()));
    } else if (void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0); at != MAP_FAILED) {
      out.emplace(MappedFile(Bytes(static_cast<const std::byte*>(at), size)));
    }
  }
  ::close(fd);
  return out;
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::optional<LiveFile> LiveFile::open(const std::filesystem::path& path) {
  auto mapped = MappedFile::open(path);
  if (!mapped) return std::nullopt;
  LiveFile file(*std::move(mapped));
  if (!file.find_root()) return std::nullopt;
  return file;
}

// A meta page: magic 4 at 16, version 4, address 8, map size 8, two tables of 48 bytes from 40 on
// (the second is ours; its root page is its last field), last page 8 at 136, transaction 8 at 144.
bool LiveFile::find_root() {
  std::optional<std::uint64_t> newest;
  for (const std::uint64_t number : {0U, 1U}) {
    const auto meta = page(number);
    if (!meta || little<std::uint32_t>(*meta, 16) != lmdb_magic) continue;
    const auto transaction = little<std::uint64_t>(*meta, 144);
    if (newest && transaction <= *newest) continue;
    newest = transaction;
    root_ = little<std::uint64_t>(*meta, 128);
  }
  return newest.has_value();
}

std::optional<Bytes> LiveFile::page(std::uint64_t number) const {
  if (number >= file_.bytes().size() / page_bytes) return std::nullopt;
  return file_.bytes().subspan(number * page_bytes, page_bytes);
}

std::optional<Bytes> LiveFile::value_of(Bytes leaf, std::size_t slot) const {
  const auto node = slot_of(leaf, slot);
  if (!node) return std::nullopt;
  const auto size = little<std::uint32_t>(*node, 0);
  const std::size_t at = 8 + key_of(*node).size();
  if ((little<std::uint16_t>(*node, 4) & 1) == 0) {
    if (at + size > node->size()) return std::nullopt;
    return node->subspan(at, size);
  }
  if (at + 8 > node->size()) return std::nullopt;
  const std::uint64_t begin = little<std::uint64_t>(*node, at) * page_bytes + page_header_bytes;
  const std::size_t file_size = file_.bytes().size();
  if (begin > file_size || size > file_size - begin) return std::nullopt;
  return file_.bytes().subspan(begin, size);
}

std::optional<Bytes> LiveFile::get(Bytes key) const {
  std::uint64_t number = root_;
  for (int depth = 0; depth < depth_max && number != no_page; ++depth) {
    const auto here = page(number);
    if (!here) return std::nullopt;
    const std::size_t slots = slots_of(*here);
    if ((little<std::uint16_t>(*here, 10) & page_leaf) != 0) {
      for (std::size_t i = 0; i < slots; ++i) {
        const auto node = slot_of(*here, i);
        if (node && std::ranges::equal(key_of(*node), key)) return value_of(*here, i);
      }
      return std::nullopt;
    }
    number = no_page;
    for (std::size_t i = 0; i < slots; ++i) {  // The first branch has no key: it is below all.
      const auto branch = slot_of(*here, i);
      if (!branch || (i > 0 && is_before(key, key_of(*branch)))) break;
      number = child_of(*branch);
    }
  }
  return std::nullopt;
}

bool LiveFile::each(const std::function<void(Bytes, Bytes)>& look) const {
  return root_ == no_page || each_below(root_, 0, look);
}

bool LiveFile::each_below(std::uint64_t number, int depth,
                          const std::function<void(Bytes, Bytes)>& look) const {
  const auto here = page(number);
  if (!here || depth == depth_max) return false;
  const std::size_t slots = slots_of(*here);
  const bool is_leaf = (little<std::uint16_t>(*here, 10) & page_leaf) != 0;
  for (std::size_t i = 0; i < slots; ++i) {
    const auto node = slot_of(*here, i);
    if (!node) return false;
    if (!is_leaf) {
      if (!each_below(child_of(*node), depth + 1, look)) return false;
      continue;
    }
    const auto value = value_of(*here, i);
    if (!value) return false;
    look(key_of(*node), *value);
  }
  return true;
}

}  // namespace disclosure
