#include "crypto/sealed_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "crypto/hex.h"
#include "crypto/random.h"

namespace efface::crypto {
namespace {

using Octets = std::vector<std::byte>;

Octets noise(std::size_t size) {
  Octets out(size);
  fill_random(out);
  return out;
}

// Written in pieces of one size, as a stream is.
Octets sealed_of(const PublicKey& recipient, Bytes plain, std::size_t piece_bytes = SIZE_MAX) {
  Octets out;
  auto sealer = StreamSealer::begin(recipient, [&](Bytes sealed) -> Status {
    out.insert(out.end(), sealed.begin(), sealed.end());
    return {};
  });
  EXPECT_TRUE(sealer);
  for (; !plain.empty(); plain = plain.subspan(std::min(piece_bytes, plain.size())))
    EXPECT_TRUE(sealer->write(plain.first(std::min(piece_bytes, plain.size()))));
  EXPECT_TRUE(sealer->finish());
  return out;
}

// Read in pieces of one size, as from a pipe.
Status open_into(const RecipientKeys& keys, Bytes sealed, Octets& out,
                 std::size_t piece_bytes = SIZE_MAX) {
  return open_stream(
      keys,
      [&](MutableBytes into) -> Result<std::size_t> {
        const Bytes piece = sealed.first(std::min({piece_bytes, into.size(), sealed.size()}));
        std::copy(piece.begin(), piece.end(), into.begin());
        sealed = sealed.subspan(piece.size());
        return piece.size();
      },
      [&](Bytes plain) -> Status {
        out.insert(out.end(), plain.begin(), plain.end());
        return {};
      });
}

Errc refusal(const RecipientKeys& keys, Bytes sealed) {
  Octets out;
  const Status status = open_into(keys, sealed, out);
  return status ? Errc{} : status.error().code();
}

void put_le32(Octets& bytes, std::size_t at, std::size_t value) {
  store_le(bytes.data() + at, static_cast<std::uint32_t>(value));
}

TEST(SealedStream, GivesBackWhatWasWrittenAtEveryChunkBorder) {
  const RecipientKeys keys = RecipientKeys::generate();
  constexpr std::size_t chunk = stream_chunk_bytes_max;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1,
                                 2 * chunk - 1, 2 * chunk, 2 * chunk + 1, 5 * chunk + 7}) {
    const Octets plain = noise(size);
    const Octets sealed = sealed_of(keys.public_key, plain);
    const std::size_t chunks = size == 0 ? 1 : (size + chunk - 1) / chunk;
    EXPECT_EQ(sealed.size(),
              stream_preamble_bytes + chunks * stream_chunk_overhead_bytes + plain.size());
    Octets out;
    EXPECT_TRUE(open_into(keys, sealed, out));
    EXPECT_TRUE(out == plain);
  }
}

