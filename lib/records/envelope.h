// records/envelope.h -- one record, sealed and opened.
//
// Shape   docs/format/record.md. In the database: key = handle 16 | name tag 16; value = version 1
//         | suite 1 | flags 2 | purpose 2 | zero 2 | generation 4 | bucket 4 | nonce 24 |
//         ciphertext | tag 16. In clear, a FlatBuffer of record.fbs, or (flag 1) its size 4 and its
//         Zstandard frame.
// Errors  corruption for bytes that do not verify, or that stand in another place than they were
//         sealed for.
// Cost    1 KiB: about 1.5 microseconds either way; compression, where it helps, some more.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "codec/record_codec.h"
#include "keyring/keyring.h"
#include "records/bucket.h"

namespace efface::records {

using RecordKey = std::array<std::byte, 32>;

inline constexpr std::uint8_t record_version = 1;
inline constexpr std::uint16_t flag_compressed = 1;
inline constexpr std::uint16_t flag_link = 2;   // To a record that several people share.
inline constexpr std::uint16_t flag_group = 4;  // Such a record.
inline constexpr std::size_t clear_header_bytes = 16;
inline constexpr std::size_t envelope_overhead_bytes =
    clear_header_bytes + crypto::seal_overhead_bytes;

// The scope that a record belongs to, with the keys that open it.
struct ScopeKeys {
  Id16 region{};
  std::uint32_t tenant = 0;
  const keyring::Keys& rows;  // Of the person.
  const keyring::Row& scope;  // One of them.
  Bucket bucket = never;
  crypto::KeyView bucket_key;
};

// DEK = PRF(scope key; context) XOR PRF(bucket key; context): it takes both to open what is sealed.
// Remembered with the rows; valid while they and scratch live.
crypto::KeyView dek_of(std::string_view use, const ScopeKeys& keys, crypto::SecretKey& scratch);

struct ClearHeader {
  std::uint16_t flags = 0;
  keyring::Label purpose = 0;
  std::uint32_t generation = 0;
  Bucket bucket = never;
};

// Who knows the scope key can find a record by name; nobody else can tell what names there are.
Id16 name_tag(const keyring::Row& scope, std::string_view name) noexcept;
RecordKey record_key(const keyring::Handle& handle, const Id16& tag) noexcept;
Id16 tag_of(const RecordKey& key) noexcept;

std::vector<std::byte> seal_record(const ScopeKeys& keys, const Id16& tag,
                                   const codec::RecordFields& fields, bool compress);

// What stands in clear, before any key is looked for.
Result<ClearHeader> read_header(Bytes value);
Bytes nonce_of(Bytes value) noexcept;  // After read_header accepted it.

// The record in clear: fields are views into plain.
struct OpenRecord {
  codec::Plaintext plain;
  codec::RecordFields fields;
};
Result<OpenRecord> open_record(const ScopeKeys& keys, const Id16& tag, Bytes value);

// A record that several people share, under a random key and a random handle.
struct GroupPlace {
  Id16 region{};
  std::uint32_t tenant = 0;
  keyring::Handle handle{};
};
std::vector<std::byte> seal_group(const GroupPlace& place, crypto::KeyView key,
                                  const codec::RecordFields& fields, bool compress);
Result<OpenRecord> open_group(const GroupPlace& place, crypto::KeyView key, Bytes value);

}  // namespace efface::records
