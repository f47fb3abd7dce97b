#include "storage/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <functional>
#include <random>

#include "storage/data_file.h"
#include "storage/environment.h"

namespace efface::test {
namespace {

using storage::verify_metas;
using storage::verify_structure;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using U16s = std::initializer_list<u16>;
using U64s = std::initializer_list<u64>;

// "" where the file is accepted, else what the verifier said.
std::string verdict(const Status& status) {
  if (status) return "";
  return std::string(status.error().code() == Errc::corruption ? "" : "not corruption: ") +
         status.error().note();
}
std::string verdict(const std::filesystem::path& directory) {
  return verdict(verify_structure(open_data(directory)));
}

TEST(VerifyAccepts, AnEnvironmentThatWasOnlyOpened) {
  const TempDirectory directory("verify");
  {
    const LmdbWriter writer(directory.path());
  }
  EXPECT_EQ(verdict(verify_metas(open_data(directory.path()))), "");
  EXPECT_EQ(verdict(directory.path()), "");
}

TEST(VerifyAccepts, OneRecordAndNoneAgain) {
  const TempDirectory directory("verify");
  LmdbWriter writer(directory.path());
  for (int round = 0; round < 4; ++round) {
    writer.begin();
    writer.put("a", "");
    writer.commit();
    EXPECT_EQ(verdict(directory.path()), "");
    writer.begin();
    writer.remove("a");
    writer.commit();
    EXPECT_EQ(verdict(directory.path()), "");
  }
}

TEST(VerifyAccepts, TheShortestAndTheLongestKeysAndValuesAtEveryThreshold) {
  const TempDirectory directory("verify");
  LmdbWriter writer(directory.path());
  writer.begin();
  for (std::size_t key_bytes : {1u, 2u, 3u, 510u, 511u})
    for (std::size_t value_bytes :
         {0u,    1u,    1518u, 1519u, 1520u, 2025u, 2026u, 2027u, 2028u, 2029u,
          2030u, 2031u, 4079u, 4080u, 4081u, 4082u, 8175u, 8176u, 8177u, 1000000u})
      for (char first : {'a', '\0', '\xff'}) {
        std::string key(key_bytes, first);
        key.back() = static_cast<char>(value_bytes);
        writer.put(key, std::string(value_bytes, 'v'));
      }
  writer.commit();
  EXPECT_EQ(verdict(directory.path()), "");
}

TEST(VerifyAccepts, ALargeTreeItsRemovalAndACompactedCopy) {
  const TempDirectory directory("verify");
  const TempDirectory copy("verify");
  LmdbWriter writer(directory.path());
  const auto key = [](unsigned i) {
    return std::to_string(i * 2654435761u) + std::string(i % 300, 'k');
  };
  writer.begin();
  for (unsigned i = 0; i < 20'000; ++i) writer.put(key(i), std::string(i % 700, 'v'));
  writer.commit();
  EXPECT_EQ(verdict(directory.path()), "");
  writer.copy_compacted(copy.path());
  EXPECT_EQ(verdict(copy.path()), "");
  writer.begin();
  for (unsigned i = 0; i < 20'000; ++i)
    if (i % 10 != 3) writer.remove(key(i));
  writer.commit();  // Thousands of freed pages: a free list in overflow pages.
  EXPECT_EQ(verdict(directory.path()), "");
  const Image image = Image::of(directory.path());
  EXPECT_GT(image.get<u64>(image.newest() + Image::free_tree + Image::overflows), 0u);
}

TEST(VerifyAccepts, AFileThatEndsBeforePagesThatOneTransactionTookAndGaveBack) {
  const TempDirectory directory("verify");
  LmdbWriter writer(directory.path());
  for (int round = 0; round < 4; ++round) {
    writer.begin();
    writer.put("a", "");
    if (round == 3) writer.put("b", std::string(100'000, 'v'));
    if (round == 3) writer.remove("b");
    writer.commit();
  }
  const Image image = Image::of(directory.path());
  EXPECT_LT(image.pages(), image.get<u64>(image.newest() + Image::last_page) + 1);
  EXPECT_EQ(verdict(verify_metas(open_data(directory.path()))), "");
  EXPECT_EQ(verdict(directory.path()), "");
}

TEST(VerifyAccepts, PagesBehindTheLastThatAnAbortedTransactionOrAReservationLeft) {
  const TempDirectory directory("verify");
  Image image = small_image();
  image.bytes.resize(image.bytes.size() + 5 * Image::page_bytes + 77, std::byte{0xee});
  image.write(directory.path());
  EXPECT_EQ(verdict(directory.path()), "");
}

TEST(VerifyAccepts, WhatLmdbLeavesInTheOlderMetaAfterAnErrorOfTheDevice) {
  const TempDirectory directory("verify");
  Image image = small_image();
  image.set<u64>(image.older() + Image::main_tree + Image::root, 12345);
  image.set<u64>(image.older() + Image::main_tree + Image::entries, 99);
  image.write(directory.path());
  EXPECT_EQ(verdict(directory.path()), "");
}

TEST(VerifyAccepts, WhatOurEnvironmentWritesAfterEveryCommit) {
  const TempDirectory directory("verify");
  auto parent = os::Directory::open(directory.path());
  ASSERT_TRUE(parent);
  ASSERT_TRUE(storage::Environment::create(*parent, {}));
  EXPECT_EQ(verdict(directory.path()), "");
  auto environment = storage::Environment::open(*parent, {.verify_structure = true});
  ASSERT_TRUE(environment);
  for (unsigned commit = 0; commit < 30; ++commit) {
    auto write = environment->write(storage::Space::removal);
    ASSERT_TRUE(write);
    for (unsigned i = 0; i < 40; ++i) {
      const std::string key = std::to_string((commit * 41 + i * 97) % 500);
      if (i % 3 == 0)
        ASSERT_TRUE(write->remove(as_bytes(key)));
      else
        ASSERT_TRUE(write->put(as_bytes(key), as_bytes(std::string(i * commit * 5, 'v'))));
    }
    ASSERT_TRUE(std::move(*write).commit());
    ASSERT_EQ(verdict(directory.path()), "");
  }
}

TEST(VerifyAccepts, TheMetasWhileAnotherProcessCommits) {
  const TempDirectory directory("verify");
  {
    const LmdbWriter writer(directory.path());
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    LmdbWriter writer(directory.path());
    for (int commit = 0; commit < 3000; ++commit) {
      writer.begin();
      writer.put(std::to_string(commit % 50), std::string(static_cast<std::size_t>(commit), 'v'));
      writer.commit();
    }
    std::_Exit(0);
  }
  const os::File file = open_data(directory.path());
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) EXPECT_EQ(verdict(verify_metas(file)), "");
  EXPECT_EQ(status, 0);
  EXPECT_EQ(verdict(directory.path()), "");
}

class VerifyAcceptsChurn : public testing::TestWithParam<unsigned> {};

// Grows, shrinks and rewrites at random, sometimes with a reader that pins old pages, and looks
// after every commit.
TEST_P(VerifyAcceptsChurn, AfterEveryCommit) {
  const TempDirectory directory("verify");
  LmdbWriter writer(directory.path());
  std::mt19937_64 random(GetParam());
  const auto below = [&](u64 end) { return random() % end; };
  const u64 key_bytes_max = GetParam() % 3 == 0 ? 511 : GetParam() % 3 == 1 ? 60 : 12;
  const auto key = [&] {
    std::mt19937_64 of(below(1200));
    return std::to_string(of()) + std::string(of() % (key_bytes_max - 11), 'k');
  };
  bool pinned = false;
  for (int commit = 0; commit < 160; ++commit) {
    if (below(12) == 0) (std::exchange(pinned, !pinned) ? writer.unpin() : writer.pin());
    writer.begin();
    const u64 removals_of_8 = commit / 20 % 2 == 0 ? 2 : 6;
    for (u64 i = 0, end = 1 + below(120); i < end; ++i) {
      const std::string one = key().substr(0, key_bytes_max);
      if (below(8) < removals_of_8)
        writer.remove(one);
      else  // Twice: LMDB rewrites an overflow run of the same transaction in place.
        for (u64 again = below(2); again < 2; ++again)
          writer.put(one, std::string(below(9) == 0 ? below(20'000) : below(400), 'v'));
    }
    if (below(10) == 0)
      writer.abort();
    else
      writer.commit();
    ASSERT_EQ(verdict(directory.path()), "") << "commit " << commit;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, VerifyAcceptsChurn, testing::Range(0u, 9u));

class VerifyRefuses : public testing::Test {
 protected:
  using Damage = std::function<void(Image&)>;

  // What is said of a file with one thing wrong.
  std::string of(const Damage& damage) {
    write(damage);
    return verdict(directory_.path());
  }
  // The same, of its metas alone.
  std::string of_metas(const Damage& damage) {
    write(damage);
    return verdict(verify_metas(open_data(directory_.path())));
  }
  static const Image& tall() {
    static const Image image = tall_image();
    return image;
  }
  static constexpr std::size_t main = Image::main_tree;
  static constexpr std::size_t free = Image::free_tree;

 private:
  void write(const Damage& damage) const {
    Image image = tall();
    damage(image);
    image.write(directory_.path());
  }
  const TempDirectory directory_{"verify"};
};

TEST_F(VerifyRefuses, NothingOfTheImageAsLmdbWroteIt) {
  EXPECT_EQ(of([](Image&) {}), "");
  EXPECT_EQ(tall().get<u16>(tall().newest() + main + Image::depth), 3);
  EXPECT_GE(tall().get<u64>(tall().newest() + free + Image::entries), 3u);
  EXPECT_GE(tall().get<u64>(tall().newest() + main + Image::overflows), 4u);
}

TEST_F(VerifyRefuses, FilesThatAreTooShort) {
  for (std::size_t bytes : {0u, 1u, 4095u, 4096u, 8191u})
    EXPECT_EQ(of([&](Image& i) { i.bytes.resize(bytes); }), "the file is too short");
  // Page by page down to the metas, except that a tail which is only free may be missing.
  std::size_t refused = 0;
  for (std::size_t pages = 2; pages < tall().pages(); ++pages)
    refused +=
        of([&](Image& i) { i.bytes.resize(pages * Image::page_bytes + 4095); }) != "" ? 1 : 0;
  EXPECT_GT(refused, tall().pages() / 2);
  EXPECT_EQ(of([](Image& i) { i.add<u64>(i.newest() + Image::last_page, 1); }),
            "the file is too short");
}

TEST_F(VerifyRefuses, MetaPagesThatAreNotOne) {
  for (std::size_t page : {0u, 4096u}) {
    EXPECT_EQ(of([&](Image& i) { i.add<u64>(page, 1); }), "a meta page is not one");
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(page + 10, 0x18); }), "a meta page is not one");
    EXPECT_EQ(of([&](Image& i) { i.add<u32>(page + 16, 1); }), "a meta page is not one");
    EXPECT_EQ(of([&](Image& i) { i.set<u32>(page + 20, 2); }), "a meta page is not one");
    EXPECT_EQ(of([&](Image& i) { i.set<u64>(page + 24, 4096); }), "a meta page is not one");
    EXPECT_EQ(of([&](Image& i) { i.set<u32>(page + 16 + free, 8192); }), "a meta page is not one");
    EXPECT_EQ(of([&](Image& i) { i.add<u64>(page + 16 + Image::transaction, 1); }),
              "a meta page is not one");
    EXPECT_EQ(of([&](Image& i) { i.set<u64>(page + 16 + Image::transaction, ~u64{0} - 1); }),
              "a meta page is not one");
  }
}

TEST_F(VerifyRefuses, MetasThatAreTransactionsApart) {
  EXPECT_EQ(of([](Image& i) { i.add<u64>(i.newest() + Image::transaction, 2); }),
            "the metas are not of consecutive transactions");
  EXPECT_EQ(of([](Image& i) { i.set<u64>(i.older() + Image::transaction, 0); }),
            "the metas are not of consecutive transactions");
}

TEST_F(VerifyRefuses, AbsurdSizesInTheNewestMeta) {
  for (u64 last : U64s{0, ~u64{0}, u64{1} << 52})
    EXPECT_EQ(of([&](Image& i) { i.set<u64>(i.newest() + Image::last_page, last); }),
              "the last page is out of range");
  for (u64 bytes : U64s{u64{0}, u64{8192}, ~u64{0}, u64{1} << 48})
    EXPECT_EQ(of([&](Image& i) { i.set<u64>(i.newest() + 16, bytes); }),
              "the map size is out of range");
}

TEST_F(VerifyRefuses, TreesWithFlagsThatWeNeverSet) {
  for (u16 flag : U16s{0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x8000})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.newest() + main + Image::tree_flags, flag); }),
              "the flags of a tree are not ours");
  for (u16 flags : U16s{0x00, 0x0c, 0x09, 0x8008})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.newest() + free + Image::tree_flags, flags); }),
              "the flags of a tree are not ours");
}