TEST(SealedStream, IsTheSameHoweverItIsWrittenAndRead) {
  const RecipientKeys keys = RecipientKeys::generate();
  const Octets plain = noise(150'000);
  for (const std::size_t piece : {1U, 7U, 4'096U, 65'536U, 65'537U, 150'000U}) {
    const Octets sealed = sealed_of(keys.public_key, plain, piece);
    EXPECT_EQ(sealed.size(),
              stream_preamble_bytes + 3 * stream_chunk_overhead_bytes + plain.size());
    Octets out;
    EXPECT_TRUE(open_into(keys, sealed, out, piece));
    EXPECT_TRUE(out == plain);
  }
}

TEST(SealedStream, RefusesEveryFlippedBitOfAShortOne) {
  const RecipientKeys keys = RecipientKeys::generate();
  const Octets sealed = sealed_of(keys.public_key, noise(40));
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    Octets flipped = sealed;
    flipped[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const Errc code = refusal(keys, flipped);
    const bool later = bit / 8 >= 8 && bit / 8 < 12 && bit != 64 && bit != 80;  // To 0: none.
    EXPECT_EQ(code, later ? Errc::format_new : Errc::corruption);
  }
}

TEST(SealedStream, RefusesAFlippedByteInEveryChunkOfALongOne) {
  const RecipientKeys keys = RecipientKeys::generate();
  const Octets plain = noise(3 * stream_chunk_bytes_max);
  const Octets sealed = sealed_of(keys.public_key, plain);
  for (std::size_t at = 0; at < sealed.size(); at += 4'099) {
    Octets flipped = sealed;
    flipped[at] ^= std::byte{0x80};
    Octets out;
    EXPECT_FALSE(open_into(keys, flipped, out));
    // What the sink got before that is a beginning of what was sealed.
    EXPECT_TRUE(out.size() < plain.size() && std::equal(out.begin(), out.end(), plain.begin()));
  }
}

TEST(SealedStream, RefusesEveryTruncation) {
  const RecipientKeys keys = RecipientKeys::generate();
  const Octets one = sealed_of(keys.public_key, noise(40));
  for (std::size_t size = 0; size < one.size(); ++size)
    EXPECT_EQ(refusal(keys, Bytes(one).first(size)), Errc::corruption);
  // Also between two chunks, where each of those that are left is whole.
  const Octets three = sealed_of(keys.public_key, noise(3 * stream_chunk_bytes_max));
  constexpr std::size_t chunk = stream_chunk_bytes_max + stream_chunk_overhead_bytes;
  for (const std::size_t chunks : {0U, 1U, 2U})
    EXPECT_EQ(refusal(keys, Bytes(three).first(stream_preamble_bytes + chunks * chunk)),
              Errc::corruption);
}

TEST(SealedStream, RefusesChunksThatAreMissingRepeatedOrSwapped) {
  const RecipientKeys keys = RecipientKeys::generate();
  const Octets sealed = sealed_of(keys.public_key, noise(3 * stream_chunk_bytes_max));
  constexpr std::ptrdiff_t chunk = stream_chunk_bytes_max + stream_chunk_overhead_bytes;
  const auto first = sealed.begin() + stream_preamble_bytes;
  const auto built = [&](std::initializer_list<int> order) {
    Octets out(sealed.begin(), first);
    for (const int i : order) out.insert(out.end(), first + i * chunk, first + (i + 1) * chunk);
    return out;
  };
  ASSERT_EQ(refusal(keys, built({0, 1, 2})), Errc{});
  EXPECT_EQ(refusal(keys, built({1, 2})), Errc::corruption);
  EXPECT_EQ(refusal(keys, built({0, 2})), Errc::corruption);
  EXPECT_EQ(refusal(keys, built({0, 0, 1, 2})), Errc::corruption);
  EXPECT_EQ(refusal(keys, built({1, 0, 2})), Errc::corruption);
}

TEST(SealedStream, RefusesWhateverStandsBehindItsEnd) {
  const RecipientKeys keys = RecipientKeys::generate();
  Octets sealed = sealed_of(keys.public_key, noise(100));
  Octets twice = sealed;
  twice.insert(twice.end(), sealed.begin(), sealed.end());
  EXPECT_EQ(refusal(keys, twice), Errc::corruption);
  sealed.push_back(std::byte{0});
  EXPECT_EQ(refusal(keys, sealed), Errc::corruption);
}

TEST(SealedStream, RefusesALengthThatNoChunkHas) {
  const RecipientKeys keys = RecipientKeys::generate();
  const Octets sealed = sealed_of(keys.public_key, noise(100));
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{16}, std::size_t{stream_chunk_bytes_max + 18},
        std::size_t{0xffff'ffff}}) {
    Octets changed = sealed;
    put_le32(changed, stream_preamble_bytes, length);
    changed.resize(changed.size() + 2 * stream_chunk_bytes_max);
    EXPECT_EQ(refusal(keys, changed), Errc::corruption);
  }
}

TEST(SealedStream, OpensForItsRecipientAlone) {
  const RecipientKeys alice = RecipientKeys::generate();
  const RecipientKeys bob = RecipientKeys::generate();
  EXPECT_NE(alice.public_key, bob.public_key);
  const Octets sealed = sealed_of(alice.public_key, noise(100));
  EXPECT_EQ(refusal(alice, sealed), Errc{});
  EXPECT_EQ(refusal(bob, sealed), Errc::corruption);
}

TEST(SealedStream, NeverLooksTheSameTwice) {
  const RecipientKeys keys = RecipientKeys::generate();
  const Octets plain = noise(64);
  const Octets a = sealed_of(keys.public_key, plain);
  const Octets b = sealed_of(keys.public_key, plain);
  std::size_t equal = 0;
  for (std::size_t at = 12; at < a.size(); ++at) equal += a[at] == b[at] ? 1 : 0;
  EXPECT_LT(equal, a.size() / 8);
}

// RFC 7748, 6.1.
RecipientKeys keys_of_the_rfc() {
  const Octets secret =
      test::from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  return RecipientKeys::of(SecretKey::copy_of(KeyView(Bytes(secret).first<key_bytes>())));
}

TEST(SealedStream, DerivesThePublicKeyOfTheRfc) {
  EXPECT_EQ(test::to_hex(keys_of_the_rfc().public_key),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
}

// Exports outlive programs: these bytes are what version 1 wrote, and they must stay readable.
TEST(SealedStream, OpensTheBytesOfTheFirstVersion) {
  constexpr std::string_view first_version =
      "656666616365535301000100686efded7ea176ee9b68a7a08ded52cf8b0579fed6ef64efe63f3ed6"
      "557cb7339abe89ea1b6346c8a9033c5bda86f45c212474af6e998cf16e2fe597b414ac73d8988ece"
      "e5b08944c8003d2420c1d080e9bd69780f86d6b18b70ec1b897151097a46756ba44ffc6733000000"
      "75719aeedd44b5d01e6d30b7b1bb8dcc89d799a7bcb1863c30f893868839bb8b7bdc2f40d7bd76be"
      "8e7ef5b326812e16a8f118";
  Octets out;
  ASSERT_TRUE(open_into(keys_of_the_rfc(), test::from_hex(first_version), out));
  EXPECT_EQ(as_text(out), "everything that is known of alice\n");
}

TEST(SealedStream, RefusesAPublicKeyOfLowOrder) {
  const auto sink = [](Bytes) -> Status { return {}; };
  PublicKey zero{};
  const auto refused = StreamSealer::begin(zero, sink);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::invalid_argument);
  PublicKey one{std::byte{1}};
  EXPECT_FALSE(StreamSealer::begin(one, sink));
}

TEST(SealedStream, AnswersTheSinksErrorAndKeepsIt) {
  const RecipientKeys keys = RecipientKeys::generate();
  std::size_t calls = 0;
  auto sealer = StreamSealer::begin(keys.public_key, [&](Bytes) -> Status {
    ++calls;
    return Error(Errc::no_space, "full");
  });
  ASSERT_TRUE(sealer);
  const Status written = sealer->write(noise(stream_chunk_bytes_max + 1));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), Errc::no_space);
  EXPECT_FALSE(sealer->write(noise(1)));
  EXPECT_FALSE(sealer->finish());
  EXPECT_EQ(calls, 1U);
}

