// What one process has acknowledged ahead of its commit, and the others: they see it when it is
// committed, what they did before is decided on then, and when it dies the latest of it is lost.
#include "processes/shared_store.h"

namespace efface::test {
namespace {

class RelaxedAndShared : public SharedStore {
 protected:
  static Status relax(View& view, const std::string& id, std::string_view name,
                      std::string_view value) {
    auto writing = view.try_activity();
    if (!writing) return writing.error();
    PutOptions options;
    options.durability = Durability::relaxed;
    return writing->put(SubjectId(id), view.region(), RecordName(name), as_bytes(value), options);
  }
  static std::string sync(View& view) {
    const Status done = view.store().sync();
    return done ? "" : name(done.error().code());
  }
  static Subject subject(View& view, const std::string& id) { return view.find(id).value(); }
};

TEST_F(RelaxedAndShared, OthersSeeItOnceItIsCommitted) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    if (!view.put("alice", "first") || !relax(view, "alice", "r", "second")) return 1;
    if (view.get("alice") != "second") return 2;
    channel.tell();
    channel.wait();
    if (!sync(view).empty()) return 3;
    channel.tell();
    channel.wait();
    return 0;
  });
  View view = open();
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(view.get("alice"), "first");
  peer.tell();
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(view.get("alice"), "second");
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

TEST_F(RelaxedAndShared, WhoWasErasedElsewhereIsNotWrittenNorIsALaterSelf) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    if (!view.put("alice", "first") || !view.put("bob", "his")) return 1;
    channel.tell();
    channel.wait();
    if (view.erase("alice") != "erased") return 2;
    if (!view.tenant().enrol(SubjectId("alice"), view.region())) return 3;
    channel.tell();
    channel.wait();
    return view.get("alice") == "absent" && view.get("bob") == "newer" ? 0 : 4;
  });
  View view = open();
  ASSERT_EQ(peer.wait(), '.');
  const Subject before = subject(view, "alice");
  ASSERT_TRUE(relax(view, "bob", "r", "newer"));
  ASSERT_TRUE(relax(view, "alice", "r", "back"));
  EXPECT_EQ(view.get(before), "back");
  peer.tell();
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(view.get(before), "error: subject_erased");
  EXPECT_EQ(view.get("alice"), "absent");
  EXPECT_EQ(sync(view), "subject_erased");
  EXPECT_EQ(sync(view), "");
  EXPECT_EQ(view.get("alice"), "absent");
  EXPECT_TRUE(view.store().check()->clean());
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

TEST_F(RelaxedAndShared, WhoWasRestrictedElsewhereIsNotWritten) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    if (!view.put("alice", "first")) return 1;
    channel.tell();
    channel.wait();
    if (!view.tenant().restrict(subject(view, "alice"))) return 2;
    channel.tell();
    channel.wait();
    if (!view.tenant().lift_restriction(subject(view, "alice"))) return 3;
    return view.get("alice") == "first" ? 0 : 4;
  });
  View view = open();
  ASSERT_EQ(peer.wait(), '.');
  ASSERT_TRUE(relax(view, "alice", "r", "second"));
  peer.tell();
  ASSERT_EQ(peer.wait(), '.');
  // Whoever commits takes it along, and is not told of it: sync is.
  EXPECT_TRUE(view.put("bob", "his"));
  EXPECT_EQ(sync(view), "restricted");
  EXPECT_EQ(sync(view), "");
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

TEST_F(RelaxedAndShared, WhoseScopeWasReKeyedElsewhereIsToldSo) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    if (!view.put("alice", "first")) return 1;
    channel.tell();
    channel.wait();
    const Subject alice = subject(view, "alice");
    if (!view.activity().remove(alice, RecordName("nothing"), Shred::now)) return 2;
    channel.tell();
    channel.wait();
    return view.get("alice") == "third" ? 0 : 3;
  });
  View view = open();
  ASSERT_EQ(peer.wait(), '.');
  ASSERT_TRUE(relax(view, "alice", "r", "second"));
  peer.tell();
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(sync(view), "conflict");
  EXPECT_EQ(view.get("alice"), "first");
  ASSERT_TRUE(relax(view, "alice", "r", "third"));
  EXPECT_EQ(sync(view), "");
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

// Killed at some point: of what it had acknowledged there is, in order, all up to some point, and
// all that it had synced.
TEST_F(RelaxedAndShared, OfOneThatIsKilledTheFirstAreThereAndAllThatItSynced) {
  constexpr int synced = 100;
  for (const int beyond : {0, 1, 50}) {
    const std::string id = "p" + std::to_string(beyond);
    Peer peer([&](const Channel& channel) {
      View view = open();
      for (int i = 0; i < synced + beyond; ++i) {
        if (!relax(view, id, "n" + std::to_string(i), "x")) return 1;
        if (i + 1 == synced && !sync(view).empty()) return 2;
      }
      channel.tell();
      channel.wait();
      return 3;
    });
    ASSERT_EQ(peer.wait(), '.');
    peer.kill(SIGKILL);
    EXPECT_EQ(peer.join(), 128 + SIGKILL);
    View view = open();
    const Subject person = subject(view, id);
    int there = 0;
    while (text_of(view.activity().get(person, RecordName("n" + std::to_string(there)))) == "x")
      ++there;
    EXPECT_EQ(there, synced);
    std::size_t all = 0;
    ASSERT_TRUE(view.activity().list(person, {}, [&](std::string_view) {
      ++all;
      return Flow::more;
    }));
    EXPECT_EQ(all, static_cast<std::size_t>(there));
  }
}

}  // namespace
}  // namespace efface::test
