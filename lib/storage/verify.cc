#include "storage/verify.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"

namespace efface::storage {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::uint64_t no_page = ~std::uint64_t{0};
constexpr std::uint64_t first_tree_page = 2;  // Behind the two metas.
constexpr std::uint64_t map_bytes_max = std::uint64_t{1} << 47;
constexpr std::uint64_t transaction_max = std::uint64_t{1} << 62;
constexpr std::size_t depth_max = 32;                // LMDB's cursors have so many places.
constexpr std::size_t key_bytes_max = 511;           // As compiled by default.
constexpr std::size_t inline_node_bytes_max = 2038;  // Two nodes must fit a page. Above: overflow.

enum PageFlags : std::uint16_t { branch = 0x01, leaf = 0x02, overflow = 0x04, meta_page = 0x08 };
constexpr std::uint16_t node_overflow = 0x01;
constexpr std::uint16_t tree_integer_keys = 0x08;
constexpr std::uint16_t tree_no_subdirectory = 0x4000;  // An option of the environment, kept here.

// The layouts as they are on disk: little-endian, without padding.
struct PageHeader {
  std::uint64_t number;
  std::uint16_t pad;
  std::uint16_t flags;
  std::uint16_t lower;  // End of the node offsets, which follow this header.
  std::uint16_t upper;  // Start of the nodes, which end with the page.
};
static_assert(sizeof(PageHeader) == 16);

struct NodeHeader {
  std::uint16_t low;  // Leaf: size of the value. Branch: bits 0 to 31 of the page number ...
  std::uint16_t high;
  std::uint16_t flags;  // ... and bits 32 to 47.
  std::uint16_t key_bytes;