TEST(SealedStream, AnswersTheErrorsOfSourceAndSinkWhileOpening) {
  const RecipientKeys keys = RecipientKeys::generate();
  const auto nothing = [](Bytes) -> Status { return {}; };
  const auto broken = [](MutableBytes) -> Result<std::size_t> { return Error(Errc::io, "broken"); };
  const Status read = open_stream(keys, broken, nothing);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Errc::io);

  const Octets sealed = sealed_of(keys.public_key, noise(10));
  std::size_t at = 0;
  const auto source = [&](MutableBytes into) -> Result<std::size_t> {
    const std::size_t size = std::min(into.size(), sealed.size() - at);
    std::copy_n(sealed.begin() + static_cast<std::ptrdiff_t>(at), size, into.begin());
    at += size;
    return size;
  };
  const auto full = [](Bytes) -> Status { return Error(Errc::no_space, "full"); };
  const Status written = open_stream(keys, source, full);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), Errc::no_space);
}

TEST(SealedStream, HoldsTheSameMemoryForAnyLength) {
  const RecipientKeys keys = RecipientKeys::generate();
  auto sealer = StreamSealer::begin(keys.public_key, [](Bytes) -> Status { return {}; });
  ASSERT_TRUE(sealer);
  const Octets piece = noise(100'000);
  ASSERT_TRUE(sealer->write(piece));
  const std::size_t slots = arena_stats().slots_in_use;
  const std::size_t bytes = arena_stats().chunk_bytes;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(sealer->write(piece));
  EXPECT_EQ(arena_stats().slots_in_use, slots);
  EXPECT_EQ(arena_stats().chunk_bytes, bytes);
  EXPECT_TRUE(sealer->finish());
}

}  // namespace
}  // namespace efface::crypto
