#include "keyring/key_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "crypto/random.h"
#include "keyring/memory_nodes.h"

namespace efface::keyring::test {
namespace {

class KeyTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(crypto::initialise());
    region_ = crypto::random_id();
    tree_.emplace(region_, 7);
    auto root = tree_->create(nodes_);
    ASSERT_TRUE(root);
    root_ = *std::move(root);
  }

  std::vector<Tag> some_tags(std::size_t n) {
    std::vector<Tag> tags(n);
    for (Tag& tag : tags) tag = crypto::random_id();
    return tags;
  }

  bool add(std::span<const Tag> tags, Label label = 0) {
    const auto result = tree_->add(nodes_, root_, tags, [&](std::size_t i, LeafEdit& leaf) {
      return leaf.add({tags[i], crypto::SecretKey::random(), crypto::random_id(), label, 0, 0});
    });
    EXPECT_TRUE(result);
    return result && *result;
  }

  bool remove(std::span<const Tag> tags) {
    const auto result =
        tree_->edit(nodes_, root_, tags, [&](std::size_t i, LeafEdit& leaf) -> Status {
          leaf.remove(tags[i], [](RowView) {});
          return {};
        });
    EXPECT_TRUE(result);
    return result && *result;
  }

  std::size_t rows_of(const Tag& tag) {
    std::size_t n = 0;
    EXPECT_TRUE(tree_->find(nodes_, root_, tag, [&](RowView) { ++n; }));
    return n;
  }

  // Every key that the present root leads to, by the place of the node it opens.
  std::map<MemoryNodes::Place, std::vector<std::byte>> living_keys() {
    std::map<MemoryNodes::Place, std::vector<std::byte>> keys;
    const NodeId top = KeyTree::root_node(7, root_.bucket_count);
    gather(top, std::as_const(root_.key).bytes(), keys);
    return keys;
  }

  void gather(NodeId id, crypto::KeyView key,
              std::map<MemoryNodes::Place, std::vector<std::byte>>& keys) {
    keys[{id.tree, id.level, id.index}] = {key.begin(), key.end()};
    if (id.level == 0) return;
    const auto node = Node::open(region_, id, key, *nodes_.get(id));
    ASSERT_TRUE(node);
    for (std::uint32_t i = 0; i < node->count(); ++i)
      gather({id.tree, static_cast<std::uint8_t>(id.level - 1), id.index * fan_out + i},
             node->child(i), keys);
  }

  // How many superseded images of leaves some living key still opens, and show the tag.
  std::size_t old_leaves_that_show(const Tag& tag) {
    std::size_t shown = 0;
    for (const auto& [place, key] : living_keys()) {
      const auto& [tree, level, index] = place;
      if (level != 0) continue;
      for (const auto& image : nodes_.images().at(place)) {
        const auto leaf = Node::open(region_, {tree, level, index},
                                     crypto::KeyView(key.data(), crypto::key_bytes), image);
        if (!leaf) continue;
        for (std::uint32_t i = 0; i < leaf->count(); ++i) shown += leaf->row(i).has_tag(tag);
      }
    }
    return shown;
  }

  Id16 region_{};
  MemoryNodes nodes_;
  std::optional<KeyTree> tree_;
  TreeRoot root_;
};

using KeyTreeClaim = KeyTreeTest;

TEST_F(KeyTreeClaim, FindsWhatWasAddedAndNothingElse) {
  const auto tags = some_tags(3000);
  add(tags);
  for (const Tag& tag : tags) ASSERT_EQ(rows_of(tag), 1u);
  for (const Tag& tag : some_tags(100)) ASSERT_EQ(rows_of(tag), 0u);
  EXPECT_GT(root_.bucket_count, fan_out);  // So that two inner levels were exercised.
}

