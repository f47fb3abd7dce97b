#include "codec/backup_codec.h"

#include <backup_generated.h>

#include <algorithm>

#include "base/check.h"
#include "codec/flat.h"

namespace efface::codec {
namespace {

template <std::size_t N>
Status take(const flatbuffers::Vector<std::uint8_t>* from, std::array<std::byte, N>& into) {
  const Bytes bytes = view(from);
  if (bytes.size() != N) return Error(Errc::corruption, "a hash or an id of another size");
  std::ranges::copy(bytes, into.begin());
  return {};
}

}  // namespace

Plaintext encode(const BackupFields& fields) {
  FlatBuilder flat(usual_bytes);
  std::vector<flatbuffers::Offset<schema::BackupRegion>> regions;
  regions.reserve(fields.regions.size());
  for (const BackupRegionFields& region : fields.regions) {
    const auto name = flat.text(region.name);
    const auto id = flat.bytes(region.id);
    const auto info_hash = flat.bytes(region.info_hash);
    regions.push_back(schema::CreateBackupRegion(*flat, name, id, region.keyring_sequence,
                                                 region.epoch, info_hash, region.data_bytes,
                                                 flat.bytes(region.data_hash)));
  }
  const auto all = flat->CreateVector(regions);
  const auto store_hash = flat.bytes(fields.store_hash);
  return flat.finish(schema::CreateBackup(*flat, fields.format, fields.made_ms, store_hash, all),
                     schema::BackupIdentifier());
}

Result<BackupFields> decode_backup(Bytes bytes) {
  EFFACE_CHECK(is_aligned(bytes));
  auto verify = verifier(bytes);
  if (!schema::VerifyBackupBuffer(verify)) return Error(Errc::corruption, "not a backup");
  const auto* const backup = schema::GetBackup(bytes.data());
  BackupFields fields;
  fields.format = backup->format();
  fields.made_ms = backup->made_ms();
  EFFACE_TRY(take(backup->store_hash(), fields.store_hash));
  for (const auto* region : *backup->regions()) {
    BackupRegionFields& into = fields.regions.emplace_back();
    into.name = view(region->name());
    EFFACE_TRY(take(region->id(), into.id));
    into.keyring_sequence = region->keyring_sequence();
    into.epoch = region->epoch();
    EFFACE_TRY(take(region->info_hash(), into.info_hash));
    into.data_bytes = region->data_bytes();
    EFFACE_TRY(take(region->data_hash(), into.data_hash));
  }
  return fields;
}

}  // namespace efface::codec
