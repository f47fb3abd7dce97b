// keyring/keyring_fixture.h -- one keyring in a directory of its own, its root key store in memory;
// and what is in it, changed as nothing of the library would.
#pragma once
#include <gtest/gtest.h>

#include <functional>

#include "crypto/child.h"
#include "crypto/prf.h"
#include "crypto/random.h"
#include "keyring/keyring_txn.h"
#include "support/memory_root_key_store.h"
#include "support/root_keys_over.h"
#include "support/temp_directory.h"

namespace efface::keyring::test {

using efface::test::MemoryRootKeyStore;
using efface::test::TempDirectory;

// The code's name, or nothing where the call went well.
template <class T>
std::string_view said(const Result<T>& result) {
  return result ? "" : name(result.error().code());
}

inline std::vector<Tag> some_tags(std::size_t n) {
  std::vector<Tag> tags(n);
  for (Tag& tag : tags) tag = crypto::random_id();
  return tags;
}

class KeyringTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(crypto::initialise());
    options_.region = crypto::random_id();
    options_.root_keys = &root_keys_;
    std::filesystem::create_directory(home_ / "keyring");
    std::filesystem::permissions(home_ / "keyring", std::filesystem::perms::owner_all);
    ASSERT_TRUE(Keyring::create(directory(), options_));
    open();
  }

  os::Directory directory() { return os::Directory::open(home_ / "keyring").value(); }

  void open() {
    keyring_.reset();
    auto opened = Keyring::open(directory(), options_);
    ASSERT_TRUE(opened) << name(opened.error().code()) << ": " << opened.error().note();
    keyring_ = *std::move(opened);
  }

  TenantRef add_tenant(std::string_view text) {
    const auto held = keyring_->lock();
    EXPECT_TRUE(held);
    return keyring_->add_tenant(*held, crypto::hash128({as_bytes(text)}), as_bytes("terms"))
        .value();
  }

  // Answers the handles of the people's own rows.
  std::vector<Handle> enrol(const TenantRef& tenant, std::span<const Tag> tags) {
    std::vector<Ensure> rows(tags.size());
    for (std::size_t i = 0; i < tags.size(); ++i) rows[i].tag = tags[i];
    const auto held = keyring_->lock();
    EXPECT_TRUE(held);
    EXPECT_TRUE(keyring_->ensure(*held, {tenant, TreeKind::subjects}, rows));
    std::vector<Handle> handles;
    for (const Ensure& row : rows) handles.push_back(row.keys->find(person)->handle);
    return handles;
  }

  Result<ErasureOutcome> erase(const TenantRef& tenant, const Tag& tag, bool* removed = nullptr) {
    Removal removal;
    removal.tenant = tenant;
    removal.tag = tag;
    auto outcome = keyring_->erase({&removal, 1});
    if (removed != nullptr) *removed = removal.removed;
    return outcome;
  }

  bool known(const TenantRef& tenant, const Tag& tag) {
    const auto keys = keyring_->keys({tenant, TreeKind::subjects}, tag);
    EXPECT_TRUE(keys);
    return keys && !(*keys)->empty();
  }

  Result<std::unique_ptr<Keyring>> try_open() {
    keyring_.reset();
    return Keyring::open(directory(), options_);
  }

  using Tamper = std::function<void(storage::WriteTxn&)>;
  static bool tampered(const os::Directory& directory, const storage::EnvironmentOptions& options,
                       const Tamper& change) {
    const auto environment = storage::Environment::open(directory, options);
    if (!environment) return false;
    auto txn = environment->write(storage::Space::removal);
    if (!txn) return false;
    change(*txn);
    return std::move(*txn).commit().has_value();
  }
  // The keyring is closed for it.
  void tamper(const Tamper& change) {
    keyring_.reset();
    ASSERT_TRUE(tampered(directory(), options_.environment, change));
  }
  // It stays open meanwhile: a process of its own does it.
  void tamper_beside(const Tamper& change) {
    ASSERT_TRUE(efface::test::ended_well(efface::test::in_child(
        [&] { return tampered(directory(), options_.environment, change) ? 0 : 1; })));
  }

  // ---- beneath the seals ----
  TreeRoot top_of(const storage::WriteTxn& txn) {
    const Bytes record = **txn.get(root_record_key);
    Id16 root_id;
    std::copy_n(record.begin() + 16, root_id.size(), root_id.begin());
    TreeRoot top{crypto::SecretKey::zeroed(), load_le<std::uint32_t>(record.data() + 4)};
    EXPECT_TRUE(root_keys_.unwrap(load_le<std::uint64_t>(record.data() + 8),
                                  wrap_context(options_.region, root_id), record.subspan(48),
                                  top.key.bytes()));
    return top;
  }
  Node node_in(const storage::WriteTxn& txn, NodeId id, crypto::KeyView key) {
    return Node::open(options_.region, id, key, **txn.get(node_key(id))).value();
  }
  void put_node(storage::WriteTxn& txn, NodeId id, const Node& node, crypto::KeyView key) {
    EXPECT_TRUE(txn.put(node_key(id), node.seal(options_.region, id, key)));
  }
  // The one leaf of the top tree.
  void change_top(storage::WriteTxn& txn, const std::function<void(Node&)>& change) {
    const TreeRoot top = top_of(txn);
    const NodeId id = KeyTree::root_node(top_tree, top.bucket_count);
    Node leaf = node_in(txn, id, std::as_const(top.key).bytes());
    change(leaf);
    put_node(txn, id, leaf, std::as_const(top.key).bytes());
  }
  // Of a tenant's people.
  TreeRoot people_of(storage::WriteTxn& txn, const TenantRef& tenant) {
    TreeRoot root;
    change_top(txn, [&](Node& leaf) {
      for (std::uint32_t i = 0; i < leaf.count(); ++i)
        if (leaf.row(i).has_tag(tenant.tag) && leaf.row(i).label() == subject_root)
          root = {crypto::SecretKey::copy_of(leaf.row(i).key()), leaf.row(i).aux()};
    });
    return root;
  }

  TempDirectory home_{"keyring"};
  MemoryRootKeyStore root_keys_;
  KeyringOptions options_;
  std::unique_ptr<Keyring> keyring_;
};

}  // namespace efface::keyring::test
