#include "crypto/sign.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "crypto/hex.h"
#include "crypto/sha256.h"

namespace efface::crypto {
namespace {

using test::from_hex;
using test::to_hex;

template <std::size_t N>
std::array<std::byte, N> array_of(std::string_view digits) {
  std::array<std::byte, N> out;
  const auto bytes = from_hex(digits);
  std::copy_n(bytes.begin(), std::min(N, bytes.size()), out.begin());
  return out;
}
SigningKey key_of(std::string_view seed) {
  return SigningKey::of(SecretKey::copy_of(array_of<key_bytes>(seed)));
}

// RFC 8032, 7.1, tests 1 to 3.
TEST(Signature, IsThatOfTheRfc) {
  struct Vector {
    const char *seed, *key, *message, *signature;
  };
  const Vector vectors[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
       "9"
       "b46bd25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
       "1"
       "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
       "d"
       "c6594a7c15e9716ed28dc027beceea1ec40a"}};
  for (const Vector& vector : vectors) {
    const SigningKey key = key_of(vector.seed);
    const auto message = from_hex(vector.message);
    EXPECT_EQ(to_hex(key.verifying_key()), vector.key);
    EXPECT_EQ(to_hex(key.sign(message)), vector.signature);
    EXPECT_TRUE(verifies(key.verifying_key(), message, key.sign(message)));
  }
}

TEST(Signature, AgreesWithWycheproof) {
  const char* const given = std::getenv("EFFACE_VECTORS");
  const std::filesystem::path directory(given != nullptr ? given : EFFACE_VECTORS_DEFAULT);
  std::ifstream file(directory / "wycheproof-ed25519_test.json");
  if (!file) GTEST_SKIP() << "needs ../shared/data/vectors, or $EFFACE_VECTORS";
  std::size_t valid = 0;
  std::size_t invalid = 0;
  const auto vectors = nlohmann::json::parse(file);
  for (const auto& group : vectors["testGroups"]) {
    const auto key = array_of<32>(group["publicKey"]["pk"].get<std::string>());
    for (const auto& test : group["tests"]) {
      const std::string signature = test["sig"].get<std::string>();
      const bool expected = test["result"] == "valid";
      ++(expected ? valid : invalid);
      if (signature.size() != 2 * sizeof(Signature)) {  // Not expressible here.
        EXPECT_FALSE(expected) << test["tcId"];
        continue;
      }
      const auto message = from_hex(test["msg"].get<std::string>());
      EXPECT_EQ(verifies(key, message, array_of<64>(signature)), expected) << test["tcId"];
    }
  }
  EXPECT_GT(valid, 50U);
  EXPECT_GT(invalid, 50U);
}

TEST(Signature, WithAnyBitChangedIsRefused) {
  const SigningKey key = SigningKey::generate();
  const Bytes message = as_bytes("what was erased");
  const Signature signature = key.sign(message);
  ASSERT_TRUE(verifies(key.verifying_key(), message, signature));
  for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    Signature changed = signature;
    changed[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    EXPECT_FALSE(verifies(key.verifying_key(), message, changed));
  }
  EXPECT_FALSE(verifies(key.verifying_key(), as_bytes("what was erased?"), signature));
  EXPECT_FALSE(verifies(SigningKey::generate().verifying_key(), message, signature));
}

TEST(SigningKey, IsTheSameFromOneSeed) {
  const SigningKey key = SigningKey::generate();
  const SigningKey again = SigningKey::of(key.seed().clone());
  EXPECT_EQ(again.verifying_key(), key.verifying_key());
  EXPECT_EQ(again.sign(as_bytes("x")), key.sign(as_bytes("x")));
  EXPECT_NE(SigningKey::generate().verifying_key(), key.verifying_key());
}

// The expanded key lives in the arena, for as long as it signs.
TEST(SigningKey, LeavesNoExpandedKeyBehind) {
  const SigningKey key = SigningKey::generate();
  const std::size_t before = arena_stats().slots_in_use;
  static_cast<void>(key.sign(as_bytes("x")));
  EXPECT_EQ(arena_stats().slots_in_use, before);
}

// FIPS 180-4 examples.
TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256({as_bytes("abc")})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256({as_bytes("abcdbcdecdefdefgefghfghighijhijk"),
                           as_bytes("ijkljklmklmnlmnomnopnopq")})),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

}  // namespace
}  // namespace efface::crypto
