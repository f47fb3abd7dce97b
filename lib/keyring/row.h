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
// key: turns subject ids into tags. aux: how many of its people are held.
inline constexpr Label pseudonym_key = 3;
inline constexpr Label signing_key = 4;   // key: the seed that signs the region's checkpoints.
inline constexpr Label region_notes = 5;  // key: of what the region notes for itself.
// Labels of a subject tree: 0 is the person, 1 to 256 the scopes in use, by purpose number (aux:
// generation). Other incarnations of a scope stand at incarnation << 10 | purpose number.
inline constexpr Label person = 0;
inline constexpr Label purpose_mask = 0x03ff;
inline constexpr Label incarnation_step = 0x0400;
inline constexpr Label successor = 1;   // While a scope is re-keyed: the one that takes its place.
inline constexpr Label first_kept = 2;  // To 15: withdrawn, and kept by a legal hold.
inline constexpr Label last_kept = 15;
inline constexpr Label arriving_scope = 16;    // Of who is merged into her: not hers yet.
inline constexpr Label sealing_key = 17;       // No scope: the key of what is kept elsewhere.
inline constexpr Label shared_count = 0x8000;  // | purpose. aux: her links to shared records.
inline constexpr Label hold_key = 0xfc00;      // Opens what a legal hold keeps past its day.
inline constexpr Label suppression = 0xfc01;   // A tombstone: survives the erasure of the person.
inline constexpr Label merging_row = 0xfc03;   // handle: the tag of the person she is merged into.
inline constexpr Label alias_row = 0xfc02;     // handle: the tag of the person it leads to.

constexpr Label purpose_of(Label label) noexcept { return label & purpose_mask; }
constexpr Label incarnation_of(Label label) noexcept { return static_cast<Label>(label >> 10); }
constexpr Label scope_label(Label purpose, Label incarnation) noexcept {
  return static_cast<Label>(incarnation * incarnation_step + purpose);
}
// A scope, in use or not.
constexpr bool is_scope(Label label) noexcept {
  return purpose_of(label) != 0 && incarnation_of(label) <= last_kept;
}
constexpr bool is_sealing(Label label) noexcept {
  return purpose_of(label) != 0 && incarnation_of(label) == sealing_key;
}
constexpr bool is_scope_in_use(Label label) noexcept {
  return label != 0 && incarnation_of(label) == 0;
}

// Flags of a person's row.
inline constexpr std::uint16_t flag_restricted = 1;
inline constexpr std::uint16_t flag_held = 2;
inline constexpr std::uint16_t flag_leaving = 4;    // Her erasure waits for a hold's release.
inline constexpr std::uint16_t flag_moving = 8;     // A transfer takes her away: no writes.
inline constexpr std::uint16_t flag_incoming = 16;  // A transfer brings her: not here yet.
// Flags of a scope's row.
inline constexpr std::uint16_t flag_granted = 1;
inline constexpr std::uint16_t flag_objected = 2;
// Labels of a retention tree.
inline constexpr Label bucket_key = 0;  // aux: the day.
inline constexpr Label high_water = 1;  // aux: the last day whose buckets have been destroyed.

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

  // Whatever the two have in common, it takes as long.
  bool has_tag(const Tag& tag) const noexcept {
    const auto differs = [&](std::size_t at) {
      return load_le<std::uint64_t>(at_ + at) ^ load_le<std::uint64_t>(tag.data() + at);
    };
    return (differs(0) | differs(8)) == 0;
  }
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

inline void write_label(std::byte* at, Label label, std::uint16_t flags,
                        std::uint32_t aux) noexcept {
  store_le<std::uint16_t>(at + 64, label);
  store_le<std::uint16_t>(at + 66, flags);
  store_le<std::uint32_t>(at + 68, aux);
}

inline void write_row(std::byte* at, const Row& row) noexcept {
  std::memcpy(at, row.tag.data(), 16);
  std::memcpy(at + 16, row.key.bytes().data(), crypto::key_bytes);
  std::memcpy(at + 48, row.handle.data(), 16);
  write_label(at, row.label, row.flags, row.aux);
}

}  // namespace efface::keyring