TEST_F(VerifyRefuses, APadOfTheRecordsThatIsNotZero) {
  EXPECT_EQ(of([](Image& i) { i.set<u32>(i.newest() + main + Image::pad, 8); }),
            "the flags of a tree are not ours");
}

TEST_F(VerifyRefuses, RootsAndDepthsOutOfRange) {
  for (std::size_t tree : {main, free}) {
    for (u64 root : U64s{u64{0}, u64{1}, ~u64{0}, ~u64{0} - 1, u64{tall().pages()} + 900})
      EXPECT_EQ(of([&](Image& i) { i.set<u64>(i.newest() + tree + Image::root, root); }),
                "the root of a tree is out of range");
    for (u16 depth : U16s{0, 33, 65535})
      EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.newest() + tree + Image::depth, depth); }),
                "the root of a tree is out of range");
    for (int change : {-1, 1})
      EXPECT_NE(of([&](Image& i) { i.add<u16>(i.newest() + tree + Image::depth, u16(change)); }),
                "");
  }
}

TEST_F(VerifyRefuses, MetasThatContradictThemselves) {
  const std::string range = "the root of a tree is out of range";
  EXPECT_EQ(of_metas([](Image&) {}), "");
  for (std::size_t tree : {main, free}) {
    for (auto count : {Image::branches, Image::leaves, Image::overflows})
      EXPECT_EQ(of_metas([&](Image& i) {
                  i.set<u64>(i.newest() + tree + count,
                             i.get<u64>(i.newest() + Image::last_page) + 1);
                }),
                range);
    EXPECT_EQ(
        of_metas([&](Image& i) { i.set<u64>(i.newest() + tree + Image::leaves, i.pages() - 1); }),
        "the file is too short");
    const auto empty = [&](Image& i) {
      for (std::size_t at = Image::depth; at < Image::root; ++at)
        i.set<std::byte>(i.newest() + tree + at, std::byte{0});
      i.set<u64>(i.newest() + tree + Image::root, ~u64{0});
    };
    EXPECT_EQ(of_metas(empty), "");
    for (auto field :
         {Image::depth, Image::branches, Image::leaves, Image::overflows, Image::entries})
      EXPECT_EQ(of_metas([&](Image& i) {
                  empty(i);
                  i.set<std::byte>(i.newest() + tree + field, std::byte{1});
                }),
                range);
  }
}

