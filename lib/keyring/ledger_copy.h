// keyring/ledger_copy.h -- the copy of the ledger that is kept outside the keyring.
//
// Shape   docs/format/ledger.md: a header of 32 bytes, then frames of length 4 | chain 16 | entry.
//         A chain is BLAKE2b-128 of the chain before and the entry, so that one comparison says
//         whether two ledgers are the same up to there.
// Threads One at a time.
// Errors  Those of os::File; corruption: not such a file. region_mismatch: of another region.
#pragma once
#include <optional>
#include <vector>

#include "os/file.h"

namespace efface::keyring {

inline constexpr std::size_t frame_overhead_bytes = 20;

Id16 first_chain(const Id16& region);
Id16 next_chain(const Id16& chain, Bytes entry);
// Appends an entry's frame.
void add_frame(std::vector<std::byte>& frames, const Id16& chain, Bytes entry);

class LedgerCopy {
 public:
  static constexpr std::uint64_t header_bytes = 32;

  // Makes an empty one where there is none.
  static Result<LedgerCopy> open(const os::Directory& parent, std::string_view name,
                                 const Id16& region);

  Result<std::uint64_t> size() const { return file_.size(); }
  Status write(std::uint64_t offset, Bytes frames) const { return file_.write_at(offset, frames); }
  Status sync() const { return file_.sync_data(); }
  Status cut(std::uint64_t size);
  // Room on the disk for some six hundred erasures more, beyond `end`. Errors: no_space.
  Status set_aside_beyond(std::uint64_t end);

  struct Frame {
    Id16 chain{};
    std::vector<std::byte> entry;
    std::uint64_t end = 0;  // Where the next one begins.
  };
  // The frame that begins there; nothing when none does, or a torn one. Whether its chain fits is
  // for the caller to say.
  Result<std::optional<Frame>> read(std::uint64_t offset) const;

 private:
  explicit LedgerCopy(os::File file) noexcept : file_(std::move(file)) {}
  os::File file_;
  std::uint64_t allocated_ = 0;  // Up to there it was seen to.
};

}  // namespace efface::keyring
