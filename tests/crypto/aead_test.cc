#include "crypto/aead.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crypto/hex.h"
#include "crypto/random.h"

namespace efface::crypto {
namespace {

using test::from_hex;
using Octets = std::vector<std::byte>;

Octets octets(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}
SecretKey key_from(Bytes bytes) { return SecretKey::copy_of(KeyView(bytes.first<key_bytes>())); }

Octets sealed_of(const SecretKey& key, Bytes associated, Bytes plain) {
  Octets out(plain.size() + seal_overhead_bytes);
  seal(key.bytes(), associated, plain, out);
  return out;
}
std::optional<Octets> opened(const SecretKey& key, Bytes associated, Bytes sealed) {
  Octets out(sealed.size() - std::min(sealed.size(), seal_overhead_bytes));
  const Status status = open(key.bytes(), associated, sealed, out);
  if (status) return out;
  EXPECT_EQ(status.error().code(), Errc::corruption);
  return std::nullopt;
}

// draft-irtf-cfrg-xchacha-03, A.3.1.
TEST(Aead, OpensTheVectorOfTheDraft) {
  const Octets key = from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const Octets associated = from_hex("50515253c0c1c2c3c4c5c6c7");
  const Octets sealed = from_hex(
      "404142434445464748494a4b4c4d4e4f5051525354555657"
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
      "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
      "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
      "21f9664c97637da9768812f615c68b13b52e"
      "c0875924c1c7987947deafd8780acf49");
  EXPECT_EQ(opened(key_from(key), associated, sealed),
            octets("Ladies and Gentlemen of the class of '99: If I could offer you only one tip "
                   "for the future, sunscreen would be it."));
}

TEST(Aead, AgreesWithWycheproof) {
  const char* const given = std::getenv("EFFACE_VECTORS");
  const std::filesystem::path directory(given != nullptr ? given : EFFACE_VECTORS_DEFAULT);
  std::ifstream file(directory / "wycheproof-xchacha20_poly1305_test.json");
  if (!file) GTEST_SKIP() << "needs ../shared/data/vectors, or $EFFACE_VECTORS";
  std::size_t valid = 0;
  std::size_t invalid = 0;
  const auto vectors = nlohmann::json::parse(file);
  for (const auto& group : vectors["testGroups"]) {
    if (group["ivSize"] != 192 || group["tagSize"] != 128) continue;  // Not expressible here.
    for (const auto& test : group["tests"]) {
      const auto field = [&](const char* of) { return test[of].get<std::string>(); };
      const auto plain = opened(key_from(from_hex(field("key"))), from_hex(field("aad")),
                                from_hex(field("iv") + field("ct") + field("tag")));
      const bool expected = field("result") == "valid";
      ++(expected ? valid : invalid);
      EXPECT_EQ(plain.has_value(), expected) << test["tcId"];
      if (plain && expected) {
        EXPECT_EQ(*plain, from_hex(field("msg"))) << test["tcId"];
      }
    }
  }
  EXPECT_GT(valid, 200U);
  EXPECT_GT(invalid, 50U);
}

TEST(Aead, RefusesEveryFlippedBit) {
  const SecretKey key = SecretKey::random();
  const Octets associated = octets("where it stands");
  const Octets sealed = sealed_of(key, associated, octets("thirty-three bytes of plain text."));
  ASSERT_TRUE(opened(key, associated, sealed));
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    Octets tampered = sealed;
    tampered[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    EXPECT_FALSE(opened(key, associated, tampered));
  }
}

TEST(Aead, RefusesEveryTruncationAndExtension) {
  const SecretKey key = SecretKey::random();
  const Octets sealed = sealed_of(key, {}, octets("seventy"));
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(opened(key, {}, Bytes(sealed).first(size)));
  Octets longer = sealed;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(opened(key, {}, longer));
}

TEST(Aead, BindsEveryByteOfTheAssociatedData) {
  const SecretKey key = SecretKey::random();
  const Octets associated = octets("region, tenant, handle, name tag");
  const Octets sealed = sealed_of(key, associated, octets("value"));
  for (std::size_t bit = 0; bit < 8 * associated.size(); ++bit) {
    Octets other = associated;
    other[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    EXPECT_FALSE(opened(key, other, sealed));
  }
  for (std::size_t size = 0; size < associated.size(); ++size)
    EXPECT_FALSE(opened(key, Bytes(associated).first(size), sealed));
  Octets longer = associated;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(opened(key, longer, sealed));
}

TEST(Aead, OpensWithNoOtherKey) {
  const SecretKey key = SecretKey::random();
  const Octets sealed = sealed_of(key, {}, octets("value"));
  for (std::size_t bit = 0; bit < 8 * key_bytes; ++bit) {
    SecretKey other = key.clone();
    other.bytes()[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    EXPECT_FALSE(opened(other, {}, sealed));
  }
}

TEST(Aead, LeavesNoPlaintextBehindWhenItRefuses) {
  const SecretKey key = SecretKey::random();
  const Octets plain(64, std::byte{0x61});
  Octets sealed = sealed_of(key, {}, plain);
  sealed.back() ^= std::byte{1};
  Octets out(plain.size(), std::byte{0xee});
  ASSERT_FALSE(open(key.bytes(), {}, sealed, out));
  EXPECT_EQ(std::ranges::count(out, std::byte{0x61}), 0);
}

TEST(Aead, SealsTheSameTwiceUnderTwoNonces) {
  const SecretKey key = SecretKey::random();
  const Octets a = sealed_of(key, {}, octets("same"));
  const Octets b = sealed_of(key, {}, octets("same"));
  EXPECT_FALSE(std::equal(a.begin(), a.begin() + nonce_bytes, b.begin()));
  EXPECT_FALSE(std::equal(a.begin() + nonce_bytes, a.end(), b.begin() + nonce_bytes));
}

TEST(Aead, SealsNothingIntoNonceAndTag) {
  const SecretKey key = SecretKey::random();
  const Octets sealed = sealed_of(key, octets("of"), {});
  EXPECT_EQ(sealed.size(), seal_overhead_bytes);
  EXPECT_TRUE(open(key.bytes(), octets("of"), sealed, {}));
  EXPECT_FALSE(open(key.bytes(), octets("off"), sealed, {}));
}

RC_GTEST_PROP(Aead, OpensWhatItSealed, (const std::string& associated, const std::string& text)) {
  const auto times = *rc::gen::inRange<std::size_t>(1, 400);
  std::string plain;
  for (std::size_t i = 0; i < times; ++i) plain += text;
  const SecretKey key = SecretKey::random();
  const auto back =
      opened(key, as_bytes(associated), sealed_of(key, as_bytes(associated), as_bytes(plain)));
  RC_ASSERT(back.has_value());
  RC_ASSERT(as_text(*back) == plain);
}

}  // namespace
}  // namespace efface::crypto
