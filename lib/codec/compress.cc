#include "codec/compress.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "base/check.h"
#include "efface/limits.h"

namespace efface::codec {
namespace {

// A value of the largest size, with its name and metadata around it.
constexpr std::size_t plain_bytes_max = limits::value_bytes_max + 64 * 1024;

Error not_our_frame() noexcept {
  return Error(Errc::corruption, "not the compressed frame it says");
}

}  // namespace

// A static context lives in memory of ours, so that it can be wiped: it holds tables and literals
// of the plaintext. The frame says its content size and carries no checksum (the seal has one).
std::optional<Plaintext> compress(Bytes plain) {
  if (plain.size() < compress_floor_bytes || plain.size() > plain_bytes_max) return std::nullopt;
  Plaintext work(
      ZSTD_estimateCCtxSize_usingCParams(ZSTD_getCParams(compress_level, plain.size(), 0)));
  ZSTD_CCtx* const context = ZSTD_initStaticCCtx(work.data(), work.size());
  EFFACE_CHECK(context != nullptr);
  // No room for more than is worth keeping: what does not fit is not compressed.
  Plaintext frame(plain.size() - plain.size() / 8);
  const std::size_t size = ZSTD_compressCCtx(context, frame.data(), frame.size(), plain.data(),
                                             plain.size(), compress_level);
  if (ZSTD_isError(size)) {
    EFFACE_CHECK(ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall);
    return std::nullopt;
  }
  frame.shrink(size);
  return frame;
}

Result<Plaintext> decompress(Bytes frame, std::size_t plain_bytes) {
  if (plain_bytes > plain_bytes_max) return not_our_frame();
  ZSTD_frameHeader header;
  if (ZSTD_getFrameHeader(&header, frame.data(), frame.size()) != 0) return not_our_frame();
  if (header.frameType != ZSTD_frame || header.frameContentSize != plain_bytes ||
      header.dictID != 0 || header.checksumFlag != 0)
    return not_our_frame();
  if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size())
    return not_our_frame();
  Plaintext work(ZSTD_estimateDCtxSize());
  ZSTD_DCtx* const context = ZSTD_initStaticDCtx(work.data(), work.size());
  EFFACE_CHECK(context != nullptr);
  Plaintext plain(plain_bytes);
  if (ZSTD_decompressDCtx(context, plain.data(), plain.size(), frame.data(), frame.size()) !=
      plain_bytes)
    return not_our_frame();
  return plain;
}

}  // namespace efface::codec
