#include "rights/forensics_images.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/prf.h"
#include "keyring/images.h"
#include "records/envelope.h"

namespace efface::rights {
namespace {

using Kind = SealedImage::Kind;

constexpr std::size_t page_bytes = storage::data_page_bytes;
constexpr std::size_t chunk_bytes = 256 * page_bytes;
constexpr std::uint32_t value_bytes_max = std::uint32_t{64} << 20;  // What storage takes.
constexpr storage::KeySizes key_sizes{1, 10, 21, 24, 32};
constexpr std::size_t shared_key_bytes = 24;
constexpr std::string_view shared_prefix("group\0\0\0", 8);

bool is_record(std::uint32_t value_bytes, Bytes value, bool shared) noexcept {
  if (value_bytes < records::envelope_overhead_bytes) return false;
  const auto header = records::read_header(value);
  return header && ((header->flags & records::flag_group) != 0) == shared;
}

bool could_be(Bytes key) noexcept {
  switch (key.size()) {
    case 1:
      return key[0] == std::byte{'r'};
    case 10:
      return key[0] == std::byte{'n'};
    case 21:
      return key[0] == std::byte{'d'};
    case shared_key_bytes:
      return as_text(key.first(shared_prefix.size())) == shared_prefix;
    default:
      return key.size() == sizeof(records::RecordKey);
  }
}

bool is_blank(Bytes page) noexcept {
  return std::ranges::all_of(page, [](std::byte b) { return b == std::byte{}; });
}

}  // namespace

std::optional<Kind> kind_of(Bytes key, std::uint32_t value_bytes, Bytes value) noexcept {
  if (value.size() < std::min<std::size_t>(value_bytes, records::envelope_overhead_bytes))
    return std::nullopt;
  if (!could_be(key)) return std::nullopt;
  if (key.size() == sizeof(records::RecordKey) && is_record(value_bytes, value, false))
    return Kind::record;
  if (key.size() == shared_key_bytes && is_record(value_bytes, value, true)) return Kind::shared;
  if (keyring::node_of(key, value_bytes, value)) return Kind::node;
  if (keyring::is_file(key, value_bytes, value)) return Kind::file;
  if (keyring::is_root_record(key, value_bytes, value)) return Kind::root;
  return std::nullopt;
}

Result<std::vector<std::byte>> ImageFile::read(const ImagePlace& place) const {
  std::vector<std::byte> bytes(place.size);
  EFFACE_ASSIGN(const std::size_t got, file_.read_at(place.offset, bytes));
  bytes.resize(got);
  return bytes;
}

Status ImageFile::look_at_run(const storage::PageEntry& entry, std::uint64_t leaf, std::uint64_t at,
                              FunctionRef<Status(const SealedImage&)> found) {
  // The first page of the database, wherever in the file that is: perhaps before it.
  const std::uint64_t pages_max = file_.size() / page_bytes;
  const std::uint64_t before = at / page_bytes;
  const std::uint64_t run = entry.overflow_page;
  if (run > leaf ? run - leaf > pages_max - before : leaf - run > before) return {};
  const std::uint64_t offset = (before + run - leaf) * page_bytes;
  std::array<std::byte, page_bytes> first;
  EFFACE_ASSIGN(const std::size_t got, file_.read_at(offset, first));
  if (!storage::begins_run(Bytes(first).first(got), run, entry.value_bytes)) return {};
  const Bytes begin = Bytes(first).first(got).subspan(storage::data_page_header_bytes);
  const auto kind = kind_of(entry.key, entry.value_bytes,
                            begin.first(std::min<std::size_t>(begin.size(), entry.value_bytes)));
  if (!kind) return {};
  std::array<std::byte, 12> which;
  store_le(which.data(), offset);
  store_le(which.data() + 8, entry.value_bytes);
  if (!runs_.insert(crypto::hash128({which, entry.key})).second) return {};
  const ImagePlace place{number_, entry.value_bytes, offset + storage::data_page_header_bytes};
  EFFACE_ASSIGN(const std::vector<std::byte> value, read(place));
  if (value.size() != entry.value_bytes) return {};
  return found({*kind, entry.key, value, place});
}

Status ImageFile::look_at(const storage::PageEntry& entry, Bytes page, std::uint64_t at,
                          FunctionRef<Status(const SealedImage&)> found) {
  if (!could_be(entry.key) || entry.value_bytes > value_bytes_max) return {};
  if (entry.overflow_page != 0) return look_at_run(entry, storage::page_number(page), at, found);
  const auto kind = kind_of(entry.key, entry.value_bytes, entry.value);
  if (!kind) return {};
  const auto within = static_cast<std::uint64_t>(entry.value.data() - page.data());
  return found({*kind, entry.key, entry.value, {number_, entry.value_bytes, at + within}});
}

Status ImageFile::search_page(Bytes page, std::uint64_t at,
                              FunctionRef<Status(const SealedImage&)> found) {
  if (is_blank(page)) return {};
  Status status;
  storage::search_page(page, key_sizes, [&](const storage::PageEntry& entry) {
    if (status) status = look_at(entry, page, at, found);
  });
  return status;
}

Status ImageFile::search(base::Reached& reached, FunctionRef<Status(const SealedImage&)> found) {
  std::vector<std::byte> chunk(chunk_bytes);
  for (std::uint64_t at = 0;; at += chunk_bytes) {
    EFFACE_ASSIGN(const std::size_t got, file_.read_at(at, chunk));
    for (std::size_t page = 0; page < got; page += page_bytes) {
      const std::size_t size = std::min(page_bytes, got - page);
      EFFACE_TRY(search_page(Bytes(chunk).subspan(page, size), at + page, found));
    }
    reached.add(got);
    if (got < chunk_bytes) return {};
  }
}

}  // namespace efface::rights
