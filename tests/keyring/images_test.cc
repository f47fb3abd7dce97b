// What something on an old page may be, and how far today's keys reach into old nodes.
#include "keyring/images.h"

#include <array>

#include "keyring/keyring_fixture.h"

namespace efface::keyring::test {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const Bytes view = as_bytes(text);
  return {view.begin(), view.end()};
}
constexpr std::size_t leaf_bytes =
    node_header_bytes + crypto::seal_overhead_bytes + node_preamble_bytes + unit_bytes;
constexpr std::size_t inner_node_bytes =
    node_header_bytes + crypto::seal_overhead_bytes + inner_bytes;

std::string node_at(char level) {
  return std::string("n\0\0\0\7", 5) + level + std::string(4, '\1');
}
std::string begins(int version, int suite, int kind, int zero) {
  return {static_cast<char>(version), static_cast<char>(suite), static_cast<char>(kind),
          static_cast<char>(zero)};
}

TEST(OldPages, HoldANodeWhereKeySizeAndBeginningSaySo) {
  const auto is_node = [](const std::string& key, std::size_t size, const std::string& value) {
    return node_of(as_bytes(key), size, as_bytes(value)).has_value();
  };
  const std::string leaf = begins(1, 1, 0, 0);
  const std::string inner = begins(1, 1, 1, 0);
  EXPECT_TRUE(is_node(node_at(0), leaf_bytes, leaf));
  EXPECT_TRUE(is_node(node_at(0), leaf_bytes + 3 * unit_bytes, leaf));
  EXPECT_TRUE(is_node(node_at(1), inner_node_bytes, inner));
  EXPECT_EQ(node_of(as_bytes(node_at(1)), inner_node_bytes, as_bytes(inner))->index, 0x01010101U);
  EXPECT_FALSE(is_node(node_at(0) + "x", leaf_bytes, leaf));
  EXPECT_FALSE(is_node("m" + node_at(0).substr(1), leaf_bytes, leaf));
  EXPECT_FALSE(is_node(node_at(0), leaf_bytes - 1, leaf));
  EXPECT_FALSE(is_node(node_at(0), leaf_bytes + 1, leaf));
  EXPECT_FALSE(is_node(node_at(0), leaf_bytes + 64 * unit_bytes, leaf));
  EXPECT_FALSE(is_node(node_at(1), inner_node_bytes + 1, inner));
  EXPECT_FALSE(is_node(node_at(0), leaf_bytes, inner));
  EXPECT_FALSE(is_node(node_at(0), leaf_bytes, leaf.substr(0, 3)));
  for (const std::string& value : {begins(2, 1, 0, 0), begins(1, 2, 0, 0), begins(1, 1, 0, 1)})
    EXPECT_FALSE(is_node(node_at(0), leaf_bytes, value));
}

TEST(OldPages, HoldARootRecordOrAFileWhereTheySaySo) {
  const std::string value = begins(1, 1, 0, 0);
  const auto is_record = [](std::string_view key, std::size_t size, const std::string& begin) {
    return is_root_record(as_bytes(key), size, as_bytes(begin));
  };
  const std::size_t most = 48 + RootKeyStore::wrapped_bytes_max;
  EXPECT_TRUE(is_record("r", 49, value));
  EXPECT_TRUE(is_record("r", most, value));
  EXPECT_FALSE(is_record("s", 49, value));
  EXPECT_FALSE(is_record("r", 48, value));
  EXPECT_FALSE(is_record("r", most + 1, value));
  const std::string file = "d" + std::string(20, '\1');
  const std::size_t least = 4 + crypto::seal_overhead_bytes;
  const auto is_of_her = [](std::string_view key, std::size_t size, const std::string& begin) {
    return is_file(as_bytes(key), size, as_bytes(begin));
  };
  EXPECT_TRUE(is_of_her(file, least, value));
  EXPECT_FALSE(is_of_her(file + "x", least, value));
  EXPECT_FALSE(is_of_her("e" + file.substr(1), least, value));
  EXPECT_FALSE(is_of_her(file, least - 1, value));
  EXPECT_EQ(tenant_of_file(as_bytes(file)), 0x01010101U);
  EXPECT_EQ(person_of_file(as_bytes(file))[15], std::byte{1});
  for (const std::string& begin : {begins(2, 1, 0, 0), begins(1, 1, 1, 0), begins(1, 1, 0, 1)}) {
    EXPECT_FALSE(is_record("r", 49, begin));
    EXPECT_FALSE(is_of_her(file, least, begin));
  }
}

