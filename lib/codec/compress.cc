#include "codec/compress.h"

#include <pthread.h>

#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "base/check.h"
#include "efface/limits.h"

namespace efface::codec {
namespace {

// A value of the largest size, with its name and metadata around it.
constexpr std::size_t plain_bytes_max = limits::value_bytes_max + 64 * 1024;
constexpr std::size_t small_bytes_max = 4096;

// A context of libzstd in memory of ours, because it holds tables and literals of the plaintext and
// is to be wiped. Making one asks the processor what it can do, which traps in a virtual machine
// and takes longer than a record; so it is made once, and after each use the memory is wiped and
// the few bytes that a new context has are put back.
template <class Context>
class Workspace {
 public:
  Workspace(std::size_t size, Context* (*make)(void*, std::size_t))
      : memory_((size + line_bytes - 1) / line_bytes * line_bytes) {
    crypto::wipe(memory_.bytes());
    context_ = make(memory_.data(), memory_.size());
    EFFACE_CHECK(context_ != nullptr);
    for (std::size_t at = 0; at < memory_.size(); at += line_bytes) {
      Line line{.at = at, .bytes = {}};
      const std::array<std::byte, line_bytes> zeros{};
      std::memcpy(line.bytes.data(), memory_.data() + at, line_bytes);
      if (line.bytes != zeros) fresh_.push_back(line);
    }
  }
  void restore() noexcept {
    crypto::wipe(memory_.bytes());
    for (const Line& line : fresh_)
      std::memcpy(memory_.data() + line.at, line.bytes.data(), line_bytes);
  }
  Context* context() noexcept { return context_; }

 private:
  static constexpr std::size_t line_bytes = 64;
  struct Line {
    std::size_t at;
    std::array<std::byte, line_bytes> bytes;
  };
  Plaintext memory_;
  Context* context_ = nullptr;
  std::vector<Line> fresh_;
};

template <class Context>
class Use {
 public:
  explicit Use(Workspace<Context>& workspace) noexcept : workspace_(workspace) {}
  ~Use() { workspace_.restore(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  Context* context() noexcept { return workspace_.context(); }

 private:
  Workspace<Context>& workspace_;
};

// The one of this thread; it goes with the thread. Not a thread_local: for the destructor of one
// the C library ends the process when it has no memory.
template <class Context>
Workspace<Context>& workspace_of_thread(std::size_t (*size)(),
                                        Context* (*make)(void*, std::size_t)) {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    const auto end = [](void* workspace) { delete static_cast<Workspace<Context>*>(workspace); };
    if (pthread_key_create(&made, end) != 0) throw std::bad_alloc();
    return made;
  }();
  if (void* const there = pthread_getspecific(key)) [[likely]]
    return *static_cast<Workspace<Context>*>(there);
  auto made = std::make_unique<Workspace<Context>>(size(), make);
  if (pthread_setspecific(key, made.get()) != 0) throw std::bad_alloc();
  return *made.release();
}

std::size_t compressor_bytes(std::size_t plain_bytes) noexcept {
  return ZSTD_estimateCCtxSize_usingCParams(ZSTD_getCParams(compress_level, plain_bytes, 0));
}

// The frame says its content size and carries no checksum: the seal has one.
std::optional<Plaintext> compress_with(ZSTD_CCtx* context, Bytes plain) {
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

bool is_one_frame_of(Bytes frame, std::size_t plain_bytes) noexcept {
  ZSTD_frameHeader header;
  return ZSTD_getFrameHeader(&header, frame.data(), frame.size()) == 0 &&
         header.frameType == ZSTD_frame && header.frameContentSize == plain_bytes &&
         header.dictID == 0 && header.checksumFlag == 0 &&
         ZSTD_findFrameCompressedSize(frame.data(), frame.size()) == frame.size();
}

}  // namespace

std::optional<Plaintext> compress(Bytes plain) {
  if (plain.size() < compress_floor_bytes || plain.size() > plain_bytes_max) return std::nullopt;
  if (plain.size() <= small_bytes_max) {
    auto& workspace = workspace_of_thread<ZSTD_CCtx>(
        [] { return compressor_bytes(small_bytes_max); }, ZSTD_initStaticCCtx);
    return compress_with(Use(workspace).context(), plain);
  }
  Plaintext memory(compressor_bytes(plain.size()));
  ZSTD_CCtx* const context = ZSTD_initStaticCCtx(memory.data(), memory.size());
  EFFACE_CHECK(context != nullptr);
  return compress_with(context, plain);
}

Result<Plaintext> decompress(Bytes frame, std::size_t plain_bytes) {
  constexpr Error refused(Errc::corruption, "not the compressed frame it says");
  if (plain_bytes > plain_bytes_max || !is_one_frame_of(frame, plain_bytes)) return refused;
  auto& workspace = workspace_of_thread<ZSTD_DCtx>(ZSTD_estimateDCtxSize, ZSTD_initStaticDCtx);
  Plaintext plain(plain_bytes);
  if (ZSTD_decompressDCtx(Use(workspace).context(), plain.data(), plain.size(), frame.data(),
                          frame.size()) != plain_bytes)
    return refused;
  return plain;
}

}  // namespace efface::codec
