// keyring/root_file.h -- the root key file as a locked file of sectors: overwritten in place, read
// back, and judged by how well that destroys what stood there.
//
// Errors  Those of FileRootKeyStore for its path and its file system; those of os/file.h.
// Cost    overwrite is one pwrite and one fdatasync; read_back at most two preads.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "crypto/secret.h"
#include "efface/root_key_store.h"
#include "keyring/root_slot.h"
#include "os/file.h"
#include "os/in_place.h"
#include "os/lock.h"

namespace efface::keyring {

class RootFile {
 public:
  // The image is the whole file, without a key in it. On an error nothing is left at the path.
  static Result<RootFile> create(const std::filesystem::path& path, Bytes image, bool accept_l0);
  enum class Held : bool { alone, shared };
  static Result<RootFile> open(const std::filesystem::path& path, bool accept_l0,
                               Held held = Held::alone);

  Status read(std::uint64_t offset, RootSector out) const;
  // Whether the medium holds the same sector: true as well where only the page cache can be read.
  Result<bool> medium_agrees(std::uint64_t offset, RootSectorView sector);
  Status write(std::uint64_t offset, RootSectorView sector) const;
  Status sync() const { return file_.sync_data(); }
  // Errors: io when the file, or the medium under it, holds anything else.
  Status read_back(std::uint64_t offset, RootSectorView sector);

  std::optional<os::Extent> extent(std::uint64_t offset) const noexcept {
    return os::extent_of(file_, offset);
  }
  // What an overwrite of a sector showed. A sector that is left alone is judged with before =
  // after.
  struct Overwrite {
    std::optional<os::Extent> before;
    std::optional<os::Extent> after;
    bool held_key;
    std::uint64_t key_written_at_bytes;  // 0: unknown.
  };
  Assurance judge(const Overwrite& overwrite) const noexcept;

  const std::filesystem::path& directory() const noexcept { return place_.path; }
  // Unlinks a file that was just made and did not come to be a store.
  void discard() noexcept;

 private:
  struct Place {
    os::Directory parent;
    std::filesystem::path path;  // Of the parent, resolved when it was opened.
    std::string name;
  };
  static Result<Place> place_of(const std::filesystem::path& path);
  // Moves from the place only when it succeeds.
  static Result<RootFile> take(Place& place, os::File file, crypto::SecretBuffer scratch,
                               Held held);
  RootFile(Place place, os::File file, os::FileLock lock, crypto::SecretBuffer scratch) noexcept;
  Status write_new(Bytes image) const;

  Place place_;
  os::File file_;
  os::FileLock lock_;
  std::optional<os::DirectReader> medium_;
  os::FileSystem file_system_;
  bool journals_data_;
  crypto::SecretBuffer scratch_;  // Room for one aligned block; wiped after every use.
};

}  // namespace efface::keyring
