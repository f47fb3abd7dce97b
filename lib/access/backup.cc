#include "access/backup.h"

#include <algorithm>
#include <set>
#include <utility>

#include "access/info.h"
#include "base/check.h"
#include "base/utf8.h"
#include "codec/manifest_codec.h"
#include "crypto/hasher.h"
#include "crypto/prf.h"
#include "crypto/secret.h"
#include "os/parent.h"
#include "storage/verify.h"

namespace efface::access {
namespace {

constexpr std::uint32_t backup_format = 1;
constexpr std::string_view manifest_file = "manifest";
constexpr std::uint64_t manifest_bytes_max = 256 * 1024;
constexpr std::uint64_t info_bytes_max = 256 * 1024;
constexpr std::string_view records_directory = "records";
constexpr std::string_view data_file = "data.mdb";
constexpr std::string_view lock_file = "lock.mdb";
constexpr std::size_t piece_bytes = std::size_t{1} << 20;
constexpr std::size_t seal_bytes = sizeof(codec::FileHash);

Result<codec::FileHash> hash_of(const os::File& file, std::uint64_t size,
                                base::Reached* reached = nullptr) {
  crypto::Hasher hasher;
  std::vector<std::byte> piece(std::min<std::uint64_t>(size, piece_bytes));
  for (std::uint64_t at = 0; at < size; at += piece.size()) {
    const auto part = MutableBytes(piece).first(std::min<std::uint64_t>(size - at, piece.size()));
    EFFACE_TRY(file.read_at(at, part));
    hasher.add(part);
    if (reached != nullptr) reached->add(part.size());
  }
  return hasher.finish();
}

codec::FileHash hash_of(Bytes bytes) {
  crypto::Hasher hasher;
  hasher.add(bytes);
  return hasher.finish();
}

Result<codec::FileHash> write_file(const os::Directory& parent, std::string_view name,
                                   Bytes bytes) {
  EFFACE_ASSIGN(const os::File file, os::File::create(parent, name));
  EFFACE_TRY(file.write_at(0, bytes));
  EFFACE_TRY(file.sync());
  return hash_of(bytes);
}

// What is not there, or is more than it can be, is not what was written.
Error as_corruption(Error error) {
  if (error.code() != Errc::store_missing) return error;
  return Error(Errc::corruption, "a part of a backup is missing", error.system_code());
}

Result<os::File> open_part(const os::Directory& parent, std::string_view name) {
  auto file = os::File::open(parent, name, os::File::Access::read);
  if (!file) return as_corruption(file.error());
  return file;
}

Status check_file(const os::Directory& parent, std::string_view name, const codec::FileHash& hash) {
  EFFACE_ASSIGN(const os::File file, open_part(parent, name));
  EFFACE_ASSIGN(const std::uint64_t size, file.size());
  if (size > info_bytes_max) return Error(Errc::corruption, "a part of a backup is too large");
  EFFACE_ASSIGN(const codec::FileHash found, hash_of(file, size));
  if (found == hash) return {};
  return Error(Errc::corruption, "a part of a backup is not what was written");
}

Result<codec::BackupRegionFields> copy_region(const os::Directory& into, const RegionState& region,
                                              const BackupOptions& options) {
  codec::BackupRegionFields fields;
  fields.name = region.name;
  fields.id = region.id;
  EFFACE_ASSIGN(const os::Directory directory, into.create_child(region.name));
  const codec::Plaintext info =
      codec::encode(codec::RegionInfoFields{region_format, region.id, region.name});
  EFFACE_ASSIGN(fields.info_hash, write_file(directory, region_info_file, info.bytes()));
  EFFACE_ASSIGN(const records::Vault::Seen seen, region.vault->seen());
  fields.keyring_sequence = seen.sequence;
  fields.epoch = seen.epoch;
  EFFACE_ASSIGN(const os::Directory vault, directory.create_child(records_directory));
  EFFACE_ASSIGN(const storage::Environment::Stats before, region.vault->stats());
  const auto tell = [&](std::uint64_t bytes) -> Status {
    if (options.on_progress) options.on_progress({region.name, bytes, before.used_bytes});
    return {};
  };
  EFFACE_TRY(region.vault->copy(vault, {}, tell));
  EFFACE_TRY(vault.remove_file(lock_file));  // Nobody has it open; LMDB makes another.
  EFFACE_TRY(vault.sync());
  EFFACE_ASSIGN(const os::File data, os::File::open(vault, data_file, os::File::Access::read));
  EFFACE_ASSIGN(fields.data_bytes, data.size());
  EFFACE_ASSIGN(fields.data_hash, hash_of(data, fields.data_bytes));
  EFFACE_TRY(directory.sync());
  return fields;
}

// The manifest ends with its own hash: against decay, not against an adversary.
Status write_manifest(const os::Directory& into, const codec::BackupFields& fields) {
  const codec::Plaintext encoded = codec::encode(fields);
  std::vector<std::byte> bytes(encoded.bytes().begin(), encoded.bytes().end());
  const codec::FileHash seal = hash_of(bytes);
  bytes.insert(bytes.end(), seal.begin(), seal.end());
  EFFACE_TRY(write_file(into, manifest_file, bytes));
  return {};
}

Result<codec::BackupFields> write_all(const os::Directory& into, const Site& site,
                                      const BackupOptions& options) {
  codec::BackupFields fields;
  fields.format = backup_format;
  fields.made_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(site.now().time_since_epoch()).count();
  codec::StoreFields store{store_format, {}};
  for (const auto& region : site.regions()) {
    if (!region->open) continue;
    EFFACE_ASSIGN(codec::BackupRegionFields copied, copy_region(into, *region, options));
    fields.regions.push_back(std::move(copied));
    store.regions.push_back({region->name, region->name});
  }
  if (fields.regions.empty()) return Error(Errc::region_not_open, "no region is open");
  const codec::Plaintext info = codec::encode(store);
  EFFACE_ASSIGN(fields.store_hash, write_file(into, store_info_file, info.bytes()));
  EFFACE_TRY(write_manifest(into, fields));
  EFFACE_TRY(into.sync());
  return fields;
}

Result<codec::BackupFields> read_manifest(const os::Directory& backup) {
  EFFACE_ASSIGN(const os::File file, open_part(backup, manifest_file));
  EFFACE_ASSIGN(const std::uint64_t size, file.size());
  if (size <= seal_bytes || size > manifest_bytes_max)
    return Error(Errc::corruption, "a backup's manifest has an impossible size");
  codec::Plaintext bytes(size);
  EFFACE_TRY(file.read_at(0, bytes.bytes()));
  const Bytes encoded = std::as_const(bytes).bytes().first(size - seal_bytes);
  if (!std::ranges::equal(hash_of(encoded), std::as_const(bytes).bytes().last(seal_bytes)))
    return Error(Errc::corruption, "a backup's manifest is not what was written");
  EFFACE_ASSIGN(codec::BackupFields fields, codec::decode_backup(encoded));
  if (fields.format > backup_format)
    return Error(Errc::format_new, "the backup was written by a newer version");
  if (fields.format < backup_format)
    return Error(Errc::format_old, "the backup is of an older format");
  return fields;
}

Status check_region(const os::Directory& backup, const codec::BackupRegionFields& region,
                    base::Reached& reached) {
  auto directory = backup.open_child(region.name);
  if (!directory) return as_corruption(directory.error());
  EFFACE_TRY(check_file(*directory, region_info_file, region.info_hash));
  auto vault = directory->open_child(records_directory);
  if (!vault) return as_corruption(vault.error());
  EFFACE_ASSIGN(const os::File data, open_part(*vault, data_file));
  EFFACE_ASSIGN(const std::uint64_t size, data.size());
  if (size != region.data_bytes)
    return Error(Errc::corruption, "the records of a backup have another size");
  EFFACE_ASSIGN(const codec::FileHash found, hash_of(data, size, &reached));
  if (found != region.data_hash)
    return Error(Errc::corruption, "the records of a backup are not what was written");
  EFFACE_TRY(storage::verify_structure(data));
  reached.add(size);
  return {};
}

}  // namespace

Result<BackupReport> back_up(const Site& site, const BackupOptions& options) {
  if (options.target.empty() || options.target.filename().empty())
    return Error(Errc::invalid_argument, "a backup needs a directory with a name");
  for (const std::filesystem::path& directory : site.directories()) {
    EFFACE_ASSIGN(const bool inside, os::lies_within(options.target, directory));
    if (inside) return Error(Errc::unsafe_path, "a backup would lie inside the data");
  }
  EFFACE_ASSIGN(const os::Directory parent, os::open_parent_of(options.target));
  const std::string name = options.target.filename().string();
  EFFACE_ASSIGN(const bool taken, parent.contains(name));
  if (taken) return Error(Errc::exists, "there is something at the backup's path");
  const std::string temporary = name + ".new";
  EFFACE_TRY(parent.remove_tree(temporary));  // Left by a crash.
  auto made = [&]() -> Result<codec::BackupFields> {
    EFFACE_ASSIGN(const os::Directory into, parent.create_child(temporary));
    EFFACE_ASSIGN(codec::BackupFields fields, write_all(into, site, options));
    EFFACE_TRY(parent.rename(temporary, name));
    return fields;
  }();
  if (!made) {
    static_cast<void>(parent.remove_tree(temporary));  // What was wrong is said already.
    return made.error();
  }
  EFFACE_TRY(parent.sync());
  for (const auto& region : site.regions())
    for (const codec::BackupRegionFields& copied : made->regions)
      if (copied.name == region->name)
        region->watch.note(LogEvent::backed_up,
                           {{"bytes", copied.data_bytes}, {"epoch", copied.epoch}});
  return report_of(*made);
}

Result<codec::BackupFields> verify_backup(const os::Directory& backup, base::Reached& reached) {
  EFFACE_ASSIGN(codec::BackupFields fields, read_manifest(backup));
  for (const codec::BackupRegionFields& region : fields.regions)
    reached.expect(reached.times() * region.data_bytes);
  EFFACE_TRY(check_file(backup, store_info_file, fields.store_hash));
  std::set<std::string_view> names;
  for (const codec::BackupRegionFields& region : fields.regions) {
    if (!base::is_label(region.name) || !names.insert(region.name).second)
      return Error(Errc::corruption, "a backup names no region");
    EFFACE_TRY(check_region(backup, region, reached));
  }
  return fields;
}

BackupReport report_of(const codec::BackupFields& fields) {
  BackupReport report;
  report.made = std::chrono::system_clock::time_point(std::chrono::milliseconds(fields.made_ms));
  for (const codec::BackupRegionFields& region : fields.regions)
    report.regions.push_back(
        {region.name, region.keyring_sequence, region.epoch, region.data_bytes});
  return report;
}

}  // namespace efface::access
