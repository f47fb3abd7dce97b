#include "records/envelope.h"

#include <algorithm>

#include "base/check.h"
#include "codec/compress.h"
#include "crypto/aead.h"
#include "efface/limits.h"

namespace efface::records {
namespace {

// A person's own row counts something else there: her identifiers.
std::uint32_t generation_of(const keyring::Row& scope) noexcept {
  return scope.label == keyring::person ? 0 : scope.aux;
}

constexpr std::string_view record_use = "efface.dek";
constexpr std::size_t associated_bytes = clear_header_bytes + 16 + 4 + 16 + 16;

std::array<std::byte, associated_bytes> associated_of(const GroupPlace& place, const Id16& tag,
                                                      Bytes clear) noexcept {
  std::array<std::byte, associated_bytes> out;
  std::byte* at = std::copy(clear.begin(), clear.end(), out.data());
  at = std::copy(place.region.begin(), place.region.end(), at);
  store_le(at, place.tenant);
  at = std::copy(place.handle.begin(), place.handle.end(), at + 4);
  std::copy(tag.begin(), tag.end(), at);
  return out;
}

GroupPlace place_of(const ScopeKeys& keys) noexcept {
  return {keys.region, keys.tenant, keys.scope.handle};
}

std::array<std::byte, clear_header_bytes> clear_of(const ClearHeader& header) noexcept {
  std::array<std::byte, clear_header_bytes> out{};
  out[0] = std::byte{record_version};
  out[1] = std::byte{crypto::suite_xchacha20_poly1305};
  store_le(out.data() + 2, header.flags);
  store_le<std::uint16_t>(out.data() + 4, header.purpose);
  store_le(out.data() + 8, header.generation);
  store_le(out.data() + 12, header.bucket);
  return out;
}

void derive_dek(std::string_view use, const ScopeKeys& keys, crypto::KeySpan out) {
  std::array<std::byte, 14> numbers{};
  store_le(numbers.data(), keys.tenant);
  store_le<std::uint16_t>(numbers.data() + 4, keyring::purpose_of(keys.scope.label));
  store_le(numbers.data() + 6, generation_of(keys.scope));
  store_le(numbers.data() + 10, keys.bucket);
  const auto prf = [&](crypto::KeyView key, crypto::KeySpan into) {
    crypto::prf256(
        key, {as_bytes(use), Bytes(keys.region), Bytes(keys.scope.handle), Bytes(numbers)}, into);
  };
  auto of_bucket = crypto::SecretKey::zeroed();
  prf(keys.scope.key.bytes(), out);
  prf(keys.bucket_key, of_bucket.bytes());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] ^= std::as_const(of_bucket).bytes()[i];
}

}  // namespace

crypto::KeyView dek_of(std::string_view use, const ScopeKeys& keys, crypto::SecretKey& scratch) {
  return keys.rows.derived(keys.scope.label, keys.bucket, scratch,
                           [&](crypto::KeySpan into) { derive_dek(use, keys, into); });
}

Id16 name_tag(const keyring::Row& scope, std::string_view name) noexcept {
  return crypto::prf128(scope.key.bytes(), {as_bytes("efface.name"), as_bytes(name)});
}

RecordKey record_key(const keyring::Handle& handle, const Id16& tag) noexcept {
  RecordKey key;
  std::copy(handle.begin(), handle.end(), key.begin());
  std::copy(tag.begin(), tag.end(), key.begin() + 16);
  return key;
}

Id16 tag_of(const RecordKey& key) noexcept {
  Id16 tag;
  std::copy(key.begin() + 16, key.end(), tag.begin());
  return tag;
}

