#include "oracle/images.h"

#include <algorithm>

namespace disclosure {
namespace {

constexpr std::size_t chunk_bytes = 1 << 20;
constexpr std::size_t node_overhead_bytes = 4 + seal_bytes;
constexpr std::size_t unit_bytes = 27 * 72;
constexpr std::size_t inner_bytes = 8 + 61 * 32;
constexpr std::size_t units_max = 32;
constexpr std::size_t record_overhead_bytes = 16 + seal_bytes;
constexpr std::size_t file_overhead_bytes = 4 + seal_bytes;

enum class Shape { none, node, root, header, terms, file, record };

bool is_byte(Bytes bytes, std::size_t at, unsigned value) {
  return std::to_integer<unsigned>(bytes[at]) == value;
}

Place place_of(Bytes key) {
  return {big32(key, 1), std::to_integer<std::uint8_t>(key[5]), big32(key, 6)};
}

bool node_size_fits(std::uint8_t level, std::size_t size) {
  if (level > 0) return size == node_overhead_bytes + inner_bytes;
  if (size < node_overhead_bytes + 8 + unit_bytes) return false;
  const std::size_t rows = size - node_overhead_bytes - 8;
  return rows % unit_bytes == 0 && rows / unit_bytes <= units_max;
}

// What a key and a size are about, as far as one can tell without the value.
Shape shape_of(Bytes key, std::size_t size) {
  if (key.size() == 32) return size >= record_overhead_bytes ? Shape::record : Shape::none;
  if (key.size() == 21 && is_byte(key, 0, 'd'))
    return size >= file_overhead_bytes ? Shape::file : Shape::none;
  if (key.size() == 10 && is_byte(key, 0, 'n'))
    return node_size_fits(place_of(key).level, size) ? Shape::node : Shape::none;
  if (key.size() == 5 && is_byte(key, 0, 't') && size >= seal_bytes) return Shape::terms;
  if (key.size() == 1 && is_byte(key, 0, 'r') && size >= 48 && size <= 48 + 512) return Shape::root;
  if (key.size() == 1 && is_byte(key, 0, 'm') && size == 40) return Shape::header;
  return Shape::none;
}

bool value_fits(Shape shape, Bytes key, Bytes value) {
  switch (shape) {
    case Shape::none:
      return false;
    case Shape::node:
      return is_byte(value, 0, 1) && is_byte(value, 1, 1) &&
             is_byte(value, 2, place_of(key).level > 0 ? 1 : 0) && is_byte(value, 3, 0);
    case Shape::root:
      return is_byte(value, 0, 1) && is_byte(value, 1, 1) && is_byte(value, 2, 0) &&
             is_byte(value, 3, 0);
    case Shape::header:
      return std::ranges::equal(value.first(8), bytes_of("EFKEYRNG"));
    case Shape::terms:
      return true;
    case Shape::file:
      return is_byte(value, 0, 1) && is_byte(value, 1, 1) && little<std::uint16_t>(value, 2) == 0;
    case Shape::record:
      return is_byte(value, 0, 1) && is_byte(value, 1, 1) && little<std::uint16_t>(value, 2) <= 1 &&
             little<std::uint16_t>(value, 6) == 0;
  }
  return false;
}

std::uint64_t mixed(Bytes bytes, std::uint64_t seed) {
  std::uint64_t h = seed ^ (bytes.size() * 0x9E3779B97F4A7C15u);
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    h = (h ^ little<std::uint64_t>(bytes, i)) * 0xD6E8FEB86659FD93u;
    h ^= h >> 32;
  }
  for (; i < bytes.size(); ++i) h = (h ^ std::to_integer<std::uint64_t>(bytes[i])) * 0x100000001B3u;
  return h ^ (h >> 29);
}

}  // namespace

bool Images::Impl::is_new(Bytes key, Bytes value) {
  const std::uint64_t a = mixed(value, mixed(key, 1));
  const std::uint64_t b = value.size() < 64 ? mixed(value, 7) : little<std::uint64_t>(value, 20);
  return seen.insert({a, b}).second;
}

Bytes Images::Impl::keep(Bytes bytes, Lifetime how) {
  if (how == Lifetime::lasting || bytes.empty()) return bytes;
  if (chunks.empty() || chunks.back().capacity() - chunks.back().size() < bytes.size())
    chunks.emplace_back().reserve(std::max(chunk_bytes, bytes.size()));
  std::vector<std::byte>& chunk = chunks.back();
  const std::size_t at = chunk.size();
  chunk.insert(chunk.end(), bytes.begin(), bytes.end());
  return Bytes(chunk).subspan(at);
}

