// codec/backup_codec.h -- the manifest of a backup, as bytes.
//
// Shape   A FlatBuffer of backup.fbs (EFB1). docs/format/backup.md.
// Errors  corruption for bytes that the verifier refuses, and for hashes and ids of another size.
//         Bytes that do not start at a multiple of eight are a broken invariant.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/plaintext.h"
#include "efface/result.h"

namespace efface::codec {

using FileHash = std::array<std::byte, 32>;

struct BackupRegionFields {
  std::string name;
  Id16 id{};
  std::uint64_t keyring_sequence = 0;
  std::uint64_t epoch = 0;
  FileHash info_hash{};
  std::uint64_t data_bytes = 0;
  FileHash data_hash{};
  bool operator==(const BackupRegionFields&) const = default;
};

struct BackupFields {
  std::uint32_t format = 0;
  std::int64_t made_ms = 0;
  FileHash store_hash{};
  std::vector<BackupRegionFields> regions;
  bool operator==(const BackupFields&) const = default;
};

Plaintext encode(const BackupFields& fields);
Result<BackupFields> decode_backup(Bytes bytes);

}  // namespace efface::codec