TEST_F(VerifyRefuses, CountsThatAreNotThoseOfTheTree) {
  for (std::size_t tree : {main, free})
    for (auto count : {Image::branches, Image::leaves, Image::overflows, Image::entries})
      EXPECT_EQ(of([&](Image& i) { i.add<u64>(i.newest() + tree + count, 1); }),
                "a count of a tree is wrong");
}

TEST_F(VerifyRefuses, PagesInTheWrongPlaceOrOfTheWrongKind) {
  EXPECT_EQ(of([](Image& i) { i.add<u64>(i.leaf(main), 1); }), "a page is not in its place");
  EXPECT_EQ(of([](Image& i) { i.add<u64>(i.root_page(free), 1); }), "a page is not in its place");
  for (u16 flags : U16s{0x00, 0x01, 0x04, 0x08, 0x12, 0x22, 0x42, 0x4002, 0x8002})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.leaf(main) + 10, flags); }),
              "a page is of the wrong kind");
  for (u16 flags : U16s{0x00, 0x02, 0x11})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.root_page(main) + 10, flags); }),
              "a page is of the wrong kind");
}

TEST_F(VerifyRefuses, BoundsOfAPageThatCannotBe) {
  for (u16 lower : U16s{0, 14, 15, 4097, 65534})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.leaf(main) + 12, lower); }),
              "the bounds of a page are wrong");
  for (u16 upper : U16s{0, 4098, 65535})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.leaf(main) + 14, upper); }),
              "the bounds of a page are wrong");
  for (std::size_t bound : {12u, 14u})
    for (int change : {-1, 1})
      EXPECT_EQ(of([&](Image& i) { i.add<u16>(i.leaf(main) + bound, u16(change)); }),
                "the bounds of a page are wrong");
  EXPECT_EQ(of([](Image& i) { i.set<u16>(i.leaf(main) + 12, 16); }), "a page has too few keys");
  EXPECT_EQ(of([](Image& i) { i.set<u16>(i.root_page(main) + 12, 18); }),
            "a page has too few keys");
}