void Images::Impl::add_value(Bytes key, Bytes value, Lifetime how) {
  const Shape shape = shape_of(key, value.size());
  if (!value_fits(shape, key, value) || !is_new(key, value)) return;
  if (shape == Shape::header) {
    ++headers[id_at(value, 12)];
    return;
  }
  const Bytes kept = keep(value, how);
  if (shape == Shape::node)
    found.nodes.push_back({place_of(key), kept});
  else if (shape == Shape::root)
    found.roots.push_back(kept);
  else if (shape == Shape::terms)
    found.terms.push_back({big32(key, 1), kept});
  else if (shape == Shape::file)
    found.files.push_back({keep(key, how), kept});
  else
    found.records.push_back({keep(key, how), kept});
}

void Images::Impl::add(const Entry& entry, Lifetime how) {
  if (entry.overflow_page == 0) {
    add_value(entry.key, entry.value, how);
    return;
  }
  if (shape_of(entry.key, entry.size) == Shape::none) return;
  auto& of_page = claims[entry.overflow_page];
  const bool known = std::ranges::any_of(of_page, [&](const Claim& claim) {
    return claim.size == entry.size && std::ranges::equal(claim.key, entry.key);
  });
  if (!known) of_page.push_back({keep(entry.key, how), entry.size});
}

void Images::Impl::search(std::uint64_t number, Bytes pages, Lifetime how) {
  for (std::size_t at = 0; at + page_bytes <= pages.size(); at += page_bytes, ++number) {
    const Bytes page = pages.subspan(at, page_bytes);
    ++pages_searched;
    search_page(page, [&](const Entry& entry) { add(entry, how); });
    if (little<std::uint16_t>(page, 10) != page_overflow ||
        little<std::uint64_t>(page, 0) != number)
      continue;
    const std::size_t run_bytes = std::size_t{little<std::uint32_t>(page, 12)} * page_bytes;
    const Bytes run = pages.subspan(at, std::min(run_bytes, pages.size() - at));
    if (run.empty() || !is_new({}, run)) continue;
    runs[number].push_back(keep(run, how));
  }
}

ImageSet Images::Impl::all() const {
  Impl assembled;
  for (const auto& [page, of_page] : claims) {
    const auto at = runs.find(page);
    if (at == runs.end()) continue;
    for (const Claim& claim : of_page)
      for (const Bytes run : at->second)
        if (run.size() - page_header_bytes >= claim.size)
          assembled.add_value(claim.key, run.subspan(page_header_bytes, claim.size),
                              Lifetime::lasting);
  }
  ImageSet out = found;
  const auto append = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(out.nodes, assembled.found.nodes);
  append(out.records, assembled.found.records);
  append(out.files, assembled.found.files);
  append(out.terms, assembled.found.terms);
  return out;
}

Images::Images() : impl_(std::make_unique<Impl>()) {}
Images::Images(Images&&) noexcept = default;
Images& Images::operator=(Images&&) noexcept = default;
Images::~Images() = default;

bool Images::add_file(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return false;
  const Bytes bytes = impl_->files.emplace_back(*std::move(file)).bytes();
  impl_->search(0, bytes, Impl::Lifetime::lasting);
  if (const std::size_t rest = bytes.size() % page_bytes; rest != 0) {
    std::array<std::byte, page_bytes> last{};
    std::ranges::copy(bytes.last(rest), last.begin());
    impl_->search(bytes.size() / page_bytes, last, Impl::Lifetime::passing);
  }
  return true;
}

bool Images::add_directory(const std::filesystem::path& path) {
  std::error_code failed;
  bool all = true;
  std::filesystem::recursive_directory_iterator at(path, failed);
  for (; !failed && at != std::filesystem::recursive_directory_iterator(); at.increment(failed))
    if (at->symlink_status(failed).type() == std::filesystem::file_type::regular &&
        at->path().filename() != "lock.mdb")
      all = add_file(at->path()) && all;
  return all && !failed;
}

void Images::add_pages(std::uint64_t offset, Bytes bytes) {
  const std::size_t skipped = (page_bytes - offset % page_bytes) % page_bytes;
  if (skipped < bytes.size())
    impl_->search((offset + skipped) / page_bytes, bytes.subspan(skipped), Impl::Lifetime::passing);
}

bool Images::add_live(const std::filesystem::path& path) {
  const auto live = LiveFile::open(path);
  return live && live->each([&](Bytes key, Bytes value) {
    impl_->add_value(key, value, Impl::Lifetime::passing);
  });
}

std::size_t Images::nodes() const { return impl_->found.nodes.size(); }
std::size_t Images::root_records() const { return impl_->found.roots.size(); }
std::size_t Images::records() const { return impl_->found.records.size(); }
std::size_t Images::files() const { return impl_->found.files.size(); }
std::size_t Images::pages_searched() const { return impl_->pages_searched; }

}  // namespace disclosure
