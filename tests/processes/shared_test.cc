// Several processes share a store: what one does, the others see, erasures before all else.
#include <fstream>
#include <random>

#include "processes/shared_store.h"

namespace efface::test {
namespace {

namespace fs = std::filesystem;
using Shared = SharedStore;

TEST_F(Shared, WhatOneProcessWritesTheOtherReads) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    if (!view.status() || !view.put("alice", "hers")) return 1;
    channel.tell();
    channel.wait();
    return view.get("alice") == "hers, again" ? 0 : 2;
  });
  View view = open();
  ASSERT_TRUE(view.status()) << name(view.status().error().code()) << view.status().error().note();
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(view.get("alice"), "hers");
  EXPECT_TRUE(view.put("alice", "hers, again"));
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

TEST_F(Shared, WhoIsErasedInOneIsErasedInAllThoughTheyHadHerKeys) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    if (!view.put("alice", "hers") || !view.put("bob", "his")) return 1;
    channel.tell();
    channel.wait();
    if (view.erase("alice") != "erased") return 2;
    channel.tell();
    channel.wait();
    return view.get("bob") == "his" ? 0 : 3;
  });
  View view = open();
  ASSERT_EQ(peer.wait(), '.');
  const Subject alice = view.find("alice").value();
  ASSERT_EQ(view.get(alice), "hers");
  peer.tell();
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(view.get(alice), "error: subject_erased");
  EXPECT_EQ(view.get("alice"), "subject_unknown");
  EXPECT_EQ(
      code_of(Result<int>(view.activity().put(alice, RecordName("r"), as_bytes("back")).error())),
      "subject_erased");
  EXPECT_EQ(view.get("bob"), "his");
  EXPECT_EQ(view.erase("alice"), "unknown");
  EXPECT_TRUE(view.put("carol", "new"));
  EXPECT_EQ(view.erase("carol"), "erased");
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

TEST_F(Shared, NumbersAreOfWhatTheOthersCommitted) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    channel.tell();
    channel.wait();
    if (!view.put("alice", "hers") || view.erase("alice") != "erased") return 1;
    channel.tell();
    channel.wait();
    return 0;
  });
  View view = open();
  ASSERT_EQ(peer.wait(), '.');
  const RegionStats before = view.store().stats()->regions[0];
  peer.tell();
  ASSERT_EQ(peer.wait(), '.');
  // Nothing is asked in between that would make this process look.
  const RegionStats after = view.store().stats()->regions[0];
  EXPECT_GT(after.epoch, before.epoch);
  EXPECT_GE(after.keyring_sequence, before.keyring_sequence + 2);
  EXPECT_GT(after.reclaim_entries, before.reclaim_entries);
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

TEST_F(Shared, ErasuresOfEitherEndAnEpochOfTheSameRootKeys) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    for (int i = 0; i < 5; ++i) {
      channel.wait();
      const std::string id = "theirs-" + std::to_string(i);
      if (!view.put(id, "x") || view.erase(id) != "erased") return 1;
      channel.tell();
    }
    return 0;
  });
  View view = open();
  Epoch last = view.store().stats()->regions[0].epoch;
  for (int i = 0; i < 5; ++i) {
    peer.tell();
    ASSERT_EQ(peer.wait(), '.');
    const std::string id = "mine-" + std::to_string(i);
    ASSERT_TRUE(view.put(id, "x"));
    ASSERT_EQ(view.erase(id), "erased");
    const Epoch now = view.store().stats()->regions[0].epoch;
    EXPECT_GE(now, last + 2);
    last = now;
  }
  EXPECT_EQ(peer.join(), 0);
  EXPECT_TRUE(view.store().check()->clean());
}

TEST_F(Shared, WhatOneDeclaresTheOtherFinds) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    channel.wait();
    if (!view.tenant().declare_purpose({"news"})) return 1;
    const Region eu[] = {view.region()};
    if (!view.store().declare_tenant("zenith", eu, Actor("test"))) return 2;
    channel.tell();
    channel.wait();
    return view.tenant().purpose("later") ? 0 : 3;
  });
  View view = open();
  ASSERT_FALSE(view.tenant().purpose("news"));
  peer.tell();
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_TRUE(view.tenant().purpose("news"));
  EXPECT_TRUE(view.store().tenant("zenith", Actor("test")));
  EXPECT_EQ(view.store().tenants().size(), 2u);
  EXPECT_TRUE(view.tenant().declare_purpose({"later"}));
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

