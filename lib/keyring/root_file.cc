#include "keyring/root_file.h"

#include <system_error>
#include <utility>

#include "base/check.h"
#include "os/parent.h"

namespace efface::keyring {
namespace {

constexpr std::size_t direct_bytes = os::DirectReader::alignment_bytes;
constexpr std::size_t scratch_bytes = 2 * direct_bytes;  // Holds one aligned block.
static_assert(root_block_bytes % direct_bytes == 0);

bool overwrites(os::FileSystem kind) noexcept {
  return kind == os::FileSystem::in_place || kind == os::FileSystem::memory;
}

Status check_file_system(int fd, bool accept_l0) {
  if (accept_l0 || overwrites(os::file_system_of(fd))) return {};
  return Error(Errc::assurance_too_low,
               "the root key file's file system copies on write, or is not known");
}

// The os layer speaks of stores; what is missing here is the root key.
Error of_root_key(Error error) noexcept {
  if (error.code() != Errc::store_missing) return error;
  return {Errc::root_key_missing, "there is no root key file", error.system_code()};
}

}  // namespace

Result<RootFile::Place> RootFile::place_of(const std::filesystem::path& path) {
  if (!path.has_filename()) return Error(Errc::invalid_argument, "the root key path names no file");
  Result<os::Directory> parent = os::open_parent_of(path);
  if (!parent) return of_root_key(parent.error());
  std::error_code failed;
  std::filesystem::path resolved = std::filesystem::absolute(path, failed);
  if (!failed) resolved = std::filesystem::canonical(resolved.parent_path(), failed);
  if (failed) return os::system_error(failed.value(), "resolution of the root key path");
  return Place{std::move(parent).value(), std::move(resolved), path.filename().string()};
}

RootFile::RootFile(Place place, os::File file, os::FileLock lock,
                   crypto::SecretBuffer scratch) noexcept
    : place_(std::move(place)),
      file_(std::move(file)),
      lock_(std::move(lock)),
      medium_(os::DirectReader::open(file_)),
      file_system_(os::file_system_of(file_.fd())),
      journals_data_(os::may_journal_data(file_)),
      scratch_(std::move(scratch)) {}

Result<RootFile> RootFile::take(Place& place, os::File file, crypto::SecretBuffer scratch,
                                Held held) {
  EFFACE_ASSIGN(os::FileLock lock, held == Held::alone
                                       ? os::FileLock::acquire_existing(place.parent, place.name)
                                       : os::FileLock::share_existing(place.parent, place.name));
  EFFACE_ASSIGN(const os::FileId locked, lock.id());
  EFFACE_ASSIGN(const os::FileId opened, file.id());
  if (locked != opened) return Error(Errc::unsafe_path, "the root key file was exchanged");
  return RootFile(std::move(place), std::move(file), std::move(lock), std::move(scratch));
}

Result<RootFile> RootFile::create(const std::filesystem::path& path, Bytes image, bool accept_l0) {
  EFFACE_CHECK(image.size() == root_file_bytes);
  EFFACE_ASSIGN(Place place, place_of(path));
  EFFACE_TRY(check_file_system(place.parent.fd(), accept_l0));
  crypto::SecretBuffer scratch(scratch_bytes);  // May throw: not once there is a file.
  EFFACE_ASSIGN(os::File file, os::File::create(place.parent, place.name));
  Result<RootFile> made = take(place, std::move(file), std::move(scratch), Held::alone);
  if (!made) {
    static_cast<void>(place.parent.remove_file(place.name));
    return made;
  }
  const Status written = made->write_new(image);
  if (written) return made;
  made->discard();
  return written.error();
}

Result<RootFile> RootFile::open(const std::filesystem::path& path, bool accept_l0, Held held) {
  EFFACE_ASSIGN(Place place, place_of(path));
  Result<os::File> file = os::File::open(place.parent, place.name, os::File::Access::read_write);
  if (!file) return of_root_key(file.error());
  EFFACE_TRY(check_file_system(file->fd(), accept_l0));
  EFFACE_ASSIGN(RootFile opened,
                take(place, std::move(file).value(), crypto::SecretBuffer(scratch_bytes), held));
  EFFACE_ASSIGN(const std::uint64_t size, opened.file_.size());
  if (size != root_file_bytes) return Error(Errc::corruption, "a root key file of another size");
  return opened;
}

Status RootFile::write_new(Bytes image) const {
  EFFACE_TRY(file_.write_at(0, image));
  EFFACE_TRY(file_.sync());
  return place_.parent.sync();
}

// If it cannot be removed either, the error that led here says more.
void RootFile::discard() noexcept { static_cast<void>(place_.parent.remove_file(place_.name)); }

Status RootFile::read(std::uint64_t offset, RootSector out) const {
  return file_.read_at(offset, out);
}

Result<bool> RootFile::medium_agrees(std::uint64_t offset, RootSectorView sector) {
  if (!medium_) return true;
  void* start = scratch_.data();
  std::size_t room = scratch_.size();
  EFFACE_CHECK(std::align(direct_bytes, direct_bytes, start, room) != nullptr);
  const MutableBytes block(static_cast<std::byte*>(start), direct_bytes);
  const Result<bool> served = medium_->read_at(offset, block);
  const bool same = served && *served && crypto::equal(block.first(sector.size()), sector);
  crypto::wipe(block);
  if (!served) return served.error();
  return same || !*served;
}

Status RootFile::write(std::uint64_t offset, RootSectorView sector) const {
  return file_.write_at(offset, sector);
}

Status RootFile::read_back(std::uint64_t offset, RootSectorView sector) {
  const RootSector out = RootSector(scratch_.data(), root_sector_bytes);
  const Status got = read(offset, out);
  const bool same = got && crypto::equal(out, sector);
  crypto::wipe(out);
  EFFACE_TRY(got);
  if (!same) return Error(Errc::io, "the root key file holds something else than was written");
  EFFACE_ASSIGN(const bool agrees, medium_agrees(offset, sector));
  if (!agrees) return Error(Errc::io, "the medium holds something else than was written");
  return {};
}

Assurance RootFile::judge(const Overwrite& overwrite) const noexcept {
  using enum AssuranceLevel;
  const auto& [before, after, held_key, key_written_at_bytes] = overwrite;
  if (!overwrites(file_system_))
    return {l0_logical, "Logical only: the file system copies on write, or is not known."};
  if (file_system_ == os::FileSystem::memory)
    return {l1_overwritten,
            "Overwritten in place in memory, where there are no extents to compare."};
  if (!before || !after)
    return {l1_overwritten, "Overwritten in place; the file system shows no extents to compare."};
  if (!before->in_place || !after->in_place)
    return {l0_logical, "Logical only: the extent is shared with another file, or encoded."};
  if (before->physical_bytes != after->physical_bytes)
    return {l0_logical, "Logical only: the overwrite went to another place than the old bytes."};
  if (held_key && before->physical_bytes != key_written_at_bytes)
    return {l1_overwritten,
            "Overwritten in place, but the file was moved or copied after the key was written."};
  if (journals_data_)
    return {l1_overwritten,
            "Overwritten in place, but file data may pass through the file system's journal."};
  return {l2_overwrite_verified,
          "Overwritten in place: one unshared extent, the same before and after, and read back. "
          "What lies below the file system is not seen."};
}

}  // namespace efface::keyring
