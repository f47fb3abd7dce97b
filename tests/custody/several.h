// custody/several.h -- a keyring whose root key is kept by several stores in memory, which fail
// when they are told to; and what an adversary can do with all that they ever wrapped.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "crypto/prf.h"
#include "efface/composite_root_key_store.h"
#include "efface/replicated_root_key_store.h"
#include "keyring/keyring.h"
#include "support/bad_root_keys.h"
#include "support/memory_root_key_store.h"
#include "support/temp_directory.h"

namespace efface::test {

enum class Several : std::uint8_t { composite, replicated };

inline std::unique_ptr<RootKeyStore> join(Several kind, std::span<RootKeyStore* const> members,
                                          std::span<const RootKeyStore::StoreId> absent = {}) {
  if (kind == Several::composite) return CompositeRootKeyStore::over(members).value();
  return ReplicatedRootKeyStore::over(members, absent).value();
}

inline Errc code_of(const Status& status) { return status ? Errc{} : status.error().code(); }
template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc{} : result.error().code();
}

// All that was ever wrapped.
struct WrappedRoot {
  Epoch epoch;
  std::vector<std::byte> context;
  std::vector<std::byte> wrapped;
};

class RootKeysThatTell final : public RootKeysOver {
 public:
  RootKeysThatTell(std::shared_ptr<RootKeyStore> store, std::vector<WrappedRoot>& log)
      : RootKeysOver(std::move(store)), log_(log) {}
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    auto wrapped = RootKeysOver::wrap(epoch, context, key);
    if (wrapped) log_.push_back({epoch, {context.begin(), context.end()}, *wrapped});
    return wrapped;
  }

 private:
  std::vector<WrappedRoot>& log_;
};

// What a store in memory gives to whoever has it: also what it keeps against its word.
class RootKeysOfAThief final : public RootKeysOver {
 public:
  explicit RootKeysOfAThief(std::shared_ptr<MemoryRootKeyStore> store)
      : RootKeysOver(store), memory_(std::move(store)) {}
  Status unwrap(Epoch epoch, Bytes context, Bytes wrapped, Key out) override {
    if (memory_->unwrap_kept(epoch, context, wrapped, out)) return {};
    return RootKeysOver::unwrap(epoch, context, wrapped, out);
  }

 private:
  std::shared_ptr<MemoryRootKeyStore> memory_;
};

class SeveralStores {
 public:
  SeveralStores(Several kind, std::size_t count) : kind_(kind) {
    for (std::size_t i = 0; i < count; ++i) {
      memory.push_back(std::make_shared<MemoryRootKeyStore>());
      members.push_back(std::make_shared<RootKeysThatFail>(memory.back()));
    }
    reopen();
  }

  // As a process that starts: nothing is remembered but what the members hold.
  void reopen(std::span<const std::size_t> absent = {}) {
    std::vector<RootKeyStore*> here;
    std::vector<RootKeyStore::StoreId> away;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (std::ranges::find(absent, i) == absent.end())
        here.push_back(members[i].get());
      else
        away.push_back(memory[i]->id());
    }
    whole = std::make_shared<RootKeysThatTell>(join(kind_, here, away), log);
  }

  void all_well() {
    for (const auto& member : members) member->arm({});
  }

  // Whether all that the members hold, or have kept, opens any root of before an epoch.
  bool thief_opens_any_before(Epoch epoch) const {
    std::vector<std::unique_ptr<RootKeyStore>> thieves;
    std::vector<RootKeyStore*> all;
    for (const auto& store : memory) {
      thieves.push_back(std::make_unique<RootKeysOfAThief>(store));
      all.push_back(thieves.back().get());
    }
    const auto joined = join(kind_, all);
    auto key = crypto::SecretKey::zeroed();
    for (const WrappedRoot& root : log)
      if (root.epoch < epoch && joined->unwrap(root.epoch, root.context, root.wrapped, key.bytes()))
        return true;
    return false;
  }

  std::vector<std::shared_ptr<MemoryRootKeyStore>> memory;
  std::vector<std::shared_ptr<RootKeysThatFail>> members;
  std::shared_ptr<RootKeyStore> whole;
  std::vector<WrappedRoot> log;

 private:
  Several kind_;
};

// People of one tenant, in a keyring over them.
class SeveralKeyring {
 public:
  SeveralKeyring(Several kind, std::size_t count) : stores(kind, count) {
    options_.region = crypto::random_id();
    options_.environment.map_bytes = std::size_t{1} << 20;
    options_.environment.headroom_bytes = std::size_t{1} << 18;
    std::filesystem::create_directory(home_ / "keyring");
    std::filesystem::permissions(home_ / "keyring", std::filesystem::perms::owner_all);
    options_.root_keys = stores.whole.get();
    EXPECT_TRUE(keyring::Keyring::create(directory(), options_));
    EXPECT_TRUE(open());
    const auto held = keyring_->lock();
    tenant_ = keyring_->add_tenant(*held, tag_of("acme"), as_bytes("terms")).value();
  }

  Status open(std::span<const std::size_t> absent = {}) {
    stores.reopen(absent);
    return open_with(*stores.whole);
  }
  Status open_with(RootKeyStore& root_keys) {
    keyring_.reset();
    options_.root_keys = &root_keys;
    auto opened = keyring::Keyring::open(directory(), options_);
    if (!opened) return opened.error();
    keyring_ = *std::move(opened);
    return {};
  }
  void close() { keyring_.reset(); }
  bool is_open() const noexcept { return keyring_ != nullptr; }
  keyring::Keyring& operator*() { return *keyring_; }
  keyring::Keyring* operator->() { return keyring_.get(); }

  Status enrol(const std::string& id) {
    keyring::Ensure row;
    row.tag = tag_of(id);
    const auto held = keyring_->lock();
    return keyring_->ensure(*held, {tenant_, keyring::TreeKind::subjects}, {&row, 1});
  }
  Result<keyring::ErasureOutcome> erase(const std::string& id) {
    keyring::Removal removal;
    removal.tenant = tenant_;
    removal.tag = tag_of(id);
    return keyring_->erase({&removal, 1});
  }
  Result<bool> knows(const std::string& id) {
    auto keys = keyring_->keys({tenant_, keyring::TreeKind::subjects}, tag_of(id));
    if (!keys) return keys.error();
    return !(*keys)->empty();
  }

  SeveralStores stores;

 private:
  static keyring::Tag tag_of(std::string_view text) { return crypto::hash128({as_bytes(text)}); }
  os::Directory directory() const { return os::Directory::open(home_ / "keyring").value(); }

  TempDirectory home_{"several"};
  keyring::KeyringOptions options_;
  std::unique_ptr<keyring::Keyring> keyring_;
  keyring::TenantRef tenant_;
};

}  // namespace efface::test
