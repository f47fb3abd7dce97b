#include "ledger/merkle.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cstring>

#include "crypto/hex.h"
#include "crypto/sha256.h"
#include "ledger/tree.h"

namespace efface::ledger {
namespace {

using test::from_hex;
using test::Tree;
using Hashes = std::vector<Hash>;

Hash hash_of(std::string_view digits) {
  Hash hash;
  const auto bytes = from_hex(digits);
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

// The eight leaves of the reference tests of Certificate Transparency.
constexpr const char* leaves[] = {"",
                                  "00",
                                  "10",
                                  "2021",
                                  "3031",
                                  "40414243",
                                  "5051525354555657",
                                  "606162636465666768696a6b6c6d6e6f"};
constexpr const char* roots[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

Tree reference_tree() {
  Tree tree;
  for (const char* leaf : leaves) tree.add(from_hex(leaf));
  return tree;
}

// RFC 9162 as it is written there, on a list of leaves.
std::size_t cut_of(std::size_t size) { return std::bit_floor(size - 1); }
Hash naive_root(std::span<const Hash> tree) {
  if (tree.empty()) return crypto::sha256({});
  if (tree.size() == 1) return tree[0];
  const std::size_t cut = cut_of(tree.size());
  return node_hash(naive_root(tree.first(cut)), naive_root(tree.subspan(cut)));
}
Hashes naive_path(std::size_t index, std::span<const Hash> tree) {
  if (tree.size() == 1) return {};
  const std::size_t cut = cut_of(tree.size());
  const bool left = index < cut;
  Hashes path =
      left ? naive_path(index, tree.first(cut)) : naive_path(index - cut, tree.subspan(cut));
  path.push_back(naive_root(left ? tree.subspan(cut) : tree.first(cut)));
  return path;
}
Hashes naive_subproof(std::size_t before, std::span<const Hash> tree, bool known) {
  if (before == tree.size()) return known ? Hashes{} : Hashes{naive_root(tree)};
  const std::size_t cut = cut_of(tree.size());
  const bool left = before <= cut;
  Hashes proof = left ? naive_subproof(before, tree.first(cut), known)
                      : naive_subproof(before - cut, tree.subspan(cut), false);
  proof.push_back(naive_root(left ? tree.subspan(cut) : tree.first(cut)));
  return proof;
}

// A tree of numbered leaves, both ways.
struct Numbered {
  explicit Numbered(std::size_t size) {
    for (std::uint64_t i = 0; i < size; ++i) {
      std::byte bytes[8];
      store_le(bytes, i);
      tree.add(bytes);
      hashes.push_back(leaf_hash(bytes));
    }
  }
  std::span<const Hash> first(std::size_t size) const { return std::span(hashes).first(size); }
  Tree tree;
  Hashes hashes;
};

const Numbered& numbered() {
  static const Numbered made(300);
  return made;
}

void flip(Hash& hash, std::size_t bit) { hash[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8)); }

TEST(MerkleTree, OfNothingHasTheHashOfNothing) {
  EXPECT_EQ(Frontier{}.root(),
            hash_of("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

TEST(MerkleTree, HasTheReferenceRoots) {
  Tree tree;
  for (std::size_t i = 0; i < std::size(leaves); ++i) {
    tree.add(from_hex(leaves[i]));
    EXPECT_EQ(tree.frontier().root(), hash_of(roots[i])) << i;
  }
}

TEST(MerkleTree, HasTheReferenceInclusionProofs) {
  struct Case {
    std::uint64_t index, size;
    std::vector<const char*> proof;
  };
  const Case cases[] = {
      {0,
       8,
       {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
      {5,
       8,
       {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
      {2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
      {1,
       5,
       {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
      {0, 1, {}}};
  const Tree tree = reference_tree();
  for (const Case& one : cases) {
    Hashes proof;
    for (const char* digits : one.proof) proof.push_back(hash_of(digits));
    EXPECT_EQ(prove_inclusion(one.index, one.size, tree).value(), proof);
    EXPECT_TRUE(verify_inclusion(one.index, one.size, leaf_hash(from_hex(leaves[one.index])), proof,
                                 hash_of(roots[one.size - 1])));
  }
}

TEST(MerkleTree, HasTheReferenceConsistencyProofs) {
  struct Case {
    std::uint64_t before, size;
    std::vector<const char*> proof;
  };
  const Case cases[] = {{1, 1, {}},
                        {1,
                         8,
                         {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                          "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
                        {6,
                         8,
                         {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                          "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
                        {2,
                         5,
                         {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                          "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
  const Tree tree = reference_tree();
  for (const Case& one : cases) {
    Hashes proof;
    for (const char* digits : one.proof) proof.push_back(hash_of(digits));
    EXPECT_EQ(prove_consistency(one.before, one.size, tree).value(), proof);
    EXPECT_TRUE(verify_consistency(one.before, one.size, proof, hash_of(roots[one.before - 1]),
                                   hash_of(roots[one.size - 1])));
  }
}

TEST(MerkleTree, IsReadBackFromItsCompleteSubtrees) {
  for (std::uint64_t size = 0; size <= 100; ++size) {
    const auto frontier = frontier_of(size, numbered().tree);
    ASSERT_TRUE(frontier);
    EXPECT_EQ(frontier->root(), naive_root(numbered().first(size)));
    EXPECT_EQ(frontier->peaks.size(), static_cast<std::size_t>(std::popcount(size)));
  }
}

RC_GTEST_PROP(MerkleTree, ProvesEveryEntryAsTheRfcDoes, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 301);
  const auto index = *rc::gen::inRange<std::size_t>(0, size);
  const auto tree = numbered().first(size);
  const auto proof = prove_inclusion(index, size, numbered().tree);
  RC_ASSERT(proof.has_value());
  RC_ASSERT(*proof == naive_path(index, tree));
  RC_ASSERT(verify_inclusion(index, size, tree[index], *proof, naive_root(tree)).has_value());
}

RC_GTEST_PROP(MerkleTree, ProvesEveryBeginningAsTheRfcDoes, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 301);
  const auto before = *rc::gen::inRange<std::size_t>(1, size + 1);
  const auto tree = numbered().first(size);
  const auto proof = prove_consistency(before, size, numbered().tree);
  RC_ASSERT(proof.has_value());
  RC_ASSERT(*proof == naive_subproof(before, tree, true));
  RC_ASSERT(
      verify_consistency(before, size, *proof, naive_root(tree.first(before)), naive_root(tree))
          .has_value());
}

RC_GTEST_PROP(MerkleTree, RefusesAChangedInclusionProof, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(2, 301);
  const auto index = *rc::gen::inRange<std::size_t>(0, size);
  const auto bit = *rc::gen::inRange<std::size_t>(0, 256);
  const auto tree = numbered().first(size);
  const Hash root = naive_root(tree);
  const Hashes proof = prove_inclusion(index, size, numbered().tree).value();
  for (Hashes changed = proof; Hash & hash : changed) {
    flip(hash, bit);
    RC_ASSERT(!verify_inclusion(index, size, tree[index], changed, root));
    flip(hash, bit);
  }
  Hash leaf = tree[index];
  flip(leaf, bit);
  RC_ASSERT(!verify_inclusion(index, size, leaf, proof, root));
  Hash other = root;
  flip(other, bit);
  RC_ASSERT(!verify_inclusion(index, size, tree[index], proof, other));
  for (std::size_t another = 0; another < size; ++another)
    RC_ASSERT(another == index || !verify_inclusion(another, size, tree[index], proof, root));
  Hashes longer = proof;
  longer.push_back(root);
  RC_ASSERT(!verify_inclusion(index, size, tree[index], longer, root));
  RC_ASSERT(
      !verify_inclusion(index, size, tree[index], std::span(proof).first(proof.size() - 1), root));
}

RC_GTEST_PROP(MerkleTree, RefusesAChangedConsistencyProof, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(2, 301);
  const auto before = *rc::gen::inRange<std::size_t>(1, size);
  const auto bit = *rc::gen::inRange<std::size_t>(0, 256);
  const auto tree = numbered().first(size);
  const Hash root = naive_root(tree);
  const Hash root_before = naive_root(tree.first(before));
  const Hashes proof = prove_consistency(before, size, numbered().tree).value();
  for (Hashes changed = proof; Hash & hash : changed) {
    flip(hash, bit);
    RC_ASSERT(!verify_consistency(before, size, changed, root_before, root));
    flip(hash, bit);
  }
  Hash other = root;
  flip(other, bit);
  RC_ASSERT(!verify_consistency(before, size, proof, root_before, other));
  other = root_before;
  flip(other, bit);
  RC_ASSERT(!verify_consistency(before, size, proof, other, root));
  for (std::size_t another = 0; another <= size; ++another)
    RC_ASSERT(another == before || !verify_consistency(another, size, proof, root_before, root));
  RC_ASSERT(!verify_consistency(before, size, std::span(proof).first(proof.size() - 1), root_before,
                                root));
}

// Sizes that ask for the same steps are told apart by their roots alone, which checkpoints bind.
TEST(MerkleTree, RefusesASizeThatAsksForOtherSteps) {
  for (std::size_t size = 2; size <= 40; ++size) {
    const auto tree = numbered().first(size);
    const Hash root = naive_root(tree);
    const std::size_t index = size / 2;
    const Hashes proof = prove_inclusion(index, size, numbered().tree).value();
    EXPECT_TRUE(verify_inclusion(index, size, tree[index], proof, root));
    EXPECT_FALSE(verify_inclusion(index, 2 * size, tree[index], proof, root));
    EXPECT_FALSE(verify_inclusion(index, index, tree[index], proof, root));
  }
}

TEST(MerkleTree, AnEmptyTreeIsTheBeginningOfEvery) {
  const Hash nothing = Frontier{}.root();
  const Hash root = naive_root(numbered().first(9));
  EXPECT_TRUE(prove_consistency(0, 9, numbered().tree)->empty());
  EXPECT_TRUE(verify_consistency(0, 9, {}, nothing, root));
  EXPECT_FALSE(verify_consistency(0, 9, {}, root, root));
  EXPECT_FALSE(verify_consistency(0, 9, std::span(&root, 1), nothing, root));
  EXPECT_FALSE(verify_consistency(0, 0, {}, nothing, root));
}

TEST(MerkleTree, ProvesNothingThatItDoesNotHave) {
  const Tree& tree = numbered().tree;
  EXPECT_EQ(prove_inclusion(3, 3, tree).error().code(), Errc::invalid_argument);
  EXPECT_EQ(prove_inclusion(0, 0, tree).error().code(), Errc::invalid_argument);
  EXPECT_EQ(prove_consistency(4, 3, tree).error().code(), Errc::invalid_argument);
  EXPECT_EQ(verify_inclusion(3, 3, {}, {}, {}).error().code(), Errc::invalid_argument);
  EXPECT_EQ(verify_consistency(4, 3, {}, {}, {}).error().code(), Errc::invalid_argument);
  EXPECT_EQ(prove_inclusion(299, 301, tree).error().code(), Errc::corruption);  // The subtree's.
}

TEST(MerkleTree, TellsALeafFromANode) {
  const Hash left = hash_of(roots[0]);
  const Hash right = hash_of(roots[1]);
  std::vector<std::byte> both(left.begin(), left.end());
  both.insert(both.end(), right.begin(), right.end());
  EXPECT_NE(leaf_hash(both), node_hash(left, right));
}

}  // namespace
}  // namespace efface::ledger
