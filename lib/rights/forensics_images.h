// rights/forensics_images.h -- sealed objects of ours in any file: found by what stands around
// them, before any key is tried.
//
// Shape   A page may begin at every multiple of 4,096 bytes. A value on overflow pages is looked
//         for where its leaf's own page number puts it, in the same file.
// Errors  io: the file cannot be read, or not to its end.
// Cost    One read of the file in chunks of 1 MiB; a value on overflow pages is read by itself,
//         once for each key, size and page.
#pragma once
#include <filesystem>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/progress.h"
#include "os/survey.h"
#include "storage/pages.h"

namespace efface::rights {

struct ImagePlace {
  std::uint32_t file = 0;
  std::uint32_t size = 0;
  std::uint64_t offset = 0;
};

struct SealedImage {
  enum class Kind : std::uint8_t { record, shared, file, node, root } kind;
  Bytes key;  // Valid during the call, as value.
  Bytes value;
  ImagePlace place;
};

// What an entry of an LMDB page may be. value: its beginning at least. Nothing: none of ours.
std::optional<SealedImage::Kind> kind_of(Bytes key, std::uint32_t value_bytes,
                                         Bytes value) noexcept;

class ImageFile {
 public:
  ImageFile(os::ForeignFile file, std::uint32_t number) : file_(std::move(file)), number_(number) {}

  // Counted are bytes.
  Status search(base::Reached& reached, FunctionRef<Status(const SealedImage&)> found);
  std::uint64_t size() const noexcept { return file_.size(); }
  // What was found before; shorter when the file is shorter now.
  Result<std::vector<std::byte>> read(const ImagePlace& place) const;

 private:
  Status search_page(Bytes page, std::uint64_t at, FunctionRef<Status(const SealedImage&)> found);
  Status look_at(const storage::PageEntry& entry, Bytes page, std::uint64_t at,
                 FunctionRef<Status(const SealedImage&)> found);
  Status look_at_run(const storage::PageEntry& entry, std::uint64_t leaf, std::uint64_t at,
                     FunctionRef<Status(const SealedImage&)> found);

  os::ForeignFile file_;
  std::uint32_t number_;
  std::unordered_set<Id16, Id16Hash> runs_;  // Looked at already.
};

}  // namespace efface::rights