TEST_F(KeyTreeClaim, IsWalkedInRunsOfLeavesAsLeafByLeaf) {
  for (const std::size_t people : {1u, 40u, 3000u}) {
    add(some_tags(people));
    using Seen = std::vector<std::pair<std::uint32_t, Tag>>;
    Seen one_by_one;
    for (std::uint32_t leaf = 0; leaf < root_.bucket_count; ++leaf)
      ASSERT_TRUE(tree_->walk_leaf(nodes_, root_, leaf,
                                   [&](RowView row) { one_by_one.emplace_back(leaf, row.tag()); }));
    for (const std::uint32_t first : {0u, root_.bucket_count / 2, root_.bucket_count - 1}) {
      Seen in_runs;
      std::size_t runs = 0;
      for (std::uint32_t next = first; next < root_.bucket_count; ++runs) {
        const auto end = tree_->walk_leaves(
            nodes_, root_, next,
            [&](std::uint32_t leaf, RowView row) { in_runs.emplace_back(leaf, row.tag()); });
        ASSERT_TRUE(end);
        ASSERT_GT(*end, next);
        next = *end;
      }
      const auto from =
          std::ranges::find_if(one_by_one, [&](const auto& seen) { return seen.first >= first; });
      EXPECT_EQ(in_runs, Seen(from, one_by_one.end()));
      EXPECT_LE(runs, (root_.bucket_count - first) / fan_out + 2);
    }
  }
}

TEST_F(KeyTreeClaim, KeepsTheRowsOfOneTagTogether) {
  const auto tags = some_tags(400);
  for (Label label = 0; label < 5; ++label) add(tags, label);
  for (const Tag& tag : tags) ASSERT_EQ(rows_of(tag), 5u);
}

TEST_F(KeyTreeClaim, HoldsAPersonWithEveryPurposeThereIs) {
  const auto tags = some_tags(60);
  add(tags);
  const std::vector<Tag> one(256, tags[0]);
  const auto result = tree_->add(nodes_, root_, one, [&](std::size_t i, LeafEdit& leaf) {
    return leaf.add({one[i], crypto::SecretKey::random(), {}, static_cast<Label>(i + 1), 0, 0});
  });
  ASSERT_TRUE(result);
  EXPECT_EQ(rows_of(tags[0]), 257u);
}

TEST_F(KeyTreeClaim, AnInsertionSealsOneLeafAndLeavesTheRootAlone) {
  add(some_tags(10));
  const std::size_t before = nodes_.puts;
  EXPECT_FALSE(add(some_tags(1)));
  EXPECT_EQ(nodes_.puts, before + 1);
}

TEST_F(KeyTreeClaim, ARemovalRekeysEveryNodeFromTheLeafToTheRoot) {
  const auto tags = some_tags(3000);
  add(tags);
  const auto before = living_keys();
  const std::size_t puts = nodes_.puts;
  EXPECT_TRUE(remove({&tags[17], 1}));
  const auto after = living_keys();
  std::size_t fresh = 0;
  for (const auto& [place, key] : after) fresh += before.at(place) != key;
  const std::size_t levels = std::get<1>(std::prev(after.end())->first) + std::size_t{1};
  EXPECT_EQ(fresh, levels);
  EXPECT_EQ(nodes_.puts - puts, levels);
  EXPECT_GE(levels, 3u);
}

TEST_F(KeyTreeClaim, ABatchRekeysSharedAncestorsOnce) {
  const auto tags = some_tags(3000);
  add(tags);
  const std::size_t puts = nodes_.puts;
  remove(std::span(tags).first(100));
  EXPECT_LE(nodes_.puts - puts, 100u + root_.bucket_count / fan_out + 2);
}

TEST_F(KeyTreeClaim, NoOldLeafShowsARemovedRowUnderAnyLivingKey) {
  const auto tags = some_tags(2000);
  for (std::size_t i = 0; i < tags.size(); i += 50) add(std::span(tags).subspan(i, 50));
  for (std::size_t i = 0; i < 40; ++i) {
    remove({&tags[i * 7], 1});
    ASSERT_EQ(old_leaves_that_show(tags[i * 7]), 0u);
  }
  EXPECT_GT(old_leaves_that_show(tags[1]), 0u);  // The living: else the check sees nothing.
}

TEST_F(KeyTreeClaim, ASplitRekeysTheBucketThatItTakesFrom) {
  const auto tags = some_tags(2000);
  std::set<std::size_t> moved_checked;
  for (std::size_t i = 0; i < tags.size() && moved_checked.size() < 4; ++i) {
    const auto before = living_keys();
    const std::uint32_t buckets = root_.bucket_count;
    if (!add({&tags[i], 1})) continue;
    const auto after = living_keys();
    ASSERT_GT(root_.bucket_count, buckets);
    const std::uint32_t from = buckets - std::bit_floor(buckets);
    EXPECT_NE(before.at({7, 0, from}), after.at({7, 0, from}));
    moved_checked.insert(from);
  }
  EXPECT_EQ(moved_checked.size(), 4u);
}

