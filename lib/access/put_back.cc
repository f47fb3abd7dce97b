#include "access/put_back.h"

#include <algorithm>

#include "access/backup.h"
#include "access/info.h"
#include "base/check.h"
#include "codec/manifest_codec.h"
#include "os/lock.h"

namespace efface::access {
namespace {

constexpr std::string_view in_use = "records";
constexpr std::string_view arriving = "records.new";
constexpr std::string_view leaving = "records.old";
constexpr std::string_view data_file = "data.mdb";
constexpr std::size_t piece_bytes = std::size_t{1} << 20;

Status copy_file(const os::Directory& from, const os::Directory& to, std::string_view name,
                 base::Reached& reached) {
  EFFACE_ASSIGN(const os::File source, os::File::open(from, name, os::File::Access::read));
  EFFACE_ASSIGN(const os::File target, os::File::create(to, name));
  EFFACE_ASSIGN(const std::uint64_t size, source.size());
  std::vector<std::byte> piece(std::min<std::uint64_t>(size, piece_bytes));
  for (std::uint64_t at = 0; at < size; at += piece.size()) {
    const auto part = MutableBytes(piece).first(std::min<std::uint64_t>(size - at, piece.size()));
    EFFACE_TRY(source.read_at(at, part));
    EFFACE_TRY(target.write_at(at, part));
    reached.add(part.size());
  }
  return target.sync();
}

// What a crash left: the old ones, if the new ones did not come; else the new ones.
Status tidy(const os::Directory& region) {
  EFFACE_TRY(region.remove_tree(arriving));
  EFFACE_ASSIGN(const bool there, region.contains(in_use));
  EFFACE_ASSIGN(const bool old, region.contains(leaving));
  if (!there && old) EFFACE_TRY(region.rename(leaving, in_use));
  if (there && old) EFFACE_TRY(region.remove_tree(leaving));
  return region.sync();
}

Status take_place(const os::Directory& region) {
  EFFACE_TRY(region.sync());
  EFFACE_ASSIGN(const bool there, region.contains(in_use));
  if (there) EFFACE_TRY(region.rename(in_use, leaving));
  EFFACE_TRY(region.rename(arriving, in_use));
  EFFACE_TRY(region.sync());
  EFFACE_TRY(region.remove_tree(leaving));
  return region.sync();
}

Status replace_records(const os::Directory& backup, const RegionPlace& place,
                       base::Reached& reached) {
  EFFACE_ASSIGN(const os::Directory theirs, backup.open_child(place.name));
  EFFACE_ASSIGN(const os::Directory records, theirs.open_child(in_use));
  EFFACE_ASSIGN(const os::Directory into, place.directory.create_child(arriving));
  EFFACE_TRY(copy_file(records, into, data_file, reached));
  EFFACE_TRY(into.sync());
  return take_place(place.directory);
}

Status begin_with_none(const RegionPlace& place) {
  EFFACE_ASSIGN(const os::Directory into, place.directory.create_child(arriving));
  EFFACE_TRY(records::Vault::create(into, place.id, {}));
  EFFACE_TRY(into.sync());
  return take_place(place.directory);
}

}  // namespace

Result<std::vector<std::string>> put_records_back(const OpenOptions& options,
                                                  const RestoreOptions& restore,
                                                  base::Reached& reached) {
  std::vector<std::string> replaced;
  EFFACE_ASSIGN(const std::vector<RegionPlace> places, region_places(options.directory));
  std::optional<os::Directory> backup;
  codec::BackupFields fields;
  if (!restore.records.empty()) {
    EFFACE_ASSIGN(os::Directory opened, os::Directory::open(restore.records));
    EFFACE_ASSIGN(fields, verify_backup(opened, reached));
    backup = std::move(opened);
    for (const codec::BackupRegionFields& theirs : fields.regions)
      for (const RegionPlace& place : places)
        if (place.name == theirs.name && place.id != theirs.id)
          return Error(Errc::region_mismatch, "the backup is of another store");
  }
  for (const RegionPlace& place : places) {
    const auto asked = std::ranges::any_of(
        options.regions, [&](const RegionOptions& r) { return r.name == place.name; });
    if (!asked) continue;
    EFFACE_ASSIGN(const os::FileLock lock, os::FileLock::acquire(place.directory, "lock"));
    EFFACE_TRY(tidy(place.directory));
    const auto theirs =
        std::ranges::find(fields.regions, place.name, &codec::BackupRegionFields::name);
    EFFACE_ASSIGN(const bool there, place.directory.contains(in_use));
    if (theirs != fields.regions.end())
      EFFACE_TRY(replace_records(*backup, place, reached));
    else if (!there && restore.without_records)
      EFFACE_TRY(begin_with_none(place));
    else
      continue;
    replaced.push_back(place.name);
  }
  return replaced;
}

}  // namespace efface::access
