// The oracle over what custody adds: root keys of several stores, and recovery capsules.
#include <sodium.h>

#include "oracle/disclosure.h"
#include "oracle/primitives.h"
#include "support/file_content.h"
#include "support/store_fixture.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;

const std::string erased = "person-77";

// People in a store whose root keys are two files together; a copy of all of it, then an erasure.
class SeveralStores : public testing::Test {
 protected:
  template <class Whole>
  void live_through_an_erasure() {
    for (const char* name : {"a.key", "b.key"})
      members_.push_back(FileRootKeyStore::create(root_key_options(home_ / name)).value());
    auto whole = Whole::over(std::vector<RootKeyStore*>{members_[0].get(), members_[1].get()});
    ASSERT_TRUE(whole);
    whole_ = *std::move(whole);
    OpenOptions options;
    options.directory = home_ / "store";
    options.regions = {{"eu", whole_.get(), {}}};
    options.require_locked_memory = false;
    options.accept_l0 = true;
    store_.emplace(Store::create(options).value());
    const Region regions[] = {store_->region("eu").value()};
    Tenant tenant = store_->declare_tenant("acme", regions, Actor("test")).value();
    const Purpose purpose =
        tenant.declare_purpose({"ratings", LegalBasis::contract, std::nullopt, true}).value();
    const Activity activity = tenant.activity(purpose).value();
    for (int i = 0; i < 100; ++i) {
      const std::string id = "person-" + std::to_string(i);
      ASSERT_TRUE(
          activity.put(SubjectId(id), regions[0], RecordName("n"), as_bytes("value of " + id)));
    }
    fs::copy(home_ / "store", home_ / "old", fs::copy_options::recursive);
    for (const char* name : {"a.key", "b.key"})
      fs::copy(home_ / name, home_ / (std::string("old-") + name));
    ASSERT_TRUE(tenant.erase(tenant.subject(SubjectId(erased)).value()));
  }

  // With what these root key files hold, from everything that was copied and is there.
  disclosure::Result search(std::initializer_list<const char*> root_key_files) {
    disclosure::Images images;
    EXPECT_TRUE(images.add_directory(home_ / "old"));
    EXPECT_TRUE(images.add_directory(home_ / "store"));
    disclosure::RootKeys keys;
    for (const char* file : root_key_files) {
      const auto held = disclosure::RootKeys::from_file(home_ / file);
      EXPECT_TRUE(held);
      keys.add_all(*held);
    }
    return disclosure::search(images, keys, {.reach = disclosure::Reach::its_tree});
  }
  static bool tells_of_the_erased(const disclosure::Result& found) {
    return found.could_tell(erased) || found.opens_value("value of " + erased);
  }
  static bool opens_the_living(const disclosure::Result& found) {
    return found.opens_value("value of person-0") && found.could_tell("person-99");
  }

  TempDirectory home_{"several"};
  std::vector<std::unique_ptr<FileRootKeyStore>> members_;
  std::unique_ptr<RootKeyStore> whole_;
  std::optional<Store> store_;
};
using DisclosureOverSeveralStores = SeveralStores;

TEST_F(DisclosureOverSeveralStores, ACompositeForgetsThoughOneOfItsMembersWasCopied) {
  live_through_an_erasure<CompositeRootKeyStore>();
  for (const auto& stolen : {"old-a.key", "old-b.key"}) {
    const auto found = search({"a.key", "b.key", stolen});
    EXPECT_FALSE(tells_of_the_erased(found));
    EXPECT_TRUE(opens_the_living(found));
    EXPECT_GT(found.superseded_nodes_opened(), 0u);
  }
}

TEST_F(DisclosureOverSeveralStores, ACompositeOfWhichAllWereCopiedTellsOfTheErased) {
  live_through_an_erasure<CompositeRootKeyStore>();
  EXPECT_TRUE(tells_of_the_erased(search({"old-a.key", "old-b.key"})));
}

TEST_F(DisclosureOverSeveralStores, AShareOfACompositeOpensNothing) {
  live_through_an_erasure<CompositeRootKeyStore>();
  EXPECT_EQ(search({"a.key", "old-a.key"}).nodes_opened(), 0u);
}

TEST_F(DisclosureOverSeveralStores, ReplicasForgetWhereNoneWasCopiedAndTellWhereOneWas) {
  live_through_an_erasure<ReplicatedRootKeyStore>();
  const auto found = search({"a.key", "b.key"});
  EXPECT_FALSE(tells_of_the_erased(found));
  EXPECT_TRUE(opens_the_living(found));
  EXPECT_TRUE(opens_the_living(search({"b.key"})));
  EXPECT_TRUE(tells_of_the_erased(search({"a.key", "b.key", "old-b.key"})));
}