TEST_F(VerifyRefuses, NodesOutsideTheirPageOrOnTopOfEachOther) {
  for (int offset : {0, 16, 4090, 4095, 4096, 65534})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.slot(i.leaf(main), 1), u16(offset)); }),
              "a node is out of its page");
  EXPECT_EQ(of([](Image& i) { i.add<u16>(i.slot(i.leaf(main), 1), 1); }),
            "a node is out of its page");
  EXPECT_EQ(of([](Image& i) {  // The last node, longer by two bytes.
              const std::size_t page = i.leaf(main);
              std::size_t last = 0;
              for (std::size_t k = 0; k < i.keys(page); ++k) last = std::max(last, i.node(page, k));
              i.add<u16>(last, 2);
            }),
            "a node is out of its page");
  const std::string overlap = "the nodes of a page leave a gap or overlap";
  EXPECT_EQ(of([](Image& i) {
              i.set<u16>(i.slot(i.leaf(main), 1), i.get<u16>(i.slot(i.leaf(main), 0)));
            }),
            overlap);
  EXPECT_EQ(of([](Image& i) { i.add<u16>(i.nearest_node(i.leaf(main)), 2); }), overlap);
  EXPECT_EQ(of([](Image& i) { i.add<u16>(i.nearest_node(i.leaf(main)), u16(-2)); }), overlap);
  EXPECT_EQ(of([](Image& i) { i.add<u16>(i.leaf(main) + 14, u16(-2)); }), overlap);
  EXPECT_EQ(of([](Image& i) { i.add<u16>(i.leaf(main) + 12, u16(-2)); }), overlap);
  EXPECT_EQ(of([](Image& i) {  // One more key, and it is the last again.
              const std::size_t page = i.leaf(main);
              const std::size_t count = i.keys(page);
              i.set<u16>(i.slot(page, count), i.get<u16>(i.slot(page, count - 1)));
              i.add<u16>(page + 12, 2);
            }),
            overlap);
}