TEST_F(Shared, WhichTenantIsOffBoardedInOneIsGoneInAll) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    if (!view.put("alice", "hers")) return 1;
    channel.tell();
    channel.wait();
    const auto plan = view.store().prepare_offboard(view.tenant());
    if (!plan || !view.store().offboard(std::move(view.tenant()), plan->token)) return 2;
    channel.tell();
    channel.wait();
    return 0;
  });
  View view = open();
  ASSERT_EQ(peer.wait(), '.');
  const Subject alice = view.find("alice").value();
  const Activity activity = view.activity();
  peer.tell();
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(code_of(activity.get(alice, RecordName("r"))), "tenant_unknown");
  EXPECT_EQ(code_of(view.store().tenant("acme", Actor("test"))), "tenant_unknown");
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

TEST_F(Shared, RestrictionAndWithdrawalOfOneAreSeenByAll) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    if (!view.tenant().declare_purpose({"mail", LegalBasis::consent})) return 1;
    if (!view.put("alice", "hers")) return 2;
    const Subject alice = view.find("alice").value();
    const Purpose mail = view.tenant().purpose("mail").value();
    if (!view.tenant().grant(alice, mail, {})) return 3;
    if (!view.activity("mail").put(alice, RecordName("r"), as_bytes("a letter"))) return 4;
    channel.tell();
    channel.wait();
    if (!view.tenant().withdraw(alice, mail) || !view.tenant().restrict(alice)) return 5;
    channel.tell();
    channel.wait();
    return 0;
  });
  View view = open();
  ASSERT_EQ(peer.wait(), '.');
  const Subject alice = view.find("alice").value();
  const Activity mail = view.activity("mail");
  ASSERT_EQ(text_of(mail.get(alice, RecordName("r"))), "a letter");
  peer.tell();
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(text_of(mail.get(alice, RecordName("r"))), "error: restricted");
  EXPECT_EQ(view.get(alice), "error: restricted");
  ASSERT_TRUE(view.tenant().lift_restriction(alice));
  EXPECT_EQ(text_of(mail.get(alice, RecordName("r"))), "error: consent_missing");
  EXPECT_EQ(view.get(alice), "hers");
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

TEST_F(Shared, AReceiptSaysNoMoreThanSealedWhileOthersHaveItOpen) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    channel.tell();
    channel.wait();
    return view.status() ? 0 : 1;
  });
  View view = open();
  ASSERT_EQ(peer.wait(), '.');
  ASSERT_TRUE(view.put("alice", "hers"));
  const auto erased = view.tenant().erase(view.find("alice").value());
  ASSERT_TRUE(erased);
  const std::string key = view.store().verifier_key(view.region()).value();
  const auto state = [&] {
    const auto receipt = view.store().receipt(erased->receipts.at(0));
    return verify_receipt(receipt.value(), key)->state;
  };
  EXPECT_EQ(state(), ReceiptState::sealed);
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
  EXPECT_EQ(state(), ReceiptState::quiesced);
}

TEST_F(Shared, AStoreThatOneProcessHasAloneIsBusyForOthersAndTheOtherWayRound) {
  const auto open_alone = [&] {
    auto keys = FileRootKeyStore::open(root_key_options(home_ / "eu"));
    if (!keys) return code_of(keys);
    OpenOptions options;
    options.directory = home_ / "store";
    options.regions = {{"eu", keys->get(), {}}};
    options.require_locked_memory = false;
    options.accept_l0 = true;
    return code_of(Store::open(options));
  };
  Peer peer([&](const Channel& channel) {
    View view = open();
    channel.tell();
    channel.wait();
    return view.status() ? 0 : 1;
  });
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(open_alone(), "busy");
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
  EXPECT_EQ(open_alone(), "");

  Peer alone([&](const Channel& channel) {
    auto keys = FileRootKeyStore::open(root_key_options(home_ / "eu")).value();
    channel.tell();
    channel.wait();
    return 0;
  });
  ASSERT_EQ(alone.wait(), '.');
  EXPECT_EQ(code_of(Result<int>(open().status().error())), "busy");
  alone.tell();
  EXPECT_EQ(alone.join(), 0);
}

TEST_F(Shared, AnotherNamespaceOfProcessIdsIsRefused) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    channel.tell();
    channel.wait();
    return view.status() ? 0 : 1;
  });
  ASSERT_EQ(peer.wait(), '.');
  {
    std::fstream file(home_ / "store/eu/processes",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(64);
    file.put('?');
  }
  View view = open();
  ASSERT_FALSE(view.status());
  EXPECT_EQ(view.status().error().code(), Errc::busy);
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
  EXPECT_TRUE(open().status());  // Whoever is alone says which it is.
}

TEST_F(Shared, NeedsRootKeysThatMayBeSharedAndNoMirrors) {
  auto keys = FileRootKeyStore::open(root_key_options(home_ / "eu")).value();
  OpenOptions options;
  options.directory = home_ / "store";
  options.shared = true;
  options.require_locked_memory = false;
  options.accept_l0 = true;
  options.regions = {{"eu", keys.get(), {}}};
  EXPECT_EQ(code_of(Store::open(options)), "unsupported");
  keys.reset();
  FileRootKeyStoreOptions of_keys = root_key_options(home_ / "eu");
  of_keys.shared = true;
  keys = FileRootKeyStore::open(of_keys).value();
  options.regions = {{"eu", keys.get(), {}}};
  options.regions[0].keyring_mirrors = {home_ / "mirror"};
  EXPECT_EQ(code_of(Store::open(options)), "unsupported");
  options.regions[0].keyring_mirrors.clear();
  EXPECT_TRUE(Store::open(options));
}

