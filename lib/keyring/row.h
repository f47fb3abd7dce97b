// keyring/row.h -- one row of a key tree: a tag, a key, a handle.
//
// Shape  72 bytes, little-endian: tag 16 | key 32 | handle 16 | label 2 | flags 2 | aux 4
//        In the top tree a tag is a tenant; in a subject tree, a person; in a retention tree, a
//        bucket.
#pragma once
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "crypto/secret.h"

namespace efface::keyring {

using Tag = Id16;     // Keyed hash of what the row is about; stands only inside sealed leaves.
using Handle = Id16;  // Random; new with every row; names its records.
using Label = std::uint16_t;

inline constexpr std::size_t row_bytes = 72;

// Labels of the top tree (one tenant's rows).
inline constexpr Label tenant_terms = 0;    // key: the tenant's sealed terms. aux: its number.
inline constexpr Label subject_root = 1;    // key: root of its subject tree. aux: bucket count.
inline constexpr Label retention_root = 2;  // key: root of its retention tree. aux: bucket count.
inline constexpr Label pseudonym_key = 3;   // key: turns subject ids into tags.
// Labels of a subject tree: 0 is the person, 1 to 256 the scopes by purpose number (aux:
// generation).
inline constexpr Label person = 0;
// Label of a retention tree.
inline constexpr Label bucket_key = 0;

// A row that owns its key.
struct Row {
  Tag tag{};
  crypto::SecretKey key;
  Handle handle{};
  Label label = 0;
  std::uint16_t flags = 0;
  std::uint32_t aux = 0;
};

// A row in place, inside an opened leaf. Valid while the leaf is not changed.
class RowView {
 public:
  explicit RowView(const std::byte* at) noexcept : at_(at) {}

  bool has_tag(const Tag& tag) const noexcept { return std::memcmp(at_, tag.data(), 16) == 0; }
  Tag tag() const noexcept { return id_at(0); }
  crypto::KeyView key() const noexcept { return crypto::KeyView(at_ + 16, crypto::key_bytes); }
  Handle handle() const noexcept { return id_at(48); }
  Label label() const noexcept { return load_le<std::uint16_t>(at_ + 64); }
  std::uint16_t flags() const noexcept { return load_le<std::uint16_t>(at_ + 66); }
  std::uint32_t aux() const noexcept { return load_le<std::uint32_t>(at_ + 68); }

  Row copy() const {
    return {tag(), crypto::SecretKey::copy_of(key()), handle(), label(), flags(), aux()};
  }

 private:
  Id16 id_at(std::size_t offset) const noexcept {
    Id16 id;
    std::memcpy(id.data(), at_ + offset, id.size());
    return id;
  }
  const std::byte* at_;
};

inline void write_row(std::byte* at, const Row& row) noexcept {
  std::memcpy(at, row.tag.data(), 16);
  std::memcpy(at + 16, row.key.bytes().data(), crypto::key_bytes);
  std::memcpy(at + 48, row.handle.data(), 16);
  store_le<std::uint16_t>(at + 64, row.label);
  store_le<std::uint16_t>(at + 66, row.flags);
  store_le<std::uint32_t>(at + 68, row.aux);
}

}  // namespace efface::keyring
