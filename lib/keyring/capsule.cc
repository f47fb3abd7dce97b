#include "keyring/capsule.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "ledger/note.h"

namespace efface::keyring {
namespace {

constexpr std::string_view magic = "efcapsul";
constexpr std::uint16_t version = 1;
constexpr std::size_t lengths_bytes = 6;
constexpr std::size_t key_bytes_max = 511;
constexpr std::uint32_t value_bytes_max = std::uint32_t{64} << 20;
constexpr std::size_t note_bytes_max = 4096;

Error damaged() { return Error(Errc::corruption, "a capsule is not as it was written"); }

std::string statement(const Id16& region, const std::array<std::byte, 32>& hash) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = ledger::origin_of(region) + "\ncapsule ";
  for (const std::byte byte : hash) {
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 15U];
  }
  text += '\n';
  return text;
}

}  // namespace

Status CapsuleWriter::write(Bytes bytes) {
  hasher_.add(bytes);
  return sink_(bytes);
}

Status CapsuleWriter::begin(const CapsuleHead& head) {
  crypto::SecretBuffer out(CapsuleHead::bytes);
  std::byte* const at = out.data();
  std::ranges::copy(as_bytes(magic), at);
  store_le(at + 8, version);
  store_le(at + 12, head.last_day);
  std::ranges::copy(head.region, at + 16);
  std::ranges::copy(head.root_id, at + 32);
  store_le(at + 48, head.epoch);
  store_le(at + 56, head.used_bytes);
  store_le(at + 64, head.bucket_count);
  std::ranges::copy(head.root.bytes(), at + 72);
  return write(std::as_const(out).bytes());
}

Status CapsuleWriter::add(Bytes key, Bytes value) {
  EFFACE_CHECK(!key.empty() && key.size() <= key_bytes_max && value.size() <= value_bytes_max);
  std::array<std::byte, lengths_bytes> lengths;
  store_le(lengths.data(), static_cast<std::uint16_t>(key.size()));
  store_le(lengths.data() + 2, static_cast<std::uint32_t>(value.size()));
  EFFACE_TRY(write(lengths));
  EFFACE_TRY(write(key));
  return write(value);
}

Status CapsuleWriter::finish(const Id16& region, const crypto::SigningKey& key) {
  EFFACE_TRY(write(std::array<std::byte, 2>{}));
  const std::string note =
      ledger::sign_note(statement(region, hasher_.finish()), ledger::origin_of(region), key);
  std::array<std::byte, 2> length;
  store_le(length.data(), static_cast<std::uint16_t>(note.size()));
  EFFACE_TRY(sink_(length));
  return sink_(as_bytes(note));
}

Result<CapsuleHead> CapsuleReader::begin(Bytes piece) {
  if (piece.size() < CapsuleHead::bytes) return damaged();
  const std::byte* const at = piece.data();
  if (!std::ranges::equal(piece.first<8>(), as_bytes(magic))) return damaged();
  if (load_le<std::uint16_t>(at + 8) > version)
    return Error(Errc::format_new, "the capsule was made by a newer version");
  const auto zero = [](Bytes bytes) {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
  };
  if (load_le<std::uint16_t>(at + 8) != version || !zero(piece.subspan<10, 2>()) ||
      !zero(piece.subspan<68, 4>()))
    return damaged();
  CapsuleHead head;
  head.last_day = load_le<std::uint32_t>(at + 12);
  std::copy_n(at + 16, head.region.size(), head.region.begin());
  std::copy_n(at + 32, head.root_id.size(), head.root_id.begin());
  head.epoch = load_le<std::uint64_t>(at + 48);
  head.used_bytes = load_le<std::uint64_t>(at + 56);
  head.bucket_count = load_le<std::uint32_t>(at + 64);
  head.root = crypto::SecretKey::copy_of(piece.subspan<72, crypto::key_bytes>());
  hasher_.add(piece.first<CapsuleHead::bytes>());
  return head;
}

// How many bytes it took; none: it is not whole yet.
Result<std::size_t> CapsuleReader::take_entry(Bytes rest, Add add) {
  if (rest.size() < 2) return std::size_t{0};
  const std::size_t key_size = load_le<std::uint16_t>(rest.data());
  if (key_size == 0) {
    in_note_ = true;
    hasher_.add(rest.first(2));
    return std::size_t{2};
  }
  if (rest.size() < lengths_bytes) return std::size_t{0};
  const std::size_t value_size = load_le<std::uint32_t>(rest.data() + 2);
  if (key_size > key_bytes_max || value_size > value_bytes_max) return damaged();
  const std::size_t size = lengths_bytes + key_size + value_size;
  if (rest.size() < size) return std::size_t{0};
  const Bytes key = rest.subspan(lengths_bytes, key_size);
  if (!std::ranges::lexicographical_compare(last_key_, key)) return damaged();
  last_key_.assign(key.begin(), key.end());
  hasher_.add(rest.first(size));
  EFFACE_TRY(add(key, rest.subspan(lengths_bytes + key_size, value_size)));
  return size;
}

Status CapsuleReader::feed(Bytes piece, Add add) {
  rest_.insert(rest_.end(), piece.begin(), piece.end());
  std::size_t taken = 0;
  while (!in_note_) {
    EFFACE_ASSIGN(const std::size_t more, take_entry(Bytes(rest_).subspan(taken), add));
    if (more == 0) break;
    taken += more;
  }
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(taken));
  if (in_note_ && rest_.size() > 2 + note_bytes_max) return damaged();
  return {};
}

Status CapsuleReader::finish(const Id16& region, std::string_view verifier_key) {
  if (!in_note_ || rest_.size() < 2 ||
      rest_.size() != std::size_t{2} + load_le<std::uint16_t>(rest_.data()))
    return damaged();
  EFFACE_ASSIGN(const ledger::OpenNote note,
                ledger::open_note(as_text(Bytes(rest_).subspan(2)), verifier_key));
  if (note.name != ledger::origin_of(region))
    return Error(Errc::region_mismatch, "the verifier key is of another region");
  if (note.text != statement(region, hasher_.finish())) return damaged();
  return {};
}

}  // namespace efface::keyring