namespace {

std::vector<std::byte> seal_under(crypto::KeyView dek, const GroupPlace& place, const Id16& tag,
                                  ClearHeader header, const codec::RecordFields& fields,
                                  bool compress) {
  codec::Plaintext plain = codec::encode(fields);
  std::optional<codec::Plaintext> frame;
  // What stands around a small value compresses alone, and not by enough to pay for the time.
  if (compress && fields.value.size() >= codec::compress_floor_bytes)
    frame = codec::compress(plain.bytes());
  if (frame) {
    codec::Plaintext sized(4 + frame->size());
    store_le(sized.data(), static_cast<std::uint32_t>(plain.size()));
    std::copy_n(frame->data(), frame->size(), sized.data() + 4);
    plain = std::move(sized);
    header.flags |= flag_compressed;
  }
  std::vector<std::byte> out(envelope_overhead_bytes + plain.size());
  const auto clear = clear_of(header);
  std::copy(clear.begin(), clear.end(), out.begin());
  crypto::seal(dek, associated_of(place, tag, clear), plain.bytes(),
               MutableBytes(out).subspan(clear_header_bytes));
  return out;
}

Result<OpenRecord> open_under(crypto::KeyView dek, const GroupPlace& place, const Id16& tag,
                              const ClearHeader& header, Bytes value) {
  OpenRecord open{codec::Plaintext(value.size() - envelope_overhead_bytes), {}};
  EFFACE_TRY(crypto::open(dek, associated_of(place, tag, value.first(clear_header_bytes)),
                          value.subspan(clear_header_bytes), open.plain.bytes()));
  if ((header.flags & flag_compressed) != 0) {
    if (open.plain.size() < 4) return Error(Errc::corruption, "a compressed record has no size");
    EFFACE_ASSIGN(open.plain, codec::decompress(std::as_const(open.plain).bytes().subspan(4),
                                                load_le<std::uint32_t>(open.plain.data())));
  }
  EFFACE_ASSIGN(open.fields, codec::decode_record(std::as_const(open.plain).bytes()));
  if (open.fields.shared.empty() == ((header.flags & flag_link) != 0))
    return Error(Errc::corruption, "a record is a link, or not, against its header");
  return open;
}

}  // namespace

std::vector<std::byte> seal_record(const ScopeKeys& keys, const Id16& tag,
                                   const codec::RecordFields& fields, bool compress) {
  const ClearHeader header{fields.shared.empty() ? std::uint16_t{0} : flag_link,
                           keyring::purpose_of(keys.scope.label), generation_of(keys.scope),
                           keys.bucket};
  crypto::SecretKey scratch;
  return seal_under(dek_of(record_use, keys, scratch), place_of(keys), tag, header, fields,
                    compress);
}

Result<ClearHeader> read_header(Bytes value) {
  if (value.size() < envelope_overhead_bytes)
    return Error(Errc::corruption, "a record is shorter than any record");
  if (value[0] != std::byte{record_version})
    return Error(
        std::to_integer<int>(value[0]) > record_version ? Errc::format_new : Errc::corruption,
        "a record is of another version");
  if (value[1] != std::byte{crypto::suite_xchacha20_poly1305})
    return Error(Errc::corruption, "a record is sealed with an unknown suite");
  ClearHeader header;
  header.flags = load_le<std::uint16_t>(value.data() + 2);
  header.purpose = load_le<std::uint16_t>(value.data() + 4);
  header.generation = load_le<std::uint32_t>(value.data() + 8);
  header.bucket = load_le<std::uint32_t>(value.data() + 12);
  if ((header.flags & ~(flag_compressed | flag_link | flag_group)) != 0 ||
      load_le<std::uint16_t>(value.data() + 6) != 0)
    return Error(Errc::corruption, "a record has unknown flags");
  return header;
}

Bytes nonce_of(Bytes value) noexcept {
  return value.subspan(clear_header_bytes, crypto::nonce_bytes);
}

Result<OpenRecord> open_record(const ScopeKeys& keys, const Id16& tag, Bytes value) {
  EFFACE_ASSIGN(const ClearHeader header, read_header(value));
  if (header.purpose != keyring::purpose_of(keys.scope.label) ||
      header.generation != generation_of(keys.scope) || header.bucket != keys.bucket ||
      (header.flags & flag_group) != 0)
    return Error(Errc::corruption, "a record stands in another scope than it says");
  crypto::SecretKey scratch;
  return open_under(dek_of(record_use, keys, scratch), place_of(keys), tag, header, value);
}

std::vector<std::byte> seal_group(const GroupPlace& place, crypto::KeyView key,
                                  const codec::RecordFields& fields, bool compress) {
  return seal_under(key, place, {}, {flag_group, 0, 0, never}, fields, compress);
}

Result<OpenRecord> open_group(const GroupPlace& place, crypto::KeyView key, Bytes value) {
  EFFACE_ASSIGN(const ClearHeader header, read_header(value));
  if ((header.flags & flag_group) == 0 || (header.flags & flag_link) != 0)
    return Error(Errc::corruption, "a record that is not shared stands where one is");
  return open_under(key, place, {}, header, value);
}

}  // namespace efface::records
