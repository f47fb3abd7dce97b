#include "ledger/entry.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "crypto/prf.h"

namespace efface::ledger {
namespace {

constexpr std::byte entry_version{1};
constexpr std::size_t kind_at = 1;
constexpr std::size_t time_at = 4;
constexpr std::size_t tenant_at = 12;
constexpr std::size_t header_bytes = 16;
constexpr std::size_t field_header_bytes = 3;
constexpr std::size_t actor_bytes_max = 64;
constexpr std::size_t detail_bytes_max = 1024;
constexpr std::size_t sealed_bytes_max = 16 * 1024;
constexpr std::uint8_t kind_last = static_cast<std::uint8_t>(Kind::swept);
constexpr std::uint8_t field_last = 13;

Error damaged() { return {Errc::corruption, "not an entry of a ledger"}; }

bool all_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

class Writer {
 public:
  explicit Writer(const Entry& entry) : out_(header_bytes) {
    out_[0] = entry_version;
    out_[kind_at] = static_cast<std::byte>(entry.kind);
    store_le(out_.data() + time_at, entry.time_ms);
    store_le(out_.data() + tenant_at, entry.tenant);
  }

  void add(std::uint8_t id, Bytes bytes) {
    std::byte header[field_header_bytes] = {std::byte{id}};
    store_le(header + 1, static_cast<std::uint16_t>(bytes.size()));
    out_.insert(out_.end(), std::begin(header), std::end(header));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  template <std::unsigned_integral T>
  void add(std::uint8_t id, const std::optional<T>& number) {
    if (!number) return;
    std::byte bytes[sizeof(T)];
    store_le(bytes, *number);
    add(id, Bytes(bytes));
  }
  template <std::size_t N>
  void add(std::uint8_t id, const std::optional<std::array<std::byte, N>>& bytes) {
    if (!bytes) return;
    EFFACE_CHECK(!all_zero(*bytes));
    add(id, Bytes(*bytes));
  }
  void add_some(std::uint8_t id, Bytes bytes, std::size_t bytes_max) {
    if (bytes.empty()) return;
    EFFACE_CHECK(bytes.size() <= bytes_max);
    add(id, bytes);
  }
  std::vector<std::byte> finish() && { return std::move(out_); }

 private:
  std::vector<std::byte> out_;
};

template <std::unsigned_integral T>
bool read(Bytes bytes, std::optional<T>& out) {
  if (bytes.size() != sizeof(T)) return false;
  out = load_le<T>(bytes.data());
  return true;
}

template <std::size_t N>
bool read(Bytes bytes, std::optional<std::array<std::byte, N>>& out) {
  if (bytes.size() != N || all_zero(bytes)) return false;
  std::ranges::copy(bytes, out.emplace().begin());
  return true;
}

bool read_text(Bytes bytes, std::size_t bytes_max, std::string& out) {
  if (bytes.empty() || bytes.size() > bytes_max || !base::is_utf8(as_text(bytes))) return false;
  out = as_text(bytes);
  return true;
}

bool read_sealed(Bytes bytes, std::vector<std::byte>& out) {
  if (bytes.empty() || bytes.size() > sealed_bytes_max) return false;
  out.assign(bytes.begin(), bytes.end());
  return true;
}

bool read_field(std::uint8_t id, Bytes bytes, Entry& entry) {
  switch (id) {
    case 1:
      return read(bytes, entry.purpose);
    case 2:
      return read(bytes, entry.count);
    case 3:
      return read(bytes, entry.day);
    case 4:
      return read(bytes, entry.epoch_before);
    case 5:
      return read(bytes, entry.epoch_after);
    case 6:
      return read(bytes, entry.root_before);
    case 7:
      return read(bytes, entry.root_after);
    case 8:
      return read(bytes, entry.destroyed);
    case 9:
      return read(bytes, entry.commitment);
    case 10:
      return read(bytes, entry.request);
    case 11:
      return read_sealed(bytes, entry.sealed);
    case 12:
      return read_text(bytes, actor_bytes_max, entry.actor);
    case 13:
      return read_text(bytes, detail_bytes_max, entry.detail);
  }
  return false;
}

}  // namespace

const char* name(Kind kind) noexcept {
  static constexpr const char* names[] = {"region_created",
                                          "tenant_declared",
                                          "purpose_declared",
                                          "configured",
                                          "enrolled",
                                          "consent_granted",
                                          "consent_withdrawn",
                                          "objected",
                                          "objection_lifted",
                                          "restricted",
                                          "restriction_lifted",
                                          "held",
                                          "hold_released",
                                          "erasure_asked",
                                          "erased",
                                          "suppressed",
                                          "reinstated",
                                          "expired",
                                          "transferred",
                                          "received",
                                          "exported",
                                          "rectified",
                                          "identifier_added",
                                          "merged",
                                          "rekeyed",
                                          "offboarded",
                                          "root_migrated",
                                          "restored",
                                          "capsule_made",
                                          "incident_opened",
                                          "incident_updated",
                                          "swept"};
  static_assert(std::size(names) == kind_last);
  const std::uint8_t number = static_cast<std::uint8_t>(kind);
  return number == 0 || number > kind_last ? "unknown" : names[number - 1];
}

std::vector<std::byte> encode(const Entry& entry) {
  EFFACE_CHECK(static_cast<std::uint8_t>(entry.kind) != 0 &&
               static_cast<std::uint8_t>(entry.kind) <= kind_last);
  EFFACE_CHECK(base::is_utf8(entry.actor) && base::is_utf8(entry.detail));
  Writer writer(entry);
  writer.add(1, entry.purpose);
  writer.add(2, entry.count);
  writer.add(3, entry.day);
  writer.add(4, entry.epoch_before);
  writer.add(5, entry.epoch_after);
  writer.add(6, entry.root_before);
  writer.add(7, entry.root_after);
  writer.add(8, entry.destroyed);
  writer.add(9, entry.commitment);
  writer.add(10, entry.request);
  writer.add_some(11, entry.sealed, sealed_bytes_max);
  writer.add_some(12, as_bytes(entry.actor), actor_bytes_max);
  writer.add_some(13, as_bytes(entry.detail), detail_bytes_max);
  return std::move(writer).finish();
}

Result<Entry> decode(Bytes bytes) {
  if (bytes.size() < header_bytes || bytes[0] == std::byte{0}) return damaged();
  if (bytes[0] != entry_version) return Error(Errc::format_new, "an entry of a later version");
  const auto kind = std::to_integer<std::uint8_t>(bytes[kind_at]);
  if (kind == 0 || !all_zero(bytes.subspan(2, 2))) return damaged();
  if (kind > kind_last) return Error(Errc::format_new, "an entry of a kind that is not known here");
  Entry entry;
  entry.kind = static_cast<Kind>(kind);
  entry.time_ms = load_le<std::uint64_t>(bytes.data() + time_at);
  entry.tenant = load_le<std::uint32_t>(bytes.data() + tenant_at);
  std::uint8_t last = 0;
  for (Bytes left = bytes.subspan(header_bytes); !left.empty();) {
    if (left.size() < field_header_bytes) return damaged();
    const auto id = std::to_integer<std::uint8_t>(left[0]);
    const std::size_t size = load_le<std::uint16_t>(left.data() + 1);
    if (id <= last || left.size() - field_header_bytes < size) return damaged();
    if (id > field_last) return Error(Errc::format_new, "an entry with a field not known here");
    if (!read_field(id, left.subspan(field_header_bytes, size), entry)) return damaged();
    last = id;
    left = left.subspan(field_header_bytes + size);
  }
  return entry;
}

Hash hash_of_row(Bytes handle) { return crypto::hash256({as_bytes("efface.ledger.row"), handle}); }

Hash commitment_to(Bytes salt, std::string_view tenant, Bytes subject_id) {
  EFFACE_CHECK(salt.size() == crypto::key_bytes);
  Hash commitment;
  crypto::prf256(crypto::KeyView(salt.first<crypto::key_bytes>()),
                 {as_bytes("efface.ledger.commitment"), as_bytes(tenant), subject_id}, commitment);
  return commitment;
}

Hash salt_of_one(Bytes salt, Bytes subject_id) {
  EFFACE_CHECK(salt.size() == crypto::key_bytes);
  Hash own;
  crypto::prf256(crypto::KeyView(salt.first<crypto::key_bytes>()),
                 {as_bytes("efface.ledger.salt"), subject_id}, own);
  return own;
}

}  // namespace efface::ledger