TEST_F(VerifyRefuses, NodesWithFlagsOrSizesThatWeNeverWrite) {
  for (u16 flags : U16s{0x02, 0x04, 0x06, 0x08, 0x100})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.node(i.leaf(main), 1) + 4, flags); }),
              "a node has flags that are not ours");
  EXPECT_EQ(of([](Image& i) { i.set<u16>(i.node(i.leaf(main), 1) + 2, 1); }),
            "a node is too large");
  for (u16 bytes : U16s{0, 512, 1000})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.node(i.leaf(main), 1) + 6, bytes); }),
              "a key has the wrong size");
  EXPECT_EQ(of([](Image& i) { i.set<u16>(i.node(i.root_page(main), 1) + 6, 0); }),
            "a key has the wrong size");
  for (u16 bytes : U16s{0, 7, 9})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.node(i.leaf(free), 0) + 6, bytes); }),
              "a key has the wrong size");
}

TEST_F(VerifyRefuses, KeysOutOfOrder) {
  const auto swap_slots = [](Image& i, std::size_t page, std::size_t a, std::size_t b) {
    const u16 held = i.get<u16>(i.slot(page, a));
    i.set<u16>(i.slot(page, a), i.get<u16>(i.slot(page, b)));
    i.set<u16>(i.slot(page, b), held);
  };
  EXPECT_EQ(of([&](Image& i) { swap_slots(i, i.leaf(main), 0, 1); }), "keys are out of order");
  EXPECT_EQ(of([&](Image& i) { swap_slots(i, i.leaf(free), 0, 1); }), "keys are out of order");
  EXPECT_EQ(of([&](Image& i) { swap_slots(i, i.child(i.root_page(main), 0), 1, 2); }),
            "keys are out of order");
  EXPECT_EQ(of([](Image& i) {  // Of equal length, so that one can become the other.
              const std::size_t page = i.leaf(free);
              i.set<u64>(i.key(page, 1), i.get<u64>(i.key(page, 0)));
            }),
            "keys are out of order");
}

