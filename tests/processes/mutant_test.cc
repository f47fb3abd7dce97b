// A process that does not look for what others committed: it shows who was erased.
#include "processes/shared_store.h"

namespace efface::test {
namespace {

using ProcessesMutant = SharedStore;

TEST_F(ProcessesMutant, ThatDoesNotLookForOthersShowsWhoWasErased) {
  Peer peer([&](const Channel& channel) {
    View view = open();
    if (!view.put("alice", "hers")) return 1;
    channel.tell();
    channel.wait();
    if (view.erase("alice") != "erased") return 2;
    channel.tell();
    channel.wait();
    return 0;
  });
  View view = open();
  ASSERT_EQ(peer.wait(), '.');
  ASSERT_EQ(view.get("alice"), "hers");
  peer.tell();
  ASSERT_EQ(peer.wait(), '.');
  EXPECT_EQ(view.get("alice"), "hers");
  peer.tell();
  EXPECT_EQ(peer.join(), 0);
}

}  // namespace
}  // namespace efface::test
