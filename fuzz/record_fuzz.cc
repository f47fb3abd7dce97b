// Opened record bytes: refused, or the same fields again after they are written anew.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/check.h"
#include "codec/record_codec.h"

using efface::Bytes;
using efface::codec::RecordFields;

namespace {

bool same(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

bool same(const RecordFields& a, const RecordFields& b) {
  return same(a.name, b.name) && same(a.value, b.value) && a.written_ms == b.written_ms &&
         a.expires_ms == b.expires_ms && a.permitted == b.permitted && a.origin == b.origin &&
         a.recipients == b.recipients && a.automated_decision == b.automated_decision;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  efface::codec::Plaintext plain(size);
  std::copy_n(reinterpret_cast<const std::byte*>(data), size, plain.data());
  const auto fields = efface::codec::decode_record(plain.bytes());
  if (!fields) return 0;
  const auto again = efface::codec::encode(*fields);
  const auto read = efface::codec::decode_record(again.bytes());
  EFFACE_CHECK(read && same(*fields, *read));
  return 0;
}
