#include "crypto/passphrase.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "crypto/hex.h"
#include "efface/limits.h"

namespace efface::crypto {
namespace {

Id16 salt_of(std::string_view text) {
  Id16 salt{};
  std::memcpy(salt.data(), text.data(), salt.size());
  return salt;
}
std::string key_hex(std::string_view passphrase, const Id16& salt, Argon2idCost cost) {
  const Result<SecretKey> key = key_from_passphrase(as_bytes(passphrase), salt, cost);
  return key ? test::to_hex(key->bytes()) : name(key.error().code());
}
Errc refusal(std::string_view passphrase, Argon2idCost cost) {
  const auto key = key_from_passphrase(as_bytes(passphrase), Id16{}, cost);
  return key ? Errc{} : key.error().code();
}

// What the reference implementation of the Password Hashing Competition answers for one lane.
TEST(Passphrase, IsArgon2idOfTheReferenceImplementation) {
  EXPECT_EQ(key_hex("correct horse battery staple", salt_of("saltsaltsaltsalt"), {3, 64}),
            "d354d2b765f4ad068d850db17af6a7d99f59a52f7eff0c39036e02bb341d6143");
  EXPECT_EQ(key_hex("password", salt_of("0123456789abcdef"), {1, 8}),
            "771338d819573c67116b39e1788ae8e04b0eb0cf9dfbbfe2e6d746cf3e464fc7");
}

TEST(Passphrase, GivesAnotherKeyForAnotherSaltPassphraseOrCost) {
  const Id16 salt = salt_of("0123456789abcdef");
  const std::string key = key_hex("pass", salt, argon2id_minimum);
  EXPECT_EQ(key, key_hex("pass", salt, argon2id_minimum));
  EXPECT_NE(key, key_hex("pasS", salt, argon2id_minimum));
  EXPECT_NE(key, key_hex("pass", salt_of("0123456789abcdeF"), argon2id_minimum));
  EXPECT_NE(key, key_hex("pass", salt, {2, 8}));
  EXPECT_NE(key, key_hex("pass", salt, {1, 16}));
}

TEST(Passphrase, RefusesACostOutOfBounds) {
  EXPECT_EQ(refusal("p", {0, 8}), Errc::invalid_argument);
  EXPECT_EQ(refusal("p", {1, 7}), Errc::invalid_argument);
  EXPECT_EQ(refusal("p", {argon2id_maximum.passes + 1, 8}), Errc::invalid_argument);
  EXPECT_EQ(refusal("p", {1, argon2id_maximum.memory_kib + 1}), Errc::invalid_argument);
  EXPECT_EQ(refusal("p", {0xffffffff, 0xffffffff}), Errc::invalid_argument);
  EXPECT_EQ(refusal("p", argon2id_minimum), Errc{});
}

TEST(Passphrase, RefusesNoneAndOneThatIsTooLong) {
  EXPECT_EQ(refusal("", argon2id_minimum), Errc::invalid_argument);
  const std::string longest(limits::passphrase_bytes_max, 'x');
  EXPECT_EQ(refusal(longest, argon2id_minimum), Errc{});
  EXPECT_EQ(refusal(longest + "x", argon2id_minimum), Errc::too_large);
}

}  // namespace
}  // namespace efface::crypto
