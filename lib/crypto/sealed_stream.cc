#include "crypto/sealed_stream.h"

#include <sodium.h>

#include <algorithm>

#include "base/check.h"
#include "crypto/u8.h"

namespace efface::crypto {
namespace {

constexpr std::string_view magic = "effaceSS";
constexpr std::uint16_t stream_version = 1;
constexpr std::uint16_t suite = 1;  // box_seal and secretstream, as below

constexpr std::size_t version_at = 8;
constexpr std::size_t suite_at = 10;
constexpr std::size_t sealed_key_at = 12;
constexpr std::size_t sealed_key_bytes = key_bytes + crypto_box_SEALBYTES;
constexpr std::size_t header_at = sealed_key_at + sealed_key_bytes;
constexpr std::size_t length_bytes = 4;
constexpr std::size_t chunk_tag_bytes = crypto_secretstream_xchacha20poly1305_ABYTES;

static_assert(header_at + crypto_secretstream_xchacha20poly1305_HEADERBYTES ==
              stream_preamble_bytes);
static_assert(length_bytes + chunk_tag_bytes == stream_chunk_overhead_bytes);
static_assert(key_bytes == crypto_secretstream_xchacha20poly1305_KEYBYTES);
static_assert(key_bytes == crypto_box_SECRETKEYBYTES);
static_assert(std::tuple_size_v<PublicKey> == crypto_box_PUBLICKEYBYTES);
static_assert(stream_chunk_bytes_max <= SecretBuffer::size_max);

using State = crypto_secretstream_xchacha20poly1305_state;
static_assert(alignof(State) == 1);  // So it may stand in any buffer.

State* state_in(SecretBuffer& buffer) noexcept { return reinterpret_cast<State*>(buffer.data()); }

// Exactly as many as the span holds. False: the source ends before the first of them.
Result<bool> fill(StreamSource source, MutableBytes out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    EFFACE_ASSIGN(const std::size_t more, source(out.subspan(filled)));
    EFFACE_CHECK(more <= out.size() - filled);
    if (more == 0 && filled == 0) return false;
    if (more == 0) return Error(Errc::corruption, "a sealed stream was cut");
    filled += more;
  }
  return true;
}

Status fill_all(StreamSource source, MutableBytes out) {
  EFFACE_ASSIGN(const bool there, fill(source, out));
  if (!there) return Error(Errc::corruption, "a sealed stream was cut");
  return {};
}

// Checks the preamble and leaves the stream's state behind it.
Status read_preamble(const RecipientKeys& keys, Bytes preamble, SecretBuffer& state) {
  const auto said_version = load_le<std::uint16_t>(preamble.data() + version_at);
  const auto said_suite = load_le<std::uint16_t>(preamble.data() + suite_at);
  if (!std::ranges::equal(preamble.first(magic.size()), as_bytes(magic)) || said_version == 0 ||
      said_suite == 0)
    return Error(Errc::corruption, "not a sealed stream");
  if (said_version != stream_version || said_suite != suite)
    return Error(Errc::format_new, "a sealed stream of a later version");
  SecretKey key = SecretKey::zeroed();
  if (crypto_box_seal_open(u8(key.bytes().data()), u8(preamble.data() + sealed_key_at),
                           sealed_key_bytes, u8(keys.public_key.data()),
                           u8(keys.secret.bytes().data())) != 0)
    return Error(Errc::corruption, "a stream that was sealed for another key, or changed");
  if (crypto_secretstream_xchacha20poly1305_init_pull(
          state_in(state), u8(preamble.data() + header_at), u8(key.bytes().data())) != 0)
    return Error(Errc::corruption, "a sealed stream's header does not verify");
  return {};
}

}  // namespace

RecipientKeys RecipientKeys::generate() { return of(SecretKey::random()); }

RecipientKeys RecipientKeys::of(SecretKey secret) {
  RecipientKeys keys;
  keys.secret = std::move(secret);
  // The base point's multiple is never of low order, so this has no failure.
  EFFACE_CHECK(crypto_scalarmult_base(u8(keys.public_key.data()), u8(keys.secret.bytes().data())) ==
               0);
  return keys;
}

StreamSealer::StreamSealer(Sink sink)
    : sink_(std::move(sink)),
      state_(sizeof(State)),
      plain_(stream_chunk_bytes_max),
      out_(stream_preamble_bytes + stream_chunk_overhead_bytes + stream_chunk_bytes_max) {}

