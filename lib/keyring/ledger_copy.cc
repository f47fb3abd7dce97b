#include "keyring/ledger_copy.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/prf.h"
#include "os/preallocate.h"
#include "os/truncate.h"

namespace efface::keyring {
namespace {

constexpr std::string_view magic = "EFLEDGER";
constexpr std::uint32_t copy_format = 1;
constexpr std::uint32_t entry_bytes_max = 64 * 1024;
constexpr std::uint64_t set_aside_bytes = 128 * 1024;

// magic 8 | format 4 | region 16 | zero 4
std::array<std::byte, LedgerCopy::header_bytes> header_of(const Id16& region) {
  std::array<std::byte, LedgerCopy::header_bytes> header{};
  std::memcpy(header.data(), magic.data(), 8);
  store_le(header.data() + 8, copy_format);
  std::copy(region.begin(), region.end(), header.begin() + 12);
  return header;
}

}  // namespace

Id16 first_chain(const Id16& region) {
  return crypto::hash128({as_bytes("efface.ledger.chain"), Bytes(region)});
}

Id16 next_chain(const Id16& chain, Bytes entry) { return crypto::hash128({Bytes(chain), entry}); }

void add_frame(std::vector<std::byte>& frames, const Id16& chain, Bytes entry) {
  const std::size_t at = frames.size();
  frames.resize(at + frame_overhead_bytes + entry.size());
  store_le(frames.data() + at, static_cast<std::uint32_t>(entry.size()));
  auto out = frames.begin() + static_cast<std::ptrdiff_t>(at + 4);
  std::ranges::copy(entry, std::ranges::copy(chain, out).out);
}

Result<LedgerCopy> LedgerCopy::open(const os::Directory& parent, std::string_view name,
                                    const Id16& region) {
  const auto expected = header_of(region);
  EFFACE_ASSIGN(const bool there, parent.contains(name));
  if (there) {
    EFFACE_ASSIGN(os::File file, os::File::open(parent, name, os::File::Access::read_write));
    EFFACE_ASSIGN(const std::uint64_t size, file.size());
    std::array<std::byte, header_bytes> header{};
    if (size >= header_bytes) EFFACE_TRY(file.read_at(0, header));
    if (header == expected) return LedgerCopy(std::move(file));
    if (size < header_bytes) {  // Cut off by somebody, as if it were not there.
      EFFACE_TRY(file.write_at(0, expected));
      EFFACE_TRY(file.sync());
      return LedgerCopy(std::move(file));
    }
    if (std::memcmp(header.data(), expected.data(), 8) != 0)
      return Error(Errc::corruption, "the ledger's copy has no header");
    if (load_le<std::uint32_t>(header.data() + 8) > copy_format)
      return Error(Errc::format_new, "the ledger's copy was written by a newer version");
    return Error(Errc::region_mismatch, "the ledger's copy belongs to another region");
  }
  // It has its name once its header is durable: a crash before leaves whatever it likes.
  const std::string coming = std::string(name) + ".new";
  EFFACE_ASSIGN(const bool left_over, parent.contains(coming));
  if (left_over) EFFACE_TRY(parent.remove_file(coming));
  EFFACE_ASSIGN(os::File file, os::File::create(parent, coming));
  EFFACE_TRY(file.write_at(0, expected));
  EFFACE_TRY(file.sync());
  EFFACE_TRY(parent.rename(coming, name));
  EFFACE_TRY(parent.sync());
  return LedgerCopy(std::move(file));
}

// That gives back what was set aside.
Status LedgerCopy::cut(std::uint64_t size) {
  allocated_ = 0;
  return os::truncate(file_, size);
}

Status LedgerCopy::set_aside_beyond(std::uint64_t end) {
  if (end + set_aside_bytes <= allocated_) return {};
  const std::uint64_t wanted = end + set_aside_bytes + set_aside_bytes / 4;
  EFFACE_TRY(os::preallocate(file_.fd(), wanted));
  allocated_ = wanted;
  return {};
}

Result<std::optional<LedgerCopy::Frame>> LedgerCopy::read(std::uint64_t offset) const {
  EFFACE_ASSIGN(const std::uint64_t size, file_.size());
  if (size < offset + frame_overhead_bytes) return std::optional<Frame>();
  std::array<std::byte, frame_overhead_bytes> head{};
  EFFACE_TRY(file_.read_at(offset, head));
  const auto length = load_le<std::uint32_t>(head.data());
  if (length == 0 || length > entry_bytes_max || size - offset - frame_overhead_bytes < length)
    return std::optional<Frame>();
  Frame frame;
  std::copy_n(head.begin() + 4, 16, frame.chain.begin());
  frame.entry.resize(length);
  EFFACE_TRY(file_.read_at(offset + frame_overhead_bytes, frame.entry));
  frame.end = offset + frame_overhead_bytes + length;
  return std::optional<Frame>(std::move(frame));
}

}  // namespace efface::keyring