class DisclosureOverABackup : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    for (int i = 0; i < 100; ++i) {
      const std::string id = "person-" + std::to_string(i);
      ASSERT_TRUE(
          activity().put(SubjectId(id), region(), RecordName("n"), as_bytes("value of " + id)));
    }
    ASSERT_TRUE(store_->backup({.target = home_ / "backup"}));
    fs::copy(home_ / "store/eu/keyring", home_ / "keyring.then", fs::copy_options::recursive);
    fs::copy(home_ / "root.key", home_ / "root.key.then");
    ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId(erased)).value()));
  }
  // Of records: those in the backup alone.
  disclosure::Result search(const char* root_keys) {
    disclosure::Images images;
    for (const char* what : {"backup", "keyring.then", "store/eu/keyring"})
      EXPECT_TRUE(images.add_directory(home_ / what));
    const auto keys = disclosure::RootKeys::from_file(home_ / root_keys);
    EXPECT_TRUE(keys);
    return disclosure::search(images, *keys, {.reach = disclosure::Reach::its_tree});
  }
};

TEST_F(DisclosureOverABackup, FindsNothingOfTheErasedAndAllOfTheLiving) {
  const auto found = search("root.key");
  EXPECT_FALSE(found.could_tell(erased));
  EXPECT_FALSE(found.opens_value("value of " + erased));
  EXPECT_TRUE(found.opens_value("value of person-0"));
  EXPECT_TRUE(found.opens_value("value of person-99"));
}

TEST_F(DisclosureOverABackup, WithTheRootKeysOfThenFindsHerInIt) {
  EXPECT_TRUE(search("root.key.then").opens_value("value of " + erased));
}

// A capsule as docs/format/capsule.md has it, with libsodium alone: the key of its root.
std::optional<disclosure::Key> root_key_of(const fs::path& capsule, const RecipientKeyPair& keys) {
  const std::string bytes = file_content(capsule);
  const auto* const at = reinterpret_cast<const unsigned char*>(bytes.data());
  std::array<unsigned char, crypto_secretstream_xchacha20poly1305_KEYBYTES> stream_key;
  int opened = -1;
  EXPECT_TRUE(keys.with_secret([&](std::span<const std::byte, 32> secret) {
    const RecipientPublicKey open = keys.public_key();
    opened = crypto_box_seal_open(stream_key.data(), at + 12, 80,
                                  reinterpret_cast<const unsigned char*>(open.bytes.data()),
                                  reinterpret_cast<const unsigned char*>(secret.data()));
  }));
  if (opened != 0) return std::nullopt;
  crypto_secretstream_xchacha20poly1305_state state;
  crypto_secretstream_xchacha20poly1305_init_pull(&state, at + 92, stream_key.data());
  const auto size = disclosure::little<std::uint32_t>(disclosure::bytes_of(bytes), 116);
  std::vector<std::byte> plain(size);
  unsigned char tag = 0;
  if (crypto_secretstream_xchacha20poly1305_pull(&state,
                                                 reinterpret_cast<unsigned char*>(plain.data()),
                                                 nullptr, &tag, at + 120, size, at, 120) != 0)
    return std::nullopt;
  EXPECT_TRUE(
      std::ranges::equal(disclosure::Bytes(plain).first(8), disclosure::bytes_of("efcapsul")));
  return disclosure::key_at(plain, 72);
}

disclosure::Key of_the_capsule;

class DisclosureOverACapsule : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    for (int i = 0; i < 100; ++i) {
      const std::string id = "person-" + std::to_string(i);
      ASSERT_TRUE(
          activity().put(SubjectId(id), region(), RecordName("n"), as_bytes("value of " + id)));
    }
    ASSERT_TRUE(store_->make_capsule(
        region(),
        {home_ / "capsule", keys_.public_key(), std::chrono::system_clock::now() + Days(30)},
        Actor("ops")));
    fs::copy(home_ / "store", home_ / "old", fs::copy_options::recursive);
    ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId(erased)).value()));
  }
  disclosure::Images everything() {
    disclosure::Images images;
    for (const char* what : {"old", "store"}) EXPECT_TRUE(images.add_directory(home_ / what));
    EXPECT_TRUE(images.add_file(home_ / "capsule"));
    return images;
  }

  RecipientKeyPair keys_ = RecipientKeyPair::generate().value();
};

TEST_F(DisclosureOverACapsule, WhoHasNotItsSecretFindsNothingOfTheErased) {
  const auto live = disclosure::RootKeys::from_file(home_ / "root.key");
  ASSERT_TRUE(live);
  const auto found =
      disclosure::search(everything(), *live, {.reach = disclosure::Reach::everywhere});
  EXPECT_FALSE(found.could_tell(erased));
  EXPECT_FALSE(found.opens_value("value of " + erased));
  EXPECT_TRUE(found.opens_value("value of person-0"));
}

TEST_F(DisclosureOverACapsule, WhoHasItsSecretFindsHerUntilTheSecretIsDestroyed) {
  const auto root = root_key_of(home_ / "capsule", keys_);
  ASSERT_TRUE(root);
  of_the_capsule = *root;
  const auto found = disclosure::search(
      everything(), {},
      {.guess = [](const disclosure::Id&, const disclosure::Place&) { return of_the_capsule; }});
  EXPECT_TRUE(found.could_tell(erased));
  EXPECT_TRUE(found.opens_value("value of " + erased));
  EXPECT_FALSE(root_key_of(home_ / "capsule", RecipientKeyPair::generate().value()));
}

}  // namespace
}  // namespace efface::test