TEST_F(KeyTreeClaim, WalkSeesEveryRowOnce) {
  const auto tags = some_tags(2500);
  add(tags);
  remove(std::span(tags).first(500));
  std::set<Tag> seen;
  ASSERT_TRUE(tree_->walk(nodes_, root_, [&](RowView row) -> Result<Flow> {
    EXPECT_TRUE(seen.insert(row.tag()).second);
    return Flow::more;
  }));
  EXPECT_EQ(seen.size(), 2000u);
  EXPECT_TRUE(seen.contains(tags[700]));
  EXPECT_FALSE(seen.contains(tags[100]));
}

TEST_F(KeyTreeClaim, AReplacedRowIsARemovalOfTheOldOne) {
  const auto tags = some_tags(50);
  add(tags);
  const auto before = root_.key.clone();
  const auto result =
      tree_->edit(nodes_, root_, {&tags[3], 1}, [&](std::size_t, LeafEdit& leaf) -> Status {
        EXPECT_TRUE(leaf.replace({tags[3], crypto::SecretKey::random(), {}, 0, 0, 0}));
        return {};
      });
  ASSERT_TRUE(result);
  EXPECT_TRUE(*result);
  EXPECT_FALSE(crypto::equal(before.bytes(), root_.key.bytes()));
}

TEST_F(KeyTreeClaim, ANodeMovedToAnotherPlaceDoesNotOpen) {
  add(some_tags(500));
  auto& images = nodes_.images();
  std::swap(images.at({7, 0, 0}), images.at({7, 0, 1}));
  std::size_t refused = 0;
  for (const Tag& tag : some_tags(200)) {
    const Status found = tree_->find(nodes_, root_, tag, [](RowView) {});
    if (found) continue;
    EXPECT_EQ(found.error().code(), Errc::corruption);
    ++refused;
  }
  EXPECT_GT(refused, 0u);
}

TEST_F(KeyTreeClaim, EveryFlippedBitOfANodeIsCorruption) {
  add(some_tags(5));
  const NodeId id{7, 0, 0};
  const auto sealed = nodes_.images().at({7, 0, 0}).back();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto flipped = sealed;
    flipped[i] ^= std::byte{1};
    const auto node = Node::open(region_, id, std::as_const(root_.key).bytes(), flipped);
    ASSERT_FALSE(node) << i;
    ASSERT_EQ(node.error().code(), Errc::corruption);
  }
}

TEST_F(KeyTreeClaim, ASealedNodeOfOneUnitLeavesRoomForTwoInAPage) {
  const Node leaf = Node::empty_leaf();
  EXPECT_LE(leaf.seal(region_, {7, 0, 0}, std::as_const(root_.key).bytes()).size(), 2020u);
  const Node inner = Node::empty_inner();
  EXPECT_LE(inner.seal(region_, {7, 1, 0}, std::as_const(root_.key).bytes()).size(), 2020u);
}

TEST_F(KeyTreeTest, ARowThatIsNotThereIsNotChanged) {
  const auto tags = some_tags(2);
  add({tags.data(), 1}, 1);
  const auto result =
      tree_->edit(nodes_, root_, {tags.data(), 1}, [&](std::size_t, LeafEdit& leaf) -> Status {
        EXPECT_FALSE(leaf.relabel(tags[0], 2, 3, 0, 0));
        EXPECT_FALSE(leaf.relabel(tags[1], 1, 3, 0, 0));
        EXPECT_FALSE(
            leaf.replace({tags[1], crypto::SecretKey::random(), crypto::random_id(), 1, 0, 0}));
        return {};
      });
  ASSERT_TRUE(result);
  EXPECT_FALSE(*result);
  EXPECT_EQ(rows_of(tags[0]), 1u);
}

TEST_F(KeyTreeTest, AWalkEndsWhereItIsTold) {
  const auto tags = some_tags(300);
  add(tags);
  for (const std::size_t wanted : {std::size_t{1}, std::size_t{100}, tags.size()}) {
    std::size_t seen = 0;
    ASSERT_TRUE(tree_->walk(nodes_, root_, [&](RowView) -> Result<Flow> {
      return ++seen == wanted ? Flow::stop : Flow::more;
    }));
    EXPECT_EQ(seen, wanted);
  }
  std::size_t seen = 0;
  const auto failed = tree_->walk(nodes_, root_, [&](RowView) -> Result<Flow> {
    if (++seen == 100) return Error(Errc::io, "told to fail");
    return Flow::more;
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Errc::io);
}

}  // namespace
}  // namespace efface::keyring::test
