// A process that is killed as soon as the system has one of its writes, the last one of a commit
// included: LMDB publishes that in the lock file only afterwards, so that nobody reads it yet. See
// docs/reliability.md.
#include <cstdio>

#include "faults/injector.h"
#include "processes/shared_store.h"

namespace efface::test {
namespace {

class Died : public SharedStore {
 protected:
  // Zero when nothing was killed: the operation has fewer writes.
  int kill_within_erasure(std::size_t write) {
    Peer child([&](const Channel&) {
      View view = open();
      if (!view.status() || !view.put("alice", "hers") || !view.put("bob", "his")) return 1;
      kill_after_write(write);
      const std::string erased = view.erase("alice");
      disarm();
      return erased == "erased" ? 0 : 2;
    });
    return child.join();
  }

  // What the next one finds, who opens the store while the survivor has it open.
  int look_and_write() {
    Peer child([&](const Channel&) {
      View view = open();
      if (!view.status()) return 1;
      if (view.get("bob") != "his") return 2;
      if (view.erase("carol") == "unknown" && !view.put("carol", "new")) return 3;
      const std::string alice = view.get("alice");
      if (alice != "hers" && alice != "subject_unknown") return 4;
      if (view.erase("alice").empty() || view.get("alice") != "subject_unknown") return 5;
      return view.get("bob") == "his" ? 0 : 6;
    });
    return child.join();
  }
};

TEST_F(Died, AfterAnyWriteOfAnErasureItHarmsNeitherWhoOpensNextNorWhoIsThere) {
  Peer nursery([&](const Channel& survivor) {
    std::size_t write = 1;
    for (; write < 200; ++write) {
      survivor.wait();
      const int ended = kill_within_erasure(write);
      if (ended == 0) break;
      if (ended != 128 + SIGKILL) return 10 + ended;
      if (const int found = look_and_write(); found != 0) return 20 + found;
      survivor.tell();
    }
    survivor.tell('e');  // No round more.
    std::printf("             %zu writes\n", write - 1);
    std::fflush(stdout);
    return write > 5 && write < 200 ? 0 : 1;
  });
  View view = open();
  ASSERT_TRUE(view.status());
  int rounds = 0;
  while (true) {
    nursery.tell();
    if (nursery.wait() != '.') break;
    const std::string bob = view.get("bob");
    if (bob != "his") ADD_FAILURE() << "round " << rounds << ": " << bob;
    if (++rounds == 200) break;
  }
  EXPECT_EQ(nursery.join(), 0);
}

// The one whose call failed lives on, and does nothing.
TEST_F(Died, WhoseLockTheSystemTakesBackAtTheSecondAttemptKeepsNobodyWaiting) {
  Peer nursery([&](const Channel& other) {
    for (std::size_t call = 1; call < 1'000; ++call) {
      Peer child([&](const Channel& told) {
        View view = open();
        if (!view.status() || !view.put("alice", "first")) return 1;
        arm({.at = call, .error = EIO});
        static_cast<void>(view.put("alice", "second"));
        disarm();
        told.tell(!was_reached() ? 'e' : reached() == Call::lock_file ? 'l' : '.');
        told.wait();
        return 0;
      });
      const char what = child.wait();
      if (what == 'l') {
        other.tell();
        if (other.wait() != '.') return 2;
      }
      child.tell();
      if (child.join() != 0) return 3;
      if (what == 'e') break;
    }
    other.tell('e');
    return 0;
  });
  View view(home_.path(), std::chrono::milliseconds(2'000));
  ASSERT_TRUE(view.status());
  int locks = 0;
  for (; nursery.wait() == '.'; ++locks) {
    const Status done = view.put("bob", "his");
    EXPECT_TRUE(done) << name(done.error().code());
    nursery.tell();
  }
  EXPECT_GT(locks, 2);
  EXPECT_EQ(nursery.join(), 0);
}

}  // namespace
}  // namespace efface::test