TEST_F(Shared, CustodyDoesNotMoveWhileOthersMayHaveItOpen) {
  View view = open();
  auto other = FileRootKeyStore::create(root_key_options(home_ / "other")).value();
  EXPECT_EQ(code_of(view.store().migrate_root(view.region(), *other, Actor("test"))),
            "unsupported");
  EXPECT_TRUE(view.store().rotate_root(view.region(), Actor("test")));
}

TEST_F(Shared, TheMapThatOneGrowsIsFollowedByAll) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    std::mt19937_64 random(1);
    std::string large(200'000, ' ');
    for (char& c : large) c = static_cast<char>(random());  // Nothing to compress.
    for (int i = 0; i < 400; ++i)
      if (!view.put("p" + std::to_string(i), large)) return 1;  // 80 MB: beyond the first map.
    channel.tell();
    channel.wait();
    return view.get("mine") == "x" ? 0 : 2;
  });
  View view = open();
  ASSERT_TRUE(view.put("mine", "x"));
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(view.get("p399").size(), 200'000u);
  EXPECT_TRUE(view.put("mine", "x"));
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

// Stops itself when its region's root is about to be wrapped: it holds the writers' lock then.
class RootKeysThatStop final : public RootKeysOver {
 public:
  using RootKeysOver::RootKeysOver;
  bool may_be_shared() const override { return true; }
  Result<std::vector<std::byte>> wrap(Epoch epoch, Bytes context, KeyView key) override {
    if (armed) {
      armed = false;
      ::raise(SIGSTOP);
    }
    return RootKeysOver::wrap(epoch, context, key);
  }
  bool armed = false;
};

TEST_F(Shared, OneThatIsStoppedWhileItWritesLetsOthersReadAndTimesOutWhoeverWrites) {
  Peer peer([&](const Channel& channel) {
    std::shared_ptr<RootKeysThatStop> keys;
    View view(home_.path(), std::chrono::milliseconds(10'000), [&](auto store) {
      return keys = std::make_shared<RootKeysThatStop>(std::move(store));
    });
    if (!view.put("alice", "hers") || !view.put("bob", "his")) return 1;
    channel.tell();
    channel.wait();
    keys->armed = true;
    return view.erase("alice") == "erased" ? 0 : 2;
  });
  ASSERT_EQ(peer.wait(), '.');
  View view(home_.path(), std::chrono::milliseconds(100));
  ASSERT_TRUE(view.status());
  peer.tell();
  ASSERT_TRUE(peer.wait_until_stopped());
  EXPECT_EQ(view.get("alice"), "hers");  // She is not erased yet: nobody was told so.
  EXPECT_EQ(view.erase("bob"), "busy");
  peer.kill(SIGCONT);
  EXPECT_EQ(peer.join(), 0);
  EXPECT_EQ(view.get("alice"), "subject_unknown");
  EXPECT_EQ(view.erase("bob"), "erased");
}

TEST_F(Shared, WhoIsOnHerWayInOneProcessIsFoundWhereSheWasByTheOthers) {
  Peer peer([&](const Channel& channel) {
    std::shared_ptr<RootKeysThatStop> keys;
    View view(home_.path(), std::chrono::milliseconds(10'000), [&](auto store) {
      return keys = std::make_shared<RootKeysThatStop>(std::move(store));
    });
    if (!view.put("alice", "hers")) return 1;
    const Subject alice = view.find("alice").value();
    if (!view.tenant().restrict(alice) || !view.tenant().lift_restriction(alice)) return 2;
    channel.tell();
    channel.wait();
    keys->armed = true;
    return view.tenant().transfer(alice, view.region("us"), TransferBasis::adequacy) ? 0 : 3;
  });
  ASSERT_EQ(peer.wait(), '.');
  View view(home_.path(), std::chrono::milliseconds(100));
  peer.tell();
  ASSERT_TRUE(peer.wait_until_stopped());
  // The last step at home is about to be taken: she is copied, and marked.
  EXPECT_EQ(view.get("alice"), "hers");
  EXPECT_EQ(view.find("alice")->home().name(), "eu");
  peer.kill(SIGCONT);
  EXPECT_EQ(peer.join(), 0);
  EXPECT_EQ(view.find("alice")->home().name(), "us");
  EXPECT_EQ(view.get("alice"), "hers");
}

}  // namespace
}  // namespace efface::test
