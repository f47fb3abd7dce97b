// crypto/sealed_stream.h -- a stream of bytes sealed to a recipient's public key, in bounded
// memory.
//
// Who seals needs no secret and can't open it again; whoever has the recipient's secret key can. It
// says nothing of who sealed it.
//
// Shape    docs/format/export.md:
//          magic 8 | version 2 | suite 2 | stream key, sealed 80 | header 24 | chunk...
//          chunk = length 4 | ciphertext of at most 64 KiB and 17. The last one is marked as
//          such, so a stream that was cut does not pass for a whole one. All that stands in clear
//          between two ciphertexts is associated data of the second.
// Threads  One at a time.
// Errors   Opening: corruption for whatever does not verify; that the stream was sealed for
//          somebody else looks the same. format_new: a later version.
// Cost     About a nanosecond a byte; 128 KiB of memory, of which the half in clear is locked.
// Source   libsodium crypto_box_seal (X25519, XSalsa20-Poly1305) for the stream's key, and
//          crypto_secretstream_xchacha20poly1305 for the chunks.
#pragma once
#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "crypto/secret.h"
#include "efface/result.h"

namespace efface::crypto {

inline constexpr std::size_t stream_chunk_bytes_max = 64 * 1024;  // In clear.
inline constexpr std::size_t stream_preamble_bytes = 116;
inline constexpr std::size_t stream_chunk_overhead_bytes = 4 + 17;

using PublicKey = std::array<std::byte, 32>;  // X25519

struct RecipientKeys {
  SecretKey secret;
  PublicKey public_key{};

  static RecipientKeys generate();
  static RecipientKeys of(SecretKey secret);
};

class StreamSealer {
 public:
  using Sink = std::function<Status(Bytes sealed)>;

  // Nothing is written yet. Errors: invalid_argument for a public key that hides nothing (a point
  // of low order).
  static Result<StreamSealer> begin(const PublicKey& recipient, Sink sink);

  // Errors: the sink's, which every later call answers again.
  Status write(Bytes plain);
  // Without it the stream is not whole and does not open to its end. The last call.
  Status finish();

 private:
  enum class Place : bool { within, last };
  explicit StreamSealer(Sink sink);
  Status seal_chunk(Place place);

  Sink sink_;
  SecretBuffer state_;  // libsodium's
  SecretBuffer plain_;
  std::size_t plain_bytes_ = 0;
  std::vector<std::byte> out_;  // What the next chunk begins with; then the chunk.
  std::size_t prefix_bytes_ = 0;
  std::optional<Error> failed_;
  bool finished_ = false;
};

// Fills some of the span, at least one byte, and says how many; none: the end.
using StreamSource = FunctionRef<Result<std::size_t>(MutableBytes)>;
using StreamSink = FunctionRef<Status(Bytes)>;

// Gives the sink each chunk that verified, in order. That the stream is whole, and that nothing
// stands behind it, is known only when this answers without an error: on one, the sink drops what
// it got. Errors: also the source's and the sink's.
Status open_stream(const RecipientKeys& keys, StreamSource source, StreamSink sink);

}  // namespace efface::crypto