// Images in memory. Any call may be told to fail.
class Found final : public NodeImages {
 public:
  std::vector<std::pair<NodeId, std::vector<std::byte>>> nodes;
  std::vector<std::vector<std::byte>> roots;
  std::size_t nodes_opened = 0;
  std::size_t roots_opened = 0;
  std::size_t roots_unanswered = 0;
  std::vector<std::pair<std::uint32_t, Label>> rows;  // Beyond today: tenant and label.
  std::size_t calls = 0;
  std::size_t fails_at = 0;  // Of its calls, from 1; 0: none.

  Status each_node(const NodeId& id, FunctionRef<Status(std::size_t, Bytes)> look) override {
    EFFACE_TRY(step());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const NodeId& at = nodes[i].first;
      if (at.tree == id.tree && at.level == id.level && at.index == id.index)
        EFFACE_TRY(look(i, nodes[i].second));
    }
    return {};
  }
  Status each_root(FunctionRef<Status(std::size_t, Bytes)> look) override {
    EFFACE_TRY(step());
    for (std::size_t i = 0; i < roots.size(); ++i) EFFACE_TRY(look(i, roots[i]));
    return {};
  }
  void node_opened(std::size_t) override { ++nodes_opened; }
  void root_opened(std::size_t) override { ++roots_opened; }
  void root_unanswered(std::size_t) override { ++roots_unanswered; }
  Status beyond(const Beyond& found) override {
    EFFACE_TRY(step());
    rows.emplace_back(found.tenant, found.row.label());
    return {};
  }

 private:
  Status step() {
    if (++calls == fails_at) return Error(Errc::io, "told to fail");
    return {};
  }
};

class Reach : public KeyringTest {
 protected:
  void SetUp() override {
    KeyringTest::SetUp();
    acme_ = add_tenant("acme");
    enrol(acme_, some_tags(600));
  }
  // All that stands there now, as old pages would hold it.
  void save(Found& into) {
    tamper([&](storage::WriteTxn& txn) {
      into.roots.emplace_back(bytes_of(as_text(**txn.get(root_record_key))));
      EXPECT_TRUE(txn.scan(as_bytes("n"), as_bytes("n"), [&](storage::ReadTxn::Entry entry) {
        const auto id = node_of(entry.key, entry.value.size(), entry.value);
        if (id) into.nodes.emplace_back(*id, bytes_of(as_text(entry.value)));
        return Flow::more;
      }));
    });
    open();
  }
  // An image of the top tree's leaf with these rows beside today's, sealed with today's key.
  void craft(Found& into, std::span<const Row> rows) {
    tamper([&](storage::WriteTxn& txn) {
      const TreeRoot top = top_of(txn);
      const NodeId id = KeyTree::root_node(top_tree, top.bucket_count);
      Node leaf = node_in(txn, id, std::as_const(top.key).bytes());
      for (const Row& row : rows) EXPECT_TRUE(leaf.add(row));
      into.nodes.emplace_back(id, leaf.seal(options_.region, id, std::as_const(top.key).bytes()));
    });
    open();
  }
  TenantRef acme_;
};

TEST_F(Reach, OpensWhatIsThereTodayAndNothingBeyond) {
  Found found;
  save(found);
  found.nodes.emplace_back(found.nodes.front().first, bytes_of("noise"));
  ASSERT_TRUE(keyring_->reach(found));
  EXPECT_GE(found.nodes_opened, found.nodes.size() - 1);
  EXPECT_EQ(found.roots_opened, 1u);
  EXPECT_TRUE(found.rows.empty());
}

TEST_F(Reach, FollowsRootsOfTenantsThatMakeSenseAlone) {
  const auto row = [](const Tag& tag, Label label, std::uint32_t aux) {
    return Row{tag, crypto::SecretKey::random(), crypto::random_id(), label, 0, aux};
  };
  constexpr std::uint32_t beyond = (1U << 30U) + 1;
  const auto tags = some_tags(5);
  std::vector<Row> rows;
  rows.push_back(row(tags[0], subject_root, 1));  // Of no tenant.
  rows.push_back(row(tags[1], tenant_terms, 0));
  rows.push_back(row(tags[1], subject_root, 1));
  rows.push_back(row(tags[2], tenant_terms, beyond));
  rows.push_back(row(tags[2], retention_root, 1));
  rows.push_back(row(tags[3], tenant_terms, 8));
  rows.push_back(row(tags[3], subject_root, 0));
  rows.push_back(row(tags[3], retention_root, beyond));
  rows.push_back(row(tags[4], tenant_terms, 9));
  rows.push_back(row(tags[4], subject_root, 1));
  rows.push_back(row(tags[4], retention_root, 61));
  Found found;
  craft(found, rows);
  ASSERT_TRUE(keyring_->reach(found));
  EXPECT_EQ(found.nodes_opened, 1u);
  EXPECT_EQ(found.rows.size(), rows.size());
  EXPECT_EQ(std::ranges::count(found.rows, std::pair(9U, subject_root)), 1);
  EXPECT_EQ(std::ranges::count(found.rows, std::pair(0U, subject_root)), 2);
}