TEST_F(VerifyRefuses, KeysOutsideTheirBranch) {
  EXPECT_EQ(of([](Image& i) { i.set<std::byte>(i.key(i.leaf(main, true), 0), std::byte{0}); }),
            "a key is outside its branch");
  EXPECT_EQ(of([](Image& i) {
              const std::size_t page = i.leaf(main);
              i.set<std::byte>(i.key(page, i.keys(page) - 1), std::byte{0xff});
            }),
            "a key is outside its branch");
  EXPECT_EQ(of([](Image& i) {  // A leaf one level down bears out what the root said.
              i.set<std::byte>(i.key(i.root_page(main), 1), std::byte{'0'});
            }),
            "a key is outside its branch");
}

TEST_F(VerifyRefuses, PagesReachedTwiceOrNotThere) {
  const std::string range = "a page number is out of range";
  EXPECT_EQ(of([](Image& i) {
              const std::size_t page = i.root_page(main);
              i.set<u16>(i.node(page, 1), i.get<u16>(i.node(page, 0)));
            }),
            "a page has two owners");
  EXPECT_EQ(of([](Image& i) {  // A loop: the child of the root is the root.
              i.set<u16>(i.node(i.root_page(main), 0), u16(i.root_page(main) / 4096));
            }),
            "a page has two owners");
  EXPECT_EQ(
      of([](Image& i) { i.set<u64>(i.newest() + free + Image::root, i.root_page(main) / 4096); }),
      "a page has two owners");
  for (u16 page : U16s{0, 1, 60000})
    EXPECT_EQ(of([&](Image& i) { i.set<u16>(i.node(i.root_page(main), 0), page); }), range);
  EXPECT_EQ(of([](Image& i) { i.set<u16>(i.node(i.root_page(main), 0) + 4, 1); }), range);
}

// Offset of the node of the first value that lies in overflow pages.
std::size_t large_value(const Image& image, std::size_t page) {
  for (std::size_t i = 0; i < image.keys(page); ++i) {
    if (image.get<u16>(page + 10) == 1) {
      if (const std::size_t found = large_value(image, image.child(page, i))) return found;
    } else if (image.get<u16>(image.node(page, i) + 4) == 1) {
      return image.node(page, i);
    }
  }
  return 0;
}

TEST_F(VerifyRefuses, OverflowRunsThatDoNotHoldTheirValue) {
  const std::size_t node = large_value(tall(), tall().root_page(main));
  ASSERT_NE(node, 0u);
  const std::size_t pointer = node + 8 + tall().get<u16>(node + 6);
  const std::size_t run = static_cast<std::size_t>(tall().get<u64>(pointer)) * 4096;
  const std::string not_one = "an overflow page is not one";
  for (u64 page : U64s{u64{0}, u64{1}, ~u64{0}, ~u64{0} / 4096})
    EXPECT_EQ(of([&](Image& i) { i.set<u64>(pointer, page); }), "a page number is out of range");
  EXPECT_EQ(of([&](Image& i) { i.add<u64>(pointer, 1); }), not_one);
  EXPECT_EQ(of([&](Image& i) { i.set<u64>(pointer, i.leaf(main) / 4096); }), not_one);
  EXPECT_EQ(of([&](Image& i) { i.set<u16>(run + 10, 0x14); }), not_one);
  EXPECT_EQ(of([&](Image& i) { i.add<u64>(run, 1); }), not_one);
  EXPECT_EQ(of([&](Image& i) { i.add<u32>(run + 12, u32(-1)); }), "an overflow run is too short");
  EXPECT_EQ(of([&](Image& i) { i.add<u16>(node + 2, 1); }), "an overflow run is too short");
  EXPECT_EQ(of([&](Image& i) { i.set<u32>(run + 12, ~u32{0}); }), "a page number is out of range");
  EXPECT_THAT(of([&](Image& i) { i.add<u32>(run + 12, 1); }),
              testing::AnyOf("a page has two owners", "a count of a tree is wrong"));
}

