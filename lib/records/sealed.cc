#include "records/sealed.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/random.h"

namespace efface::records {
namespace {

constexpr std::array<std::byte, 4> magic{std::byte{'E'}, std::byte{'F'}, std::byte{'S'},
                                         std::byte{'B'}};
constexpr std::string_view use = "efface.sealed";
constexpr std::size_t mark_at = 16;
constexpr std::size_t salt_bytes = 8;

// Salted, so that of two sealed bytes nobody can tell whether one key opens both.
std::array<std::byte, 8> mark_of(const keyring::Handle& handle, Bytes salt) noexcept {
  const Id16 hash = crypto::hash128({as_bytes("efface.sealed.mark"), salt, Bytes(handle)});
  std::array<std::byte, 8> mark;
  std::copy_n(hash.begin(), mark.size(), mark.begin());
  return mark;
}

// The context comes last: all before it has one length.
std::vector<std::byte> associated_of(const ScopeKeys& keys, Bytes header, Bytes context) {
  std::array<std::byte, 4> tenant;
  store_le(tenant.data(), keys.tenant);
  std::vector<std::byte> out;
  out.reserve(header.size() + 16 + tenant.size() + 16 + context.size());
  for (const Bytes part :
       {header, Bytes(keys.region), Bytes(tenant), Bytes(keys.scope.handle), context})
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace

std::vector<std::byte> seal_bytes(const ScopeKeys& keys, Bytes context, Bytes plain) {
  std::vector<std::byte> out(sealed_overhead_bytes + plain.size());
  std::ranges::copy(magic, out.begin());
  out[4] = std::byte{sealed_version};
  out[5] = std::byte{crypto::suite_xchacha20_poly1305};
  store_le<std::uint16_t>(out.data() + 6, keyring::purpose_of(keys.scope.label));
  store_le(out.data() + 8, keys.scope.aux);
  store_le(out.data() + 12, keys.bucket);
  const MutableBytes salt = MutableBytes(out).subspan(mark_at, salt_bytes);
  crypto::fill_random(salt);
  std::ranges::copy(mark_of(keys.scope.handle, salt), out.data() + mark_at + salt_bytes);
  crypto::SecretKey scratch;
  crypto::seal(dek_of(use, keys, scratch),
               associated_of(keys, Bytes(out).first(sealed_header_bytes), context), plain,
               MutableBytes(out).subspan(sealed_header_bytes));
  return out;
}

Result<ClearHeader> read_sealed_header(Bytes sealed) {
  if (sealed.size() < magic.size() + 1 || !std::ranges::equal(sealed.first(magic.size()), magic))
    return Error(Errc::corruption, "the bytes are none that were sealed");
  if (std::to_integer<int>(sealed[4]) > sealed_version)
    return Error(Errc::format_new, "the bytes were sealed by a later version");
  if (sealed.size() < sealed_overhead_bytes || sealed[4] != std::byte{sealed_version})
    return Error(Errc::corruption, "the bytes are shorter than any that were sealed");
  if (sealed[5] != std::byte{crypto::suite_xchacha20_poly1305})
    return Error(Errc::corruption, "the bytes are sealed with an unknown suite");
  ClearHeader header;
  header.purpose = load_le<std::uint16_t>(sealed.data() + 6);
  header.generation = load_le<std::uint32_t>(sealed.data() + 8);
  header.bucket = load_le<std::uint32_t>(sealed.data() + 12);
  if (header.bucket != never && header.bucket >= last_day)
    return Error(Errc::corruption, "the bytes are of a day that is none");
  return header;
}

bool is_marked_for(const keyring::Handle& handle, Bytes sealed) noexcept {
  const Bytes mark = sealed.subspan(mark_at, sealed_header_bytes - mark_at);
  return std::ranges::equal(mark_of(handle, mark.first(salt_bytes)), mark.subspan(salt_bytes));
}

Result<codec::Plaintext> open_bytes(const ScopeKeys& keys, Bytes context, Bytes sealed) {
  EFFACE_ASSIGN(const ClearHeader header, read_sealed_header(sealed));
  if (header.purpose != keyring::purpose_of(keys.scope.label) ||
      header.generation != keys.scope.aux || header.bucket != keys.bucket)
    return Error(Errc::corruption, "the bytes were sealed under another key than they say");
  codec::Plaintext plain(sealed.size() - sealed_overhead_bytes);
  crypto::SecretKey scratch;
  EFFACE_TRY(crypto::open(dek_of(use, keys, scratch),
                          associated_of(keys, sealed.first(sealed_header_bytes), context),
                          sealed.subspan(sealed_header_bytes), plain.bytes()));
  return plain;
}

}  // namespace efface::records