TEST_F(Reach, OpensARootOfBeforeThatNoErasureEnded) {
  Found found;
  save(found);
  enrol(acme_, some_tags(600));  // The tree grows, and its roots have fresh keys in the same epoch.
  ASSERT_TRUE(keyring_->reach(found));
  EXPECT_EQ(found.roots_opened, 1u);
  EXPECT_GT(found.nodes_opened, 0u);
}

TEST_F(Reach, KnowsOfWhichTenantARowIs) {
  Found found;
  const Tag gone = crypto::random_id();
  tamper([&](storage::WriteTxn& txn) {
    const TreeRoot root = people_of(txn, acme_);
    const NodeId at =
        KeyTree::root_node(tree_number({acme_, TreeKind::subjects}), root.bucket_count);
    const Node above = node_in(txn, at, std::as_const(root.key).bytes());
    const NodeId first{at.tree, 0, 0};
    Node leaf = node_in(txn, first, above.child(0));
    EXPECT_TRUE(leaf.add({gone, crypto::SecretKey::random(), crypto::random_id(), 7, 0, 0}));
    found.nodes.emplace_back(first, leaf.seal(options_.region, first, above.child(0)));
  });
  open();
  ASSERT_TRUE(keyring_->reach(found));
  ASSERT_EQ(found.rows.size(), 1u);
  EXPECT_EQ(found.rows[0], std::pair(acme_.number, Label{7}));
}

TEST_F(Reach, StopsAtWhateverFails) {
  Found whole;
  save(whole);
  const std::vector<Row> rows = [] {
    std::vector<Row> made;
    made.push_back({crypto::random_id(), crypto::SecretKey::random(), crypto::random_id(),
                    pseudonym_key, 0, 0});
    return made;
  }();
  craft(whole, rows);
  ASSERT_TRUE(keyring_->reach(whole));
  ASSERT_GT(whole.calls, 5u);
  for (std::size_t at = 1; at <= whole.calls; ++at) {
    Found found;
    found.nodes = whole.nodes;
    found.roots = whole.roots;
    found.fails_at = at;
    EXPECT_EQ(said(keyring_->reach(found)), "io") << at;
    EXPECT_EQ(found.calls, at);
  }
}

// A root key store that has an answer for each epoch.
class Answering final : public efface::test::RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;
  std::map<Epoch, Errc> answers;
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override {
    if (const auto at = answers.find(epoch); at != answers.end())
      return Error(at->second, "told to fail");
    return RootKeysOver::unwrap(epoch, context, wrapped, out);
  }
};

TEST_F(Reach, TellsRootsThatStayShutFromThoseThatNobodySaysAnythingOf) {
  Answering answering(std::shared_ptr<RootKeyStore>(&root_keys_, [](RootKeyStore*) {}));
  options_.root_keys = &answering;
  open();
  Found found;
  save(found);
  found.nodes.clear();
  const std::vector<std::byte> today = found.roots.front();
  const auto add = [&](Epoch epoch, std::byte mark) {
    std::vector<std::byte>& root = found.roots.emplace_back(today);
    store_le(root.data() + 8, epoch);
    root[16] ^= mark;  // Its id: no root that is held.
  };
  constexpr std::array<Errc, 5> shut = {Errc::root_key_missing, Errc::corruption, Errc::format_new,
                                        Errc::invalid_argument, Errc::too_large};
  Epoch epoch = 1000;
  for (const Errc code : shut) {
    answering.answers[++epoch] = code;
    add(epoch, std::byte{1});
    add(epoch, std::byte{2});
  }
  answering.answers[++epoch] = Errc::token_unavailable;
  add(epoch, std::byte{1});
  found.roots.push_back(found.roots.back());  // The same once more.
  add(epoch, std::byte{1});
  found.roots.back()[32] ^= std::byte{1};  // Of another root key store.
  found.roots.push_back(bytes_of("noise"));
  ASSERT_TRUE(keyring_->reach(found));
  EXPECT_EQ(found.roots_opened, 1u);
  EXPECT_EQ(found.roots_unanswered, 2u);
}

}  // namespace
}  // namespace efface::keyring::test
