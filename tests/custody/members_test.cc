// What stores that are one say of their members, and what they refuse.
#include <gtest/gtest.h>

#include "custody/several.h"
#include "efface/file_root_key_store.h"

namespace efface::test {
namespace {

constexpr Several kinds[] = {Several::composite, Several::replicated};

class OfFiles : public testing::Test {
 protected:
  std::unique_ptr<RootKeyStore> file(const char* name, std::string_view passphrase = "") {
    return FileRootKeyStore::create({.path = home_ / name,
                                     .passphrase = as_bytes(passphrase),
                                     .accept_l0 = true,
                                     .passphrase_memory_kib = 8,
                                     .passphrase_passes = 1})
        .value();
  }
  TempDirectory home_{"members"};
};

TEST_F(OfFiles, LieOnAVolumeAndInClearAsTheirMembersDo) {
  const auto clear = file("clear");
  const auto sealed = file("sealed", "secret");
  RootKeyStore* const both[] = {clear.get(), sealed.get()};
  const auto composite = join(Several::composite, both);
  const auto replicated = join(Several::replicated, both);
  const std::string here = home_.path().string();
  for (const auto* one : {composite.get(), replicated.get()}) {
    EXPECT_TRUE(*one->shares_volume(here));
    EXPECT_FALSE(*one->shares_volume("/proc"));
    EXPECT_FALSE(one->shares_volume(here + "/nothing"));
  }
  EXPECT_FALSE(composite->keeps_in_clear());  // One share is sealed.
  EXPECT_TRUE(replicated->keeps_in_clear());  // One is enough.
}

TEST(SeveralStores, HoldAtMostTwoEpochsAndEachOnce) {
  for (const Several kind : kinds) {
    SeveralStores stores(kind, 2);
    ASSERT_TRUE(stores.whole->create(1, Anchor()));
    EXPECT_EQ(code_of(stores.whole->create(1, Anchor())), Errc::exists);
    ASSERT_TRUE(stores.whole->create(2, Anchor()));
    EXPECT_EQ(code_of(stores.whole->create(3, Anchor())), Errc::exists);
  }
}

TEST(SeveralStores, BeginOnlyWithMembersThatServeNoKeyring) {
  for (const Several kind : kinds) {
    SeveralStores stores(kind, 2);
    ASSERT_TRUE(stores.members[0]->create(1, Anchor{1, {}, 0, {}}));
    EXPECT_EQ(code_of(stores.whole->create(2, Anchor())), Errc::root_key_mismatch);
    EXPECT_TRUE(stores.members[1]->list()->empty());
  }
}

TEST(SeveralStores, AreNotAskedForWhatOneOfThemDoesNotAnswer) {
  for (const Several kind : kinds) {
    SeveralStores stores(kind, 2);
    ASSERT_TRUE(stores.whole->create(1, Anchor()));
    std::array<std::byte, 32> key{};
    const auto wrapped = stores.whole->wrap(1, {}, key).value();
    for (std::size_t at = 1; at <= 2; ++at) {  // Its list, and its anchor.
      stores.members[0]->arm({.at = at, .for_ever = true});
      EXPECT_EQ(code_of(stores.whole->create(2, Anchor())), Errc::token_unavailable);
    }
    for (const auto& member : stores.members) member->arm({.at = 1, .for_ever = true});
    EXPECT_EQ(code_of(stores.whole->list()), Errc::token_unavailable);
    EXPECT_EQ(code_of(stores.whole->anchor()), Errc::token_unavailable);
    EXPECT_EQ(code_of(stores.whole->wrap(1, {}, key)), Errc::token_unavailable);
    EXPECT_EQ(code_of(stores.whole->unwrap(1, {}, wrapped, key)), Errc::token_unavailable);
    EXPECT_EQ(code_of(stores.whole->rotate(1, 2, Anchor())), Errc::token_unavailable);
    stores.all_well();
    EXPECT_EQ(stores.whole->list()->size(), 1u);
    EXPECT_TRUE(stores.whole->unwrap(1, {}, wrapped, key));
  }
}

TEST(SeveralStores, OpenNothingThatTheyDidNotWrap) {
  for (const Several kind : kinds) {
    SeveralStores stores(kind, 2);
    SeveralStores others(kind, 2);
    std::array<std::byte, 32> key{};
    for (SeveralStores* each : {&stores, &others}) {
      ASSERT_TRUE(each->whole->create(1, Anchor()));
    }
    EXPECT_EQ(code_of(stores.whole->unwrap(1, {}, {}, key)), Errc::corruption);
    const auto wrapped = others.whole->wrap(1, {}, key).value();
    EXPECT_EQ(code_of(stores.whole->unwrap(1, {}, wrapped, key)), Errc::corruption);
  }
}

TEST(SeveralStores, AreNotMadeOfOneTwice) {
  const SeveralStores stores(Several::replicated, 2);
  RootKeyStore* const twice[] = {stores.members[0].get(), stores.members[0].get()};
  EXPECT_EQ(code_of(CompositeRootKeyStore::over(twice)), Errc::invalid_argument);
  EXPECT_EQ(code_of(ReplicatedRootKeyStore::over(twice)), Errc::invalid_argument);
}

TEST(SeveralStores, WithOneAbsentMakeAndWrapNothing) {
  SeveralStores stores(Several::replicated, 2);
  ASSERT_TRUE(stores.whole->create(1, Anchor()));
  const std::size_t away[] = {1};
  stores.reopen(away);
  std::array<std::byte, 32> key{};
  EXPECT_EQ(code_of(stores.whole->create(2, Anchor())), Errc::token_unavailable);
  EXPECT_EQ(code_of(stores.whole->wrap(1, {}, key)), Errc::token_unavailable);
  EXPECT_FALSE(*stores.whole->lies_within("/"));
  EXPECT_FALSE(*stores.whole->shares_volume("/"));
  EXPECT_FALSE(stores.whole->keeps_in_clear());
  EXPECT_EQ(stores.whole->list()->size(), 1u);
  EXPECT_EQ(code_of(stores.whole->rotate(1, 2, Anchor())), Errc::token_unavailable);
  EXPECT_TRUE(stores.whole->list()->empty());  // Of the one that answers it is gone.
}

}  // namespace
}  // namespace efface::test