  std::uint32_t value_bytes() const noexcept { return low | std::uint32_t{high} << 16; }
  std::uint64_t child() const noexcept { return value_bytes() | std::uint64_t{flags} << 32; }
};
static_assert(sizeof(NodeHeader) == 8);

struct Tree {
  std::uint32_t pad;  // Of the free list: the page size.
  std::uint16_t flags;
  std::uint16_t depth;
  std::uint64_t branch_pages;
  std::uint64_t leaf_pages;
  std::uint64_t overflow_pages;
  std::uint64_t entries;
  std::uint64_t root;
};
static_assert(sizeof(Tree) == 48);

struct Meta {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint64_t address;
  std::uint64_t map_bytes;
  Tree free;
  Tree main;
  std::uint64_t last_page;
  std::uint64_t transaction;
};
static_assert(sizeof(Meta) == 136);
static_assert(std::endian::native == std::endian::little);

using Page = std::array<std::byte, page_bytes>;

template <class T>
T load(const std::byte* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

Error damaged(Note what) noexcept { return Error(Errc::corruption, what); }

// What LMDB reads of both metas whichever it follows. These bytes never change once written, except
// for the transaction, whose parity is its place.
bool is_meta(const std::byte* page, std::uint64_t place) noexcept {
  const auto header = load<PageHeader>(page);
  const auto meta = load<Meta>(page + sizeof header);
  return header.number == place && header.flags == meta_page && meta.magic == 0xBEEFC0DE &&
         meta.version == 1 && meta.address == 0 && meta.free.pad == page_bytes &&
         meta.transaction <= transaction_max &&
         (meta.transaction % 2 == place || meta.transaction == 0);
}

std::uint64_t pages_of(const Tree& tree) noexcept {
  return tree.branch_pages + tree.leaf_pages + tree.overflow_pages;
}

bool is_plausible(const Tree& tree, std::uint64_t pages_end) noexcept {
  if (tree.root == no_page) return tree.depth == 0 && tree.entries == 0 && pages_of(tree) == 0;
  return tree.root >= first_tree_page && tree.root < pages_end && tree.depth >= 1 &&
         tree.depth <= depth_max && tree.branch_pages < pages_end && tree.leaf_pages < pages_end &&
         tree.overflow_pages < pages_end;
}

// The meta that LMDB will follow, and what of the file it may.
struct Newest {
  Meta meta;
  std::uint64_t file_pages;
  // Pages of the trees lie below this. The file may be shorter than the last page says: pages that
  // a transaction both took and gave back are never written, only free.
  std::uint64_t used_end() const noexcept { return std::min(file_pages, meta.last_page + 1); }
};

Result<Newest> choose(const std::array<Page, 2>& pages, std::uint64_t file_bytes) {
  if (!is_meta(pages[0].data(), 0) || !is_meta(pages[1].data(), 1))
    return damaged("a meta page is not one");
  const auto even = load<Meta>(pages[0].data() + sizeof(PageHeader));
  const auto odd = load<Meta>(pages[1].data() + sizeof(PageHeader));
  const Meta& newest = even.transaction < odd.transaction ? odd : even;
  const Meta& older = even.transaction < odd.transaction ? even : odd;
  if (newest.transaction != 0 && older.transaction + 1 != newest.transaction)
    return damaged("the metas are not of consecutive transactions");

  if (newest.last_page < first_tree_page - 1 || newest.last_page >= map_bytes_max / page_bytes)
    return damaged("the last page is out of range");
  if (newest.map_bytes < (newest.last_page + 1) * page_bytes || newest.map_bytes > map_bytes_max)
    return damaged("the map size is out of range");
  if ((newest.free.flags & ~tree_no_subdirectory) != tree_integer_keys || newest.main.flags != 0 ||
      newest.main.pad != 0)
    return damaged("the flags of a tree are not ours");
  const Newest found{newest, file_bytes / page_bytes};
  if (!is_plausible(newest.free, found.used_end()) || !is_plausible(newest.main, found.used_end()))
    return damaged("the root of a tree is out of range");
  if (first_tree_page + pages_of(newest.free) + pages_of(newest.main) > found.used_end())
    return damaged("the file is too short");
  return found;
}

Result<Newest> newest_meta(const os::File& data) {
  std::array<Page, 2> before;
  std::array<Page, 2> pages{};
  // A commit of another process may be seen half: bytes that have changed are judged again.
  for (int attempt = 0;; ++attempt) {
    EFFACE_ASSIGN(const std::uint64_t file_bytes, data.size());
    if (file_bytes < sizeof pages) return damaged("the file is too short");
    before = pages;
    EFFACE_TRY(data.read_at(0, std::as_writable_bytes(std::span(pages))));
    auto chosen = choose(pages, file_bytes);
    if (chosen || attempt == 8 || (attempt > 0 && pages == before)) return chosen;
  }
}

// One bit per page up to the last, each claimed at most once. Memory is touched only where a bit is
// set, so a last page of absurd size costs nothing.
class PageSet {
 public:
  static Result<PageSet> create(const Newest& newest) {
    const std::uint64_t words = newest.meta.last_page / 64 + 1;
    auto* bits = static_cast<std::uint64_t*>(std::calloc(words, sizeof(std::uint64_t)));
    if (bits == nullptr) return Error(Errc::out_of_memory, "a bit per page");
    return PageSet(bits, newest);
  }
  bool may_be_used(std::uint64_t page) const noexcept {
    return page >= first_tree_page && page < used_end_;
  }
  Status claim_used(std::uint64_t first, std::uint64_t count) noexcept {
    if (!may_be_used(first) || count > used_end_ - first)
      return damaged("a page number is out of range");
    for (std::uint64_t page = first; page < first + count; ++page) EFFACE_TRY(claim(page));
    return {};
  }
  Status claim_free(std::uint64_t page) noexcept {
    if (page < first_tree_page || page > last_page_)
      return damaged("a page number is out of range");
    return claim(page);
  }
  // Stops at the first that is not, so this too is no longer than the lists in the file.
  bool all_claimed_behind_the_file() const noexcept {
    for (std::uint64_t page = used_end_; page <= last_page_; ++page)
      if ((bits_[page / 64] & bit(page)) == 0) return false;
    return true;
  }

 private:
  struct Free {
    void operator()(std::uint64_t* bits) const noexcept { std::free(bits); }
  };
  PageSet(std::uint64_t* bits, const Newest& newest) noexcept
      : bits_(bits), used_end_(newest.used_end()), last_page_(newest.meta.last_page) {}
  static std::uint64_t bit(std::uint64_t page) noexcept { return std::uint64_t{1} << (page % 64); }
  Status claim(std::uint64_t page) noexcept {
    if ((bits_[page / 64] & bit(page)) != 0) return damaged("a page has two owners");
    bits_[page / 64] |= bit(page);
    return {};
  }
  std::unique_ptr<std::uint64_t[], Free> bits_;
  std::uint64_t used_end_;
  std::uint64_t last_page_;
};

// One tree, from its root down, depth first. A page is claimed before it is read, so no walk is
// longer than the file.
class TreeWalk {
 public:
  enum class Kind : bool { records, free_list };

  TreeWalk(const os::File& data, PageSet& claimed, const Tree& tree, Kind kind,
           std::uint64_t transaction)
      : data_(data),
        claimed_(claimed),
        tree_(tree),
        kind_(kind),
        transaction_(transaction),
        pages_(tree.depth) {}

  Status run() {
    if (tree_.root != no_page) EFFACE_TRY(visit(tree_.root, 0, {}));
    if (seen_.branch_pages != tree_.branch_pages || seen_.leaf_pages != tree_.leaf_pages ||
        seen_.overflow_pages != tree_.overflow_pages || seen_.entries != tree_.entries)
      return damaged("a count of a tree is wrong");
    return {};
  }

 private:
  struct Bounds {
    std::optional<Bytes> lowest;  // Inclusive.
    std::optional<Bytes> end;     // Exclusive.
  };

  // The nodes of one page, found good.
  class Nodes {
   public:
    explicit Nodes(const Page& page) noexcept : page_(page.data()) {}
    std::size_t count() const noexcept {
      return (load<PageHeader>(page_).lower - sizeof(PageHeader)) / sizeof(std::uint16_t);
    }
    std::size_t offset(std::size_t i) const noexcept {
      return load<std::uint16_t>(page_ + sizeof(PageHeader) + i * sizeof(std::uint16_t));
    }
    NodeHeader header(std::size_t i) const noexcept { return load<NodeHeader>(page_ + offset(i)); }
    Bytes key(std::size_t i) const noexcept {
      return {page_ + offset(i) + sizeof(NodeHeader), header(i).key_bytes};
    }
    std::size_t value_offset(std::size_t i) const noexcept {
      return offset(i) + sizeof(NodeHeader) + header(i).key_bytes;
    }

   private:
    const std::byte* page_;
  };

  bool less(Bytes a, Bytes b) const noexcept {
    if (kind_ == Kind::free_list)
      return load_le<std::uint64_t>(a.data()) < load_le<std::uint64_t>(b.data());
    const int order = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
    return order != 0 ? order < 0 : a.size() < b.size();
  }

  Status visit(std::uint64_t number, std::size_t level, const Bounds& bounds) {
    EFFACE_TRY(claimed_.claim_used(number, 1));
    Page& page = pages_[level];
    EFFACE_TRY(data_.read_at(number * page_bytes, page));
    const auto header = load<PageHeader>(page.data());
    const bool is_leaf = level + 1 == pages_.size();
    if (header.number != number) return damaged("a page is not in its place");
    if (header.flags != (is_leaf ? leaf : branch)) return damaged("a page is of the wrong kind");
    EFFACE_TRY(check_layout(page, header, is_leaf));
    EFFACE_TRY(check_order(Nodes(page), is_leaf, bounds));

    const Nodes nodes(page);
    const std::size_t count = nodes.count();
    if (is_leaf) {
      ++seen_.leaf_pages;
      seen_.entries += count;
      for (std::size_t i = 0; i < count; ++i) EFFACE_TRY(check_value(number, nodes, i));
      return {};
    }
    ++seen_.branch_pages;
    for (std::size_t i = 0; i < count; ++i) {
      Bounds below = bounds;
      if (i > 0) below.lowest = nodes.key(i);
      if (i + 1 < count) below.end = nodes.key(i + 1);
      EFFACE_TRY(visit(nodes.header(i).child(), level + 1, below));
    }
    return {};
  }

  // Offsets, sizes and flags of the nodes. LMDB packs them: they tile the page from upper to its
  // end.
  Status check_layout(const Page& page, const PageHeader& header, bool is_leaf) const {
    if (header.lower < sizeof header || header.lower > header.upper || header.upper > page_bytes ||
        header.lower % 2 != 0 || header.upper % 2 != 0)
      return damaged("the bounds of a page are wrong");
    const Nodes nodes(page);
    const std::size_t count = nodes.count();
    if (count < (is_leaf ? 1u : 2u)) return damaged("a page has too few keys");

    std::array<std::uint16_t, page_bytes / 2> bytes_at{};  // By offset in units of two.
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t offset = nodes.offset(i);
      if (offset % 2 != 0 || offset < header.upper || offset > page_bytes - sizeof(NodeHeader))
        return damaged("a node is out of its page");
      const NodeHeader node = nodes.header(i);
      std::size_t bytes = sizeof node + node.key_bytes;
      if (is_leaf) {
        if ((node.flags & ~node_overflow) != 0)
          return damaged("a node has flags that are not ours");
        bytes += node.flags != 0 ? sizeof(std::uint64_t) : std::size_t{node.value_bytes()};
        if (bytes > inline_node_bytes_max) return damaged("a node is too large");
      }
      const bool may_be_empty = !is_leaf && i == 0;  // Stands for everything below the next key.
      if (!is_key_size(node.key_bytes) && !(may_be_empty && node.key_bytes == 0))
        return damaged("a key has the wrong size");
      bytes += bytes % 2;
      if (bytes > page_bytes - offset) return damaged("a node is out of its page");
      bytes_at[offset / 2] = static_cast<std::uint16_t>(bytes);
    }
    std::size_t tiles = 0;
    for (std::size_t at = header.upper; at < page_bytes; at += bytes_at[at / 2], ++tiles)
      if (bytes_at[at / 2] == 0) return damaged("the nodes of a page leave a gap or overlap");
    if (tiles != count) return damaged("the nodes of a page leave a gap or overlap");
    return {};
  }

  bool is_key_size(std::size_t bytes) const noexcept {
    if (kind_ == Kind::free_list) return bytes == sizeof(std::uint64_t);
    return bytes >= 1 && bytes <= key_bytes_max;
  }

  // Keys ascend, within what the branches above say of this page.
  Status check_order(const Nodes& nodes, bool is_leaf, const Bounds& bounds) const {
    const std::size_t first = is_leaf ? 0 : 1;  // A branch's first key is never compared.
    const std::size_t count = nodes.count();
    for (std::size_t i = first + 1; i < count; ++i)
      if (!less(nodes.key(i - 1), nodes.key(i))) return damaged("keys are out of order");
    if (bounds.lowest && less(nodes.key(first), *bounds.lowest))
      return damaged("a key is outside its branch");
    if (bounds.end && !less(nodes.key(count - 1), *bounds.end))
      return damaged("a key is outside its branch");
    return {};
  }

  Status check_value(std::uint64_t number, const Nodes& nodes, std::size_t i) {
    const NodeHeader node = nodes.header(i);
    std::uint64_t file_offset = number * page_bytes + nodes.value_offset(i);
    if (node.flags != 0) {
      const auto first = load<std::uint64_t>(nodes.key(i).data() + node.key_bytes);
      EFFACE_TRY(check_overflow(first, node.value_bytes()));
      file_offset = first * page_bytes + sizeof(PageHeader);
    }
    if (kind_ == Kind::records) return {};
    const auto transaction = load_le<std::uint64_t>(nodes.key(i).data());
    if (transaction == 0 || transaction > transaction_)
      return damaged("free pages are of no transaction");
    return check_free_pages(file_offset, node.value_bytes());
  }

  // The run may be longer than its value: LMDB overwrites in place within a transaction.
  Status check_overflow(std::uint64_t first, std::uint64_t value_bytes) {
    if (!claimed_.may_be_used(first)) return damaged("a page number is out of range");
    std::array<std::byte, sizeof(PageHeader)> bytes;
    EFFACE_TRY(data_.read_at(first * page_bytes, bytes));
    const auto header = load<PageHeader>(bytes.data());
    const std::uint64_t pages = header.lower | std::uint64_t{header.upper} << 16;
    if (header.number != first || header.flags != overflow)
      return damaged("an overflow page is not one");
    if (pages < (sizeof header - 1 + value_bytes) / page_bytes + 1)
      return damaged("an overflow run is too short");
    EFFACE_TRY(claimed_.claim_used(first, pages));
    seen_.overflow_pages += pages;
    return {};
  }

  // A count, then as many page numbers, descending; room behind them may be left over.
  Status check_free_pages(std::uint64_t file_offset, std::uint64_t value_bytes) {
    constexpr std::uint64_t word = sizeof(std::uint64_t);
    if (value_bytes == 0 || value_bytes % word != 0)
      return damaged("a list of free pages has the wrong size");
    std::array<std::byte, 512 * word> chunk;
    EFFACE_TRY(data_.read_at(file_offset, MutableBytes(chunk).first(word)));
    std::uint64_t left = load<std::uint64_t>(chunk.data());
    if (left > value_bytes / word - 1) return damaged("a list of free pages has the wrong size");
    file_offset += word;
    std::uint64_t above = no_page;
    while (left > 0) {
      const std::size_t now = static_cast<std::size_t>(std::min<std::uint64_t>(left, 512));
      EFFACE_TRY(data_.read_at(file_offset, MutableBytes(chunk).first(now * word)));
      for (std::size_t i = 0; i < now; ++i) {
        const auto page = load<std::uint64_t>(chunk.data() + i * word);
        if (page >= above) return damaged("free pages are out of order");
        EFFACE_TRY(claimed_.claim_free(page));
        above = page;
      }
      file_offset += now * word;
      left -= now;
    }
    return {};
  }

  const os::File& data_;
  PageSet& claimed_;
  const Tree& tree_;
  Kind kind_;
  std::uint64_t transaction_;
  Tree seen_{};
  std::vector<Page> pages_;  // One per level: bounds point into the pages above.
};

}  // namespace

Status verify_metas(const os::File& data) {
  const auto newest = newest_meta(data);
  if (!newest) return newest.error();
  return {};
}

Status verify_structure(const os::File& data) {
  EFFACE_ASSIGN(const Newest newest, newest_meta(data));
  EFFACE_ASSIGN(PageSet claimed, PageSet::create(newest));
  const Meta& meta = newest.meta;
  EFFACE_TRY(TreeWalk(data, claimed, meta.main, TreeWalk::Kind::records, meta.transaction).run());
  EFFACE_TRY(TreeWalk(data, claimed, meta.free, TreeWalk::Kind::free_list, meta.transaction).run());
  if (!claimed.all_claimed_behind_the_file()) return damaged("the file is too short");
  return {};
}

}  // namespace efface::storage
