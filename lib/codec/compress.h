// codec/compress.h -- Zstandard, per record, only where it helps, and never with a dictionary: one
// trained on records would keep personal data past the erasure.
//
// All working memory of libzstd is wiped when the call ends.
//
// Threads  Each thread that comes here keeps about 170 KiB of such memory, wiped, until it ends.
// Errors   decompress answers corruption for what is not one frame of exactly the size said.
// Cost     4 microseconds for 1 KiB, 2.5 to decompress it.
// Source   RFC 8878.
#pragma once
#include <cstddef>
#include <optional>

#include "codec/plaintext.h"
#include "efface/result.h"

namespace efface::codec {

inline constexpr std::size_t compress_floor_bytes = 256;  // Below, time is lost for little space.
inline constexpr int compress_level = 1;

// Nothing when the input is under the floor, or when less than an eighth would be saved.
std::optional<Plaintext> compress(Bytes plain);

Result<Plaintext> decompress(Bytes frame, std::size_t plain_bytes);

}  // namespace efface::codec
