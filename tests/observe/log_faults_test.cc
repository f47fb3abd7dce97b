// What is told of failures of the system, which are made here; and of a system that locks no
// memory.
#include <gmock/gmock.h>
#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "crypto/child.h"
#include "faults/injector.h"
#include "observe/heard.h"
#include "observe/watched.h"

namespace efface::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FailingLog : public WatchedStore {
 protected:
  void SetUp() override { options_.on_log = told_to(heard_); }
  void create() {
    create_with({"orders"});
    heard_->take();
  }
  Result<Subject> enrol(std::string_view id) { return tenant_->enrol(SubjectId(id), region()); }
  Status put(const Subject& subject, std::string_view record, std::string_view value = "v") {
    const Activity activity = tenant_->activity(tenant_->purpose("orders").value()).value();
    return activity.put(subject, RecordName(record), as_bytes(value));
  }
  // More than was set aside when the store was made. It does not compress.
  static std::string large() {
    std::string value(1'000'000, '\0');
    std::uint64_t state = 1;
    for (char& c : value) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      c = static_cast<char>(state >> 56);
    }
    return value;
  }
  std::optional<Errc> erase(std::string_view id) {
    const auto erased = tenant_->erase(tenant_->subject(SubjectId(id)).value());
    return erased ? std::nullopt : std::optional(erased.error().code());
  }

  // Which call of that kind, the first or the last, a change makes; 0: none.
  enum class Which : bool { first, last };
  template <class Change>
  static std::size_t place_of(Call kind, Which which, Change&& change) {
    arm({});
    change();
    disarm();
    std::size_t place = 0;
    for (std::size_t i = 0; i < calls_seen().size(); ++i)
      if (calls_seen()[i] == kind && (place == 0 || which == Which::last)) place = i + 1;
    return place;
  }

  std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
};

TEST_F(FailingLog, SaysThatADatabaseIsLatchedAndThenNothing) {
  create();
  const std::size_t sync = place_of(Call::sync, Which::first, [&] { ASSERT_TRUE(enrol("alice")); });
  ASSERT_NE(sync, 0u);
  arm({.at = sync, .error = EIO});
  const auto failed = enrol("bob");
  disarm();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Errc::outcome_unknown);
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::latched);
  EXPECT_EQ(told[0].level, LogLevel::error);
  EXPECT_EQ(told[0].database, "keyring");
  EXPECT_EQ(told[0].error, Errc::outcome_unknown);
  EXPECT_EQ(enrol("carol").error().code(), Errc::closed);
  EXPECT_THAT(heard_->take(), IsEmpty());
}

TEST_F(FailingLog, SaysThatTheRecordsAreLatched) {
  create();
  const Subject alice = enrol("alice").value();
  ASSERT_TRUE(put(alice, "first"));
  const std::size_t sync =
      place_of(Call::sync, Which::first, [&] { ASSERT_TRUE(put(alice, "second")); });
  ASSERT_NE(sync, 0u);
  arm({.at = sync, .error = EIO});
  EXPECT_FALSE(put(alice, "third"));
  disarm();
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::latched);
  EXPECT_EQ(told[0].database, "records");
}

TEST_F(FailingLog, SaysThatAKeyringIsLatchedWhichCannotBeReadBack) {
  create();
  for (const char* const id : {"alice", "bob", "carol"}) ASSERT_TRUE(enrol(id));
  EXPECT_EQ(erase("alice"), std::nullopt);
  arm({});
  EXPECT_EQ(erase("bob"), std::nullopt);
  disarm();
  const std::vector<Call>& calls = library_calls_seen();
  const auto commit = std::ranges::find(calls, Call::commit);
  const auto unseal = std::find(commit, calls.end(), Call::unseal);
  ASSERT_NE(unseal, calls.end());
  arm({.at = static_cast<std::size_t>(unseal - calls.begin()) + 1,
       .library = true,
       .kind = Call::unseal,
       .error = refused});
  EXPECT_EQ(erase("carol"), Errc::outcome_unknown);
  disarm();
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::latched);
  EXPECT_EQ(told[0].database, "keyring");
}

