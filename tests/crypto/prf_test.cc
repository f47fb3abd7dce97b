#include "crypto/prf.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "crypto/hex.h"

namespace efface::crypto {
namespace {

SecretKey counting_key() {
  SecretKey key = SecretKey::zeroed();
  for (std::size_t i = 0; i < key_bytes; ++i) key.bytes()[i] = static_cast<std::byte>(i);
  return key;
}
std::vector<std::byte> counting_bytes(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i);
  return bytes;
}
std::string prf256_hex(const SecretKey& key, std::initializer_list<Bytes> fields) {
  SecretKey out = SecretKey::zeroed();
  prf256(key.bytes(), fields, out.bytes());
  return test::to_hex(out.bytes());
}

// BLAKE2b of no bytes, at 32 and at 16 bytes.
TEST(Hash, OfNoFieldsIsThePublishedHashOfNothing) {
  EXPECT_EQ(test::to_hex(hash256({})),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(test::to_hex(hash128({})), "cae66941d9efbd404e4d88758ea67670");
}

// The values are those of another implementation of RFC 7693, over length and bytes of each field.
TEST(Prf, IsBlake2bOverLengthPrefixedFields) {
  const std::vector<std::byte> hundred = counting_bytes(100);
  const SecretKey key = counting_key();
  EXPECT_EQ(prf256_hex(key, {as_bytes("efface.test"), hundred}),
            "be4bfc8811713d98380b6da411ebd5c1893f6a34fc193b3d6e4a3d64ecdfcadf");
  EXPECT_EQ(test::to_hex(prf128(key.bytes(), {as_bytes("efface.test"), hundred})),
            "7b46bd1b1b73badb3e8678431030cc69");
  EXPECT_EQ(test::to_hex(hash256({as_bytes("efface.test"), hundred})),
            "688651a8d28ef51383972eaed8fc5a50daa846df27b788579df392f809f37bd6");
}

TEST(Prf, TellsApartWhereOneFieldEnds) {
  const SecretKey key = counting_key();
  const Bytes ab = as_bytes("ab"), c = as_bytes("c"), a = as_bytes("a"), bc = as_bytes("bc");
  EXPECT_NE(prf256_hex(key, {ab, c}), prf256_hex(key, {a, bc}));
  EXPECT_NE(prf128(key.bytes(), {ab, c}), prf128(key.bytes(), {a, bc}));
  EXPECT_NE(hash256({ab, c}), hash256({a, bc}));
  EXPECT_NE(prf256_hex(key, {ab}), prf256_hex(key, {ab, {}}));
  EXPECT_NE(prf256_hex(key, {{}, ab}), prf256_hex(key, {ab, {}}));
}

TEST(Prf, OfSixteenBytesIsNotAPieceOfTheLongerOne) {
  const SecretKey key = counting_key();
  const std::string longer = prf256_hex(key, {as_bytes("x")});
  EXPECT_EQ(longer.find(test::to_hex(prf128(key.bytes(), {as_bytes("x")}))), std::string::npos);
}

TEST(Prf, DependsOnEveryBitOfTheKey) {
  const SecretKey key = counting_key();
  const std::string reference = prf256_hex(key, {as_bytes("x")});
  for (std::size_t bit = 0; bit < 8 * key_bytes; ++bit) {
    SecretKey other = key.clone();
    other.bytes()[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    EXPECT_NE(prf256_hex(other, {as_bytes("x")}), reference);
  }
}

RC_GTEST_PROP(Prf, DiffersForDifferentFields,
              (const std::string& a, const std::string& b, const std::string& c,
               const std::string& d)) {
  RC_PRE(a != c || b != d);
  const SecretKey key = counting_key();
  RC_ASSERT(prf256_hex(key, {as_bytes(a), as_bytes(b)}) !=
            prf256_hex(key, {as_bytes(c), as_bytes(d)}));
}

}  // namespace
}  // namespace efface::crypto
