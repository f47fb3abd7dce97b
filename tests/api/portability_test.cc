#include "efface/portability.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "crypto/hex.h"

namespace efface {
namespace {

using Octets = std::vector<std::byte>;

// RFC 7748, 6.1; and what lib/crypto sealed to that key.
constexpr std::string_view rfc_secret =
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
constexpr std::string_view rfc_public =
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
constexpr std::string_view sealed_export =
    "656666616365535301000100686efded7ea176ee9b68a7a08ded52cf8b0579fed6ef64efe63f3ed6"
    "557cb7339abe89ea1b6346c8a9033c5bda86f45c212474af6e998cf16e2fe597b414ac73d8988ece"
    "e5b08944c8003d2420c1d080e9bd69780f86d6b18b70ec1b897151097a46756ba44ffc6733000000"
    "75719aeedd44b5d01e6d30b7b1bb8dcc89d799a7bcb1863c30f893868839bb8b7bdc2f40d7bd76be"
    "8e7ef5b326812e16a8f118";

Result<RecipientKeyPair> keys_of_the_rfc() {
  const Octets secret = test::from_hex(rfc_secret);
  return RecipientKeyPair::from_secret(Bytes(secret).first<32>());
}

auto source_of(Bytes bytes) {
  return [bytes](std::span<std::byte> into) mutable -> Result<std::size_t> {
    const Bytes piece = bytes.first(std::min(into.size(), bytes.size()));
    std::copy(piece.begin(), piece.end(), into.begin());
    bytes = bytes.subspan(piece.size());
    return piece.size();
  };
}

Status open_into(const RecipientKeyPair& keys, Bytes sealed, std::string& out) {
  return open_export(source_of(sealed), keys, [&](Bytes plain) -> Status {
    out += as_text(plain);
    return {};
  });
}

std::string secret_of(const RecipientKeyPair& keys) {
  std::string digits;
  EXPECT_TRUE(keys.with_secret([&](Bytes secret) { digits = test::to_hex(secret); }));
  return digits;
}

TEST(RecipientKeyPair, IsMadeAgainFromItsSecret) {
  const auto rfc = keys_of_the_rfc();
  ASSERT_TRUE(rfc);
  EXPECT_EQ(test::to_hex(rfc->public_key().bytes), rfc_public);
  EXPECT_EQ(secret_of(*rfc), rfc_secret);

  const auto fresh = RecipientKeyPair::generate();
  ASSERT_TRUE(fresh);
  const Octets secret = test::from_hex(secret_of(*fresh));
  const auto again = RecipientKeyPair::from_secret(Bytes(secret).first<32>());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key(), fresh->public_key());
}

TEST(RecipientKeyPair, IsNewEachTime) {
  const auto a = RecipientKeyPair::generate();
  const auto b = RecipientKeyPair::generate();
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->public_key(), b->public_key());
}

TEST(RecipientKeyPair, IsNotMadeOfZeros) {
  constexpr std::array<std::byte, 32> zeros{};
  const auto refused = RecipientKeyPair::from_secret(zeros);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::invalid_argument);
}

TEST(RecipientKeyPair, StaysWithTheProcessThatMadeIt) {
  const auto keys = keys_of_the_rfc();
  ASSERT_TRUE(keys);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::string out;
    const Status looked = keys->with_secret([](Bytes) {});
    const Status opened = open_into(*keys, test::from_hex(sealed_export), out);
    const bool refused = !looked && looked.error().code() == Errc::forked && !opened &&
                         opened.error().code() == Errc::forked;
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(SealedExport, OpensForItsRecipientAlone) {
  const auto keys = keys_of_the_rfc();
  const auto others = RecipientKeyPair::generate();
  ASSERT_TRUE(keys && others);
  const Octets sealed = test::from_hex(sealed_export);
  std::string out;
  ASSERT_TRUE(open_into(*keys, sealed, out));
  EXPECT_EQ(out, "everything that is known of alice\n");

  std::string nothing;
  const Status refused = open_into(*others, sealed, nothing);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::corruption);
  EXPECT_TRUE(nothing.empty());
}

TEST(SealedExport, DoesNotOpenWhenItIsChangedOrCut) {
  const auto keys = keys_of_the_rfc();
  ASSERT_TRUE(keys);
  Octets sealed = test::from_hex(sealed_export);
  std::string out;
  EXPECT_FALSE(open_into(*keys, Bytes(sealed).first(sealed.size() - 1), out));
  sealed.back() ^= std::byte{1};
  EXPECT_FALSE(open_into(*keys, sealed, out));
  EXPECT_TRUE(out.empty());
}

TEST(FlatBuffersExport, IsGivenInJson) {
  std::string out;
  const auto sink = [&](Bytes json) -> Status {
    out += as_text(json);
    return {};
  };
  const Octets bob = test::from_hex(
      "58000000100000004546583108000c00070008000800000000000001100000000c00140006000800"
      "0c0010000c000000000001000c00000014000000180000000400000073686f700000000002000000"
      "6575000003000000626f620024000000100000004546583108000c00070008000800000000000005"
      "080000000400040004000000");
  const auto people = export_to_json(source_of(bob), sink);
  ASSERT_TRUE(people);
  EXPECT_EQ(*people, 1U);
  EXPECT_EQ(out, R"({"format":"efface.export","version":1,"tenant":"shop","region":"eu",)"
                 R"("subject":{"id":"bob","aliases":[],"restricted":false,"held":false,)"
                 R"("erasure_asked":false,"events_dropped":0},"records":[],"events":[],"holds":[],)"
                 R"("counts":{"records":0,"events":0,"holds":0}})"
                 "\n");
  const auto cut = export_to_json(source_of(Bytes(bob).first(bob.size() - 1)), sink);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code(), Errc::corruption);
}

}  // namespace
}  // namespace efface
