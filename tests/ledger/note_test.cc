#include "ledger/note.h"

#include <gtest/gtest.h>

#include "crypto/hex.h"
#include "ledger/tree.h"

namespace efface::ledger {
namespace {

using test::signing_key;

Errc code_of(std::string_view note, std::string_view key) {
  const auto open = open_note(note, key);
  return open ? Errc{} : open.error().code();
}

// The example of the first implementation of signed notes, golang.org/x/mod/sumdb/note.
constexpr std::string_view foreign_key =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view foreign_note =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    "\n";

TEST(Note, OfAnotherImplementationIsRead) {
  const auto open = open_note(foreign_note, foreign_key);
  ASSERT_TRUE(open);
  EXPECT_EQ(open->name, "PeterNeumann");
  EXPECT_TRUE(open->text.ends_with("what your problem is.\n"));
}

TEST(Note, IsWrittenAsAnotherImplementationWrites) {
  const auto seed =
      test::from_hex("810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173");
  const auto key = crypto::SigningKey::of(
      crypto::SecretKey::copy_of(crypto::KeyView(Bytes(seed).first<crypto::key_bytes>())));
  EXPECT_EQ(verifier_key("PeterNeumann", key.verifying_key()), foreign_key);
  const std::string_view text = foreign_note.substr(0, foreign_note.rfind("\n\n") + 1);
  EXPECT_EQ(sign_note(text, "PeterNeumann", key), foreign_note);
}

TEST(Note, WithAnyBitOfTheVerifierKeyChangedIsRefused) {
  for (std::size_t bit = 0; bit < 8 * foreign_key.size(); ++bit) {
    std::string changed(foreign_key);
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(code_of(foreign_note, changed), Errc::invalid_argument) << bit;
  }
}

TEST(Note, IsRefusedWhenItIsCutOrLonger) {
  for (std::size_t size = 0; size < foreign_note.size(); ++size)
    EXPECT_EQ(code_of(foreign_note.substr(0, size), foreign_key), Errc::corruption) << size;
  for (const std::string_view more : {"\n", " ", "x", "\n\n"})
    EXPECT_EQ(code_of(std::string(foreign_note) + std::string(more), foreign_key),
              Errc::corruption);
}

TEST(Note, MayHaveEmptyLinesInItsText) {
  const auto key = signing_key();
  const std::string verifier = verifier_key("a/b", key.verifying_key());
  for (const std::string_view text : {"\n", "\n\n", "one\n\ntwo\n", "one\n\n\n"}) {
    const std::string note = sign_note(text, "a/b", key);
    const auto open = open_note(note, verifier);
    ASSERT_TRUE(open);
    EXPECT_EQ(open->text, text);
  }
}

// What nobody checks, anybody may change.
TEST(Note, WithAFurtherSignatureIsRefused) {
  const auto key = signing_key();
  const std::string verifier = verifier_key("a/b", key.verifying_key());
  const std::string note = sign_note("one\n", "a/b", key);
  const std::string other = sign_note("one\n", "c/d", signing_key(2));
  const std::string line = other.substr(other.rfind("\n\n") + 2);
  ASSERT_EQ(code_of(note, verifier), Errc{});
  EXPECT_EQ(code_of(note + line, verifier), Errc::corruption);
  EXPECT_EQ(code_of(note.substr(0, note.rfind("\n\n") + 2) + line + note.substr(5), verifier),
            Errc::corruption);
}

TEST(Note, ByAnotherKeyOrNameIsRefused) {
  const std::string note = sign_note("one\n", "a/b", signing_key(1));
  EXPECT_EQ(code_of(note, verifier_key("a/b", signing_key(1).verifying_key())), Errc{});
  EXPECT_EQ(code_of(note, verifier_key("a/b", signing_key(2).verifying_key())), Errc::corruption);
  EXPECT_EQ(code_of(note, verifier_key("a/c", signing_key(1).verifying_key())), Errc::corruption);
}

TEST(VerifierKey, IsReadInOneWayOnly) {
  const std::string key = verifier_key("a/b", signing_key().verifying_key());
  const std::string note = sign_note("one\n", "a/b", signing_key());
  ASSERT_EQ(code_of(note, key), Errc{});
  for (const std::string& other :
       {key + "\n", ' ' + key, key + "=", key.substr(0, key.size() - 1), std::string(),
        std::string("+"), std::string("a/b++"), std::string("a b+00000000+") + key.substr(13)})
    EXPECT_EQ(code_of(note, other), Errc::invalid_argument) << other;
}

Checkpoint sample_checkpoint() { return test::SampleLedger().checkpoint(); }

TEST(Checkpoint, IsWrittenAsTheFormatSays) {
  EXPECT_EQ(sign_checkpoint(sample_checkpoint(), signing_key()),
            "efface/abababababababababababababababab\n"
            "11\n"
            "AMIPw2RW8CO0RY+gawjMOhSKnLxIM9s64oso/dmbvmM=\n"
            "\n"
            "\xe2\x80\x94 efface/abababababababababababababababab "
            "hlJCrj5W/pExqHA+2l4bfP/cWTBtIzir/wOMqzy1f99ub13OG7GtuWDnc2aHfQMGTx+vPYCR3E57X6827ka+"
            "ddFo9Aw=\n");
  EXPECT_EQ(test::SampleLedger().verifier_key(),
            "efface/abababababababababababababababab+865242ae+"
            "AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c");
}

TEST(Checkpoint, ComesBack) {
  const std::string key = test::SampleLedger().verifier_key();
  const auto back = open_checkpoint(sign_checkpoint(sample_checkpoint(), signing_key()), key);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, sample_checkpoint());
}

// Properly signed, and still none.
TEST(Checkpoint, IsRefusedInAnyOtherForm) {
  const auto key = signing_key();
  const Checkpoint good = sample_checkpoint();
  const std::string verifier = verifier_key(good.origin, key.verifying_key());
  const std::string root = "lnxcpE6PUaRQc5Lzg9Sm6iF1nzLvgYx2ZcmbkGhL2Uo=";
  const auto opens = [&](const std::string& text) {
    return open_checkpoint(sign_note(text, good.origin, key), verifier).has_value();
  };
  EXPECT_TRUE(opens(good.origin + "\n11\n" + root + '\n'));
  EXPECT_FALSE(opens(good.origin + "\n011\n" + root + '\n'));
  EXPECT_FALSE(opens(good.origin + "\n-1\n" + root + '\n'));
  EXPECT_FALSE(opens(good.origin + "\n11\n" + root.substr(4) + '\n'));
  EXPECT_FALSE(opens(good.origin + "\n11\n" + root + "\nmore\n"));
  EXPECT_FALSE(opens(good.origin + "\n11\n"));
  EXPECT_FALSE(opens(good.origin + "0\n11\n" + root + '\n'));
  std::string other = good.origin;
  other.back() = '0';
  EXPECT_FALSE(opens(other + "\n11\n" + root + '\n'));  // The key is of another ledger.
}

TEST(ProofText, ComesBack) {
  const test::SampleLedger ledger;
  for (std::uint64_t before = 0; before <= ledger.size; ++before) {
    const ConsistencyProof proof = ledger.consistency(before);
    EXPECT_EQ(read_proof(write_proof(proof)).value(), proof);
  }
}

TEST(ProofText, IsReadInOneWayOnly) {
  const std::string good = write_proof({3, 7, {test::filled<32>(1), test::filled<32>(2)}});
  ASSERT_TRUE(read_proof(good));
  for (const std::string& text :
       {std::string(), good.substr(1), good.substr(0, good.size() - 1), good + "\n",
        good + "AA==\n", "efface consistency 2" + good.substr(20),
        std::string("efface consistency 1\nbefore: 3\n"),
        std::string("efface consistency 1\nbefore: 03\nafter: 7\n"),
        std::string("efface consistency 1\nafter: 7\nbefore: 3\n")}) {
    const auto proof = read_proof(text);
    ASSERT_FALSE(proof);
    EXPECT_EQ(proof.error().code(), Errc::corruption);
  }
}

}  // namespace
}  // namespace efface::ledger