TEST_F(FailingLog, SaysThatTheDiskIsFullOnce) {
  std::size_t allocation = 0;
  {
    create();
    const Subject alice = enrol("alice").value();
    allocation =
        place_of(Call::truncate, Which::first, [&] { ASSERT_TRUE(put(alice, "r", large())); });
    ASSERT_NE(allocation, 0u);
    tenant_.reset();
    store_.reset();
  }
  options_.directory = home_ / "other";
  MemoryRootKeyStore others;
  options_.regions[0].root_keys = &others;
  create();
  const Subject alice = enrol("alice").value();
  arm({.at = allocation, .error = ENOSPC, .for_ever = true});
  const Status first = put(alice, "r", large());
  const Status second = put(alice, "s", large());
  disarm();
  ASSERT_FALSE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(first.error().code(), Errc::no_space);
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::disk_full);
  EXPECT_EQ(told[0].level, LogLevel::warning);
}

// What a restriction is: a commit of the keyring, its mirrors, and an entry for the ledger's copy.
TEST_F(FailingLog, SaysThatTheCopyOfTheLedgerIsBehindAndThatItIsInStep) {
  create();
  const Subject alice = enrol("alice").value();
  ASSERT_TRUE(tenant_->restrict(alice));
  ASSERT_TRUE(tenant_->lift_restriction(alice));
  const std::size_t write =
      place_of(Call::write, Which::last, [&] { ASSERT_TRUE(tenant_->restrict(alice)); });
  ASSERT_NE(write, 0u);
  arm({.at = write, .error = EIO});
  EXPECT_TRUE(tenant_->lift_restriction(alice));
  disarm();
  auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::ledger_copy_behind);
  EXPECT_EQ(told[0].error, Errc::io);
  EXPECT_TRUE(enrol("bob"));
  EXPECT_THAT(heard_->take(), IsEmpty());
  EXPECT_EQ(erase("alice"), std::nullopt);
  told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::ledger_copy_in_step);
}

TEST_F(FailingLog, SaysThatAMirrorIsBehindAndThatItIsInStepAgain) {
  options_.regions[0].keyring_mirrors = {home_ / "mirror"};
  create();
  const Subject alice = enrol("alice").value();
  ASSERT_TRUE(tenant_->restrict(alice));
  ASSERT_TRUE(tenant_->lift_restriction(alice));
  const std::size_t sync =
      place_of(Call::sync, Which::last, [&] { ASSERT_TRUE(tenant_->restrict(alice)); });
  ASSERT_NE(sync, 0u);
  arm({.at = sync, .error = EIO});
  EXPECT_TRUE(tenant_->lift_restriction(alice));
  disarm();
  const auto told = heard_->take_all();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, LogEvent::mirror_behind);
  EXPECT_TRUE(enrol("bob"));
  EXPECT_THAT(heard_->take(), IsEmpty());
  ASSERT_TRUE(store_->maintain());
  EXPECT_THAT(heard_->take(), ElementsAre("mirror_in_step", "maintained"));
}

TEST_F(FailingLog, SaysNothingWithoutAHookWhateverFails) {
  options_.on_log = nullptr;
  create();
  const std::size_t sync = place_of(Call::sync, Which::first, [&] { ASSERT_TRUE(enrol("alice")); });
  arm({.at = sync, .error = EIO});
  EXPECT_EQ(enrol("bob").error().code(), Errc::outcome_unknown);
  disarm();
  EXPECT_THAT(heard_->take(), IsEmpty());
}

// In a child, which gives up what would let it lock all the same.
TEST(UnlockedLog, SaysThatMemoryForKeysIsNotLocked) {
  const int status = in_child([] {
    if (geteuid() == 0 &&
        (setgroups(0, nullptr) != 0 || setgid(65'534) != 0 || setuid(65'534) != 0))
      return 1;
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) return 2;
    const TempDirectory home("unlocked");
    MemoryRootKeyStore root_keys;
    OpenOptions options;
    options.directory = home / "store";
    options.regions = {{"eu", &root_keys}};
    options.require_locked_memory = false;
    options.accept_l0 = true;
    const auto heard = std::make_shared<Heard>();
    options.on_log = told_to(heard);
    if (!Store::create(options)) return 3;
    const auto told = heard->take_all();
    if (told.size() != 2 || told[1].event != LogEvent::memory_not_locked) return 4;
    return told[1].numbers.at("bytes") != 0 ? 0 : 5;
  });
  EXPECT_TRUE(ended_well(status)) << status;
}

}  // namespace
}  // namespace efface::test