Result<StreamSealer> StreamSealer::begin(const PublicKey& recipient, Sink sink) {
  StreamSealer sealer(std::move(sink));
  std::byte* const out = sealer.out_.data();
  std::ranges::copy(as_bytes(magic), out);
  store_le(out + version_at, stream_version);
  store_le(out + suite_at, suite);
  const SecretKey key = SecretKey::random();
  if (crypto_box_seal(u8(out + sealed_key_at), u8(key.bytes().data()), key_bytes,
                      u8(recipient.data())) != 0)
    return Error(Errc::invalid_argument, "a public key that hides nothing");
  EFFACE_CHECK(crypto_secretstream_xchacha20poly1305_init_push(
                   state_in(sealer.state_), u8(out + header_at), u8(key.bytes().data())) == 0);
  sealer.prefix_bytes_ = stream_preamble_bytes;
  return sealer;
}

Status StreamSealer::write(Bytes plain) {
  EFFACE_CHECK(!finished_);
  if (failed_) return *failed_;
  while (!plain.empty()) {
    // A full chunk waits for the byte after it: only then is it known not to be the last.
    if (plain_bytes_ == plain_.size()) EFFACE_TRY(seal_chunk(Place::within));
    const Bytes taken = plain.first(std::min(plain.size(), plain_.size() - plain_bytes_));
    std::ranges::copy(taken, plain_.data() + plain_bytes_);
    plain_bytes_ += taken.size();
    plain = plain.subspan(taken.size());
  }
  return {};
}

Status StreamSealer::finish() {
  EFFACE_CHECK(!finished_);
  if (failed_) return *failed_;
  finished_ = true;
  return seal_chunk(Place::last);
}

Status StreamSealer::seal_chunk(Place place) {
  const std::size_t sealed_bytes = plain_bytes_ + chunk_tag_bytes;
  store_le(out_.data() + prefix_bytes_, static_cast<std::uint32_t>(sealed_bytes));
  prefix_bytes_ += length_bytes;
  const unsigned char tag = place == Place::last
                                ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
  EFFACE_CHECK(crypto_secretstream_xchacha20poly1305_push(
                   state_in(state_), u8(out_.data() + prefix_bytes_), nullptr, u8(plain_.data()),
                   plain_bytes_, u8(out_.data()), prefix_bytes_, tag) == 0);
  const Status written = sink_(Bytes(out_).first(prefix_bytes_ + sealed_bytes));
  if (!written) failed_ = written.error();
  plain_bytes_ = prefix_bytes_ = 0;
  return written;
}

Status open_stream(const RecipientKeys& keys, StreamSource source, StreamSink sink) {
  std::vector<std::byte> sealed(stream_preamble_bytes + stream_chunk_overhead_bytes +
                                stream_chunk_bytes_max);
  SecretBuffer state(sizeof(State));
  SecretBuffer plain(stream_chunk_bytes_max);
  EFFACE_TRY(fill_all(source, MutableBytes(sealed).first(stream_preamble_bytes)));
  EFFACE_TRY(read_preamble(keys, Bytes(sealed).first(stream_preamble_bytes), state));

  std::size_t prefix_bytes = stream_preamble_bytes;
  unsigned char tag = crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
  while (tag == crypto_secretstream_xchacha20poly1305_TAG_MESSAGE) {
    EFFACE_TRY(fill_all(source, MutableBytes(sealed).subspan(prefix_bytes, length_bytes)));
    const std::size_t sealed_bytes = load_le<std::uint32_t>(sealed.data() + prefix_bytes);
    prefix_bytes += length_bytes;
    if (sealed_bytes < chunk_tag_bytes || sealed_bytes > chunk_tag_bytes + stream_chunk_bytes_max)
      return Error(Errc::corruption, "a chunk of a sealed stream has a length that none has");
    EFFACE_TRY(fill_all(source, MutableBytes(sealed).subspan(prefix_bytes, sealed_bytes)));
    unsigned long long plain_bytes = 0;
    if (crypto_secretstream_xchacha20poly1305_pull(
            state_in(state), u8(plain.data()), &plain_bytes, &tag, u8(sealed.data() + prefix_bytes),
            sealed_bytes, u8(sealed.data()), prefix_bytes) != 0)
      return Error(Errc::corruption, "a chunk of a sealed stream does not verify");
    prefix_bytes = 0;
    if (plain_bytes > 0) EFFACE_TRY(sink(plain.bytes().first(plain_bytes)));
  }
  if (tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL)
    return Error(Errc::corruption, "a chunk of a sealed stream has a mark that none has");
  EFFACE_ASSIGN(const bool more, fill(source, MutableBytes(sealed).first(1)));
  if (more) return Error(Errc::corruption, "something stands behind a sealed stream");
  return {};
}

}  // namespace efface::crypto
