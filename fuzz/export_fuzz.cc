// An export in FlatBuffers: refused, or the same again after it is written anew. Whatever is read
// is said in JSON of bounded size.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/export_codec.h"
#include "input.h"

namespace efface::fuzz {
namespace {

using Octets = std::vector<std::byte>;

Result<std::uint64_t> read(Bytes stream, codec::ExportWriter& into) {
  return codec::read_flat_export(
      [&](MutableBytes out) -> Result<std::size_t> {
        const Bytes piece = stream.first(std::min(out.size(), stream.size()));
        std::copy(piece.begin(), piece.end(), out.begin());
        stream = stream.subspan(piece.size());
        return piece.size();
      },
      into);
}

codec::ExportSink to(Octets& out) {
  return [&out](Bytes more) -> Status {
    out.insert(out.end(), more.begin(), more.end());
    return {};
  };
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  const Bytes stream(reinterpret_cast<const std::byte*>(data), size);
  fuzz::Octets json;
  fuzz::Octets flat;
  const auto json_writer = codec::json_export_writer(fuzz::to(json));
  const auto flat_writer = codec::flat_export_writer(fuzz::to(flat));
  const auto said = fuzz::read(stream, *json_writer);
  const auto copied = fuzz::read(stream, *flat_writer);
  // A message says each byte once, in JSON at most six for one, beside what every message says.
  EFFACE_CHECK(json.size() <= 30 * size + codec::export_buffer_bytes);
  if (!said) return 0;
  EFFACE_CHECK(copied && *copied == *said);
  fuzz::Octets again;
  const auto again_writer = codec::json_export_writer(fuzz::to(again));
  const auto read_again = fuzz::read(flat, *again_writer);
  EFFACE_CHECK(read_again && *read_again == *said && again == json);
  return 0;
}
