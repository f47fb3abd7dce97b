// Where time goes: calls, and the phases within them, as spans that nest.
#include <gmock/gmock.h>

#include <thread>

#include "observe/seen.h"
#include "observe/watched.h"

namespace efface::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Trace : public WatchedStore {
 protected:
  void SetUp() override { options_.trace = shown_to(seen_); }
  void create() {
    create_with({"orders"});
    activity_.emplace(tenant_->activity(tenant_->purpose("orders").value()).value());
    EXPECT_EQ(seen_->fault(), "");
  }
  Subject enrol(std::string_view id) {
    return tenant_->enrol(SubjectId(id), store_->region("eu").value()).value();
  }
  Status put(const Subject& subject, std::string_view record) {
    return activity_->put(subject, RecordName(record), as_bytes("v"));
  }

  std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
  std::optional<Activity> activity_;
};

TEST_F(Trace, ShowsThePhasesOfAnErasureInTheirOrder) {
  create();
  Subject alice = enrol("alice");
  seen_->forget();
  ASSERT_TRUE(tenant_->erase(std::move(alice)));
  const Seen::Piece* const erase = seen_->one("Tenant::erase");
  ASSERT_NE(erase, nullptr);
  EXPECT_EQ(erase->parent, 0u);
  EXPECT_EQ(erase->error, std::nullopt);
  EXPECT_THAT(seen_->within(*erase),
              ElementsAre("keyring.lock", "keyring.settle", "keyring.commit", "keyring.read_back",
                          "ledger.copy", "root_keys.rotate", "records.lock"));
  for (const Seen::Piece& piece : seen_->all()) {
    EXPECT_EQ(piece.region, piece.id == erase->id ? "" : "eu");
    EXPECT_EQ(piece.thread, erase->thread);
    EXPECT_LE(erase->began, piece.began);
    EXPECT_LE(piece.began, piece.ended);
    EXPECT_LE(piece.ended, erase->ended);
  }
  EXPECT_EQ(seen_->fault(), "");
}

TEST_F(Trace, ShowsWhatAWriteAndAReadAreMadeOf) {
  create();
  const Subject alice = enrol("alice");
  ASSERT_TRUE(put(alice, "first"));
  seen_->forget();
  ASSERT_TRUE(put(alice, "second"));
  ASSERT_TRUE(activity_->get(alice, RecordName("second")));
  const Seen::Piece* const written = seen_->one("Activity::put");
  const Seen::Piece* const read = seen_->one("Activity::get");
  ASSERT_TRUE(written != nullptr && read != nullptr);
  EXPECT_THAT(seen_->within(*written), ElementsAre("records.lock", "records.commit"));
  EXPECT_THAT(seen_->within(*read), IsEmpty());
  EXPECT_EQ(seen_->all().size(), 4u);
}

TEST_F(Trace, ShowsThatMirrorsFollowWithinACommit) {
  options_.regions[0].keyring_mirrors = {home_ / "mirror"};
  create();
  Subject alice = enrol("alice");
  seen_->forget();
  ASSERT_TRUE(tenant_->erase(std::move(alice)));
  const Seen::Piece* const commit = seen_->one("keyring.commit");
  ASSERT_NE(commit, nullptr);
  EXPECT_THAT(seen_->within(*commit), ElementsAre("mirrors.follow"));
}

TEST_F(Trace, SaysWithWhatACallEnded) {
  create();
  const Subject before = enrol("alice");
  ASSERT_TRUE(tenant_->erase(tenant_->subject(SubjectId("alice")).value()));
  seen_->forget();
  EXPECT_FALSE(activity_->get(before, RecordName("r")));
  EXPECT_FALSE(tenant_->subject(SubjectId("nobody")));
  root_keys_.fail_next_rotate = true;
  EXPECT_FALSE(tenant_->erase(enrol("bob")));
  ASSERT_NE(seen_->one("Activity::get"), nullptr);
  EXPECT_EQ(seen_->one("Activity::get")->error, Errc::subject_erased);
  EXPECT_EQ(seen_->one("Tenant::subject")->error, Errc::subject_unknown);
  EXPECT_EQ(seen_->one("Tenant::erase")->error, Errc::erase_pending);
  EXPECT_EQ(seen_->one("root_keys.rotate")->error, Errc::io);
  EXPECT_EQ(seen_->one("ledger.copy")->error, std::nullopt);
  EXPECT_EQ(seen_->fault(), "");
}

TEST_F(Trace, NestsWhatACallbackCalls) {
  create();
  const Subject alice = enrol("alice");
  ASSERT_TRUE(put(alice, "r"));
  seen_->forget();
  ASSERT_TRUE(activity_->scan(alice, {}, [&](std::string_view record, Bytes) {
    EXPECT_TRUE(activity_->get(alice, RecordName(record)));
    return Flow::more;
  }));
  const Seen::Piece* const scan = seen_->one("Activity::scan");
  ASSERT_NE(scan, nullptr);
  EXPECT_THAT(seen_->within(*scan), ElementsAre("Activity::get"));
}

TEST_F(Trace, KeepsThreadsApart) {
  create();
  const Subject alice = enrol("alice");
  seen_->forget();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(put(alice, std::to_string(t)));
    });
  for (std::thread& thread : threads) thread.join();
  std::map<std::uint32_t, int> puts;
  for (const Seen::Piece& piece : seen_->all())
    if (piece.name == "Activity::put") ++puts[piece.thread];
  EXPECT_EQ(puts.size(), 4u);
  for (const auto& [thread, count] : puts) EXPECT_EQ(count, 20);
  EXPECT_EQ(seen_->fault(), "");
}

TEST_F(Trace, NeedsOnlyOneOfItsHooks) {
  std::size_t ended = 0;
  options_.trace = {};
  options_.trace.end = [&](const TraceSpan&) { ++ended; };
  create();
  EXPECT_GE(ended, 4u);
  store_.reset();
  tenant_.reset();
  activity_.reset();
  std::size_t begun = 0;
  options_.trace = {};
  options_.trace.begin = [&](const TraceSpan& span) {
    ++begun;
    EXPECT_EQ(span.took.count(), 0);
  };
  ASSERT_TRUE(Store::open(options_));
  EXPECT_GE(begun, 1u);
}

TEST_F(Trace, ShowsOpeningAndRestoringToo) {
  create();
  EXPECT_NE(seen_->one("Store::create"), nullptr);
  ASSERT_NE(seen_->one("Store::open"), nullptr);
  EXPECT_EQ(seen_->one("Store::open")->parent, seen_->one("Store::create")->id);
  tenant_.reset();
  activity_.reset();
  store_.reset();
  seen_->forget();
  ASSERT_TRUE(Store::restore(options_, {}));
  EXPECT_NE(seen_->one("Store::restore"), nullptr);
  EXPECT_EQ(seen_->fault(), "");
}

// A harness that finds no fault in anything would find none here.
TEST(TraceControl, FindsSpansThatDoNotNest) {
  TraceSpan outer{"outer"};
  outer.id = 1;
  TraceSpan inner{"inner"};
  inner.id = 2;
  inner.parent = 1;
  inner.depth = 1;
  Seen open;
  open.begin(outer);
  EXPECT_EQ(open.fault(), "a span has no end");
  Seen crossed;
  crossed.begin(outer);
  crossed.begin(inner);
  crossed.end(outer);
  EXPECT_NE(crossed.fault(), "");
  Seen nested;
  nested.begin(outer);
  nested.begin(inner);
  nested.end(inner);
  nested.end(outer);
  EXPECT_EQ(nested.fault(), "");
}

}  // namespace
}  // namespace efface::test
