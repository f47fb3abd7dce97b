#include "keyring/ledger_copy.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/prf.h"
#include "os/truncate.h"

namespace efface::keyring {
namespace {

constexpr std::string_view magic = "EFLEDGER";
constexpr std::uint32_t copy_format = 1;
constexpr std::uint32_t entry_bytes_max = 64 * 1024;

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
    // A crash while it was made leaves it short, or zeros.
    const bool unwritten =
        std::ranges::all_of(header, [](std::byte b) { return b == std::byte{}; });
    if (!unwritten || size > header_bytes) {
      if (std::memcmp(header.data(), expected.data(), 8) != 0)
        return Error(Errc::corruption, "the ledger's copy has no header");
      if (load_le<std::uint32_t>(header.data() + 8) > copy_format)
        return Error(Errc::format_new, "the ledger's copy was written by a newer version");
      return Error(Errc::region_mismatch, "the ledger's copy belongs to another region");
    }
    EFFACE_TRY(file.write_at(0, expected));
    EFFACE_TRY(file.sync());
    return LedgerCopy(std::move(file));
  }
  EFFACE_ASSIGN(os::File file, os::File::create(parent, name));
  EFFACE_TRY(file.write_at(0, expected));
  EFFACE_TRY(file.sync());
  EFFACE_TRY(parent.sync());
  return LedgerCopy(std::move(file));
}

Status LedgerCopy::cut(std::uint64_t size) const { return os::truncate(file_, size); }

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
