#include "storage/write_set.h"

#include "base/bytes.h"
#include "base/check.h"
#include "storage/environment.h"

namespace efface::storage {
namespace {

constexpr std::byte put_kind{1};
constexpr std::byte removal_kind{2};
constexpr std::size_t header_bytes = 1 + sizeof(std::uint16_t) + sizeof(std::uint32_t);

}  // namespace

void WriteSet::note(std::byte kind, Bytes key, Bytes value) {
  const std::size_t at = changes_.size();
  changes_.resize(at + header_bytes);
  changes_[at] = kind;
  store_le(changes_.data() + at + 1, static_cast<std::uint16_t>(key.size()));
  store_le(changes_.data() + at + 3, static_cast<std::uint32_t>(value.size()));
  changes_.insert(changes_.end(), key.begin(), key.end());
  changes_.insert(changes_.end(), value.begin(), value.end());
}

void WriteSet::note_put(Bytes key, Bytes value) { note(put_kind, key, value); }

void WriteSet::note_removal(Bytes key) { note(removal_kind, key, {}); }

Status WriteSet::apply(WriteTxn& txn) const {
  for (Bytes left = changes_; !left.empty();) {
    EFFACE_CHECK(left.size() >= header_bytes);
    const std::byte kind = left[0];
    const std::size_t key_bytes = load_le<std::uint16_t>(left.data() + 1);
    const std::size_t value_bytes = load_le<std::uint32_t>(left.data() + 3);
    left = left.subspan(header_bytes);
    EFFACE_CHECK(left.size() >= key_bytes + value_bytes);
    const Bytes key = left.first(key_bytes);
    const Bytes value = left.subspan(key_bytes, value_bytes);
    left = left.subspan(key_bytes + value_bytes);
    if (kind == put_kind)
      EFFACE_TRY(txn.put(key, value));
    else
      EFFACE_TRY(txn.remove(key));
  }
  return {};
}

}  // namespace efface::storage