TEST_F(VerifyRefuses, FreePagesThatAreInUseOrTwiceFreeOrNotThere) {
  const std::size_t page = tall().leaf(free);
  const std::size_t ids = tall().value(page, 0);
  ASSERT_GE(tall().get<u64>(ids), 3u);
  const std::string size = "a list of free pages has the wrong size";
  EXPECT_EQ(of([&](Image& i) { i.set<u64>(ids + 8, i.root_page(main) / 4096); }),
            "a page has two owners");
  EXPECT_EQ(of([&](Image& i) { i.set<u64>(ids + 16, i.get<u64>(ids + 8)); }),
            "free pages are out of order");
  EXPECT_EQ(of([&](Image& i) { i.set<u64>(ids + 8, i.get<u64>(ids + 24)); }),
            "free pages are out of order");
  EXPECT_EQ(of([&](Image& i) {
              const std::size_t other = i.value(page, 1);
              i.set<u64>(other + 8, i.get<u64>(ids + 8));
            }),
            "a page has two owners");
  const std::size_t lowest = ids + 8 * static_cast<std::size_t>(tall().get<u64>(ids));
  for (u64 id : U64s{u64{0}, u64{1}})
    EXPECT_EQ(of([&](Image& i) { i.set<u64>(lowest, id); }), "a page number is out of range");
  for (u64 id : U64s{~u64{0} - 1, u64{tall().pages()} + 1})
    EXPECT_EQ(of([&](Image& i) { i.set<u64>(ids + 8, id); }), "a page number is out of range");
  for (u64 count : U64s{~u64{0}, u64{1} << 61, tall().get<u64>(ids) + 1})
    EXPECT_EQ(of([&](Image& i) { i.set<u64>(ids, count); }), size);
  const std::size_t node = tall().node(page, 0);
  EXPECT_EQ(of([&](Image& i) {  // Not whole words. It takes as much of the page as before.
              i.add<u16>(node, u16(-1));
              i.add<u64>(ids, u64(-1));
            }),
            size);
  EXPECT_EQ(of([&](Image& i) {  // The page's only list, and that has not even a count.
              i.set<u16>(page + 12, 18);
              i.set<u16>(page + 14, 4080);
              i.set<u16>(i.slot(page, 0), 4080);
              i.set<u64>(page + 4080, u64{8} << 48);
              i.set<u64>(page + 4088, 1);
            }),
            size);
}

TEST_F(VerifyRefuses, FreePagesOfATransactionThatHasNotBeen) {
  const std::size_t page = tall().leaf(free);
  EXPECT_EQ(of([&](Image& i) { i.set<u64>(i.key(page, 0), 0); }),
            "free pages are of no transaction");
  EXPECT_EQ(of([&](Image& i) {
              i.set<u64>(i.key(page, i.keys(page) - 1),
                         i.get<u64>(i.newest() + Image::transaction) + 1);
            }),
            "free pages are of no transaction");
}

TEST_F(VerifyRefuses, ASparseFileOfAbsurdSizeAtOnce) {
  const TempDirectory directory("verify");
  Image image = tall();
  image.set<u64>(image.newest() + Image::last_page, (u64{1} << 31) - 1);  // 8 TiB
  image.set<u64>(image.newest() + 16, u64{1} << 43);
  image.set<u64>(image.newest() + main + Image::root, u64{1} << 30);
  image.write(directory.path());
  ASSERT_EQ(::truncate((directory / "data.mdb").c_str(), off_t{1} << 43), 0);
  EXPECT_EQ(verdict(directory.path()), "a page is not in its place");
}

}  // namespace
}  // namespace efface::test
