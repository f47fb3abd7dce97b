// The harness sees what it says it sees; and the library notices a disk that lies.
#include <gmock/gmock.h>

#include "crash/sweep.h"
#include "support/bad_root_keys.h"

namespace efface::test {
namespace {

template <class T>
RootKeyWrapper over() {
  return
      [](std::unique_ptr<FileRootKeyStore> file) { return std::make_unique<T>(std::move(file)); };
}

// Whether a finding says so.
bool is_found(const std::vector<std::string>& findings, std::string_view what) {
  for (const std::string& finding : findings)
    if (finding.find(what) != std::string::npos) return true;
  return false;
}

Scenario erasing_once() {
  Scenario once = erasing();
  once.ops.resize(1);
  return once;
}

std::vector<std::string> findings_at_every_step(Room& room, Plan plan) {
  std::vector<std::string> all;
  for (plan.at = 1;; ++plan.at) {
    const Room::Trial trial = room.run(plan);
    all.insert(all.end(), trial.findings.begin(), trial.findings.end());
    if (!trial.reached) return all;
  }
}

TEST(CrashHarness, SeesTheWritesOfLmdb) {
  Room room(erasing_once());
  const Room::Trial trial = room.run({});
  EXPECT_TRUE(trial.findings.empty());
  EXPECT_GE(trial.lmdb_writes, 2u);  // Pages, and then the meta page.
  // LMDB's sync between them; the ledger's copy, the slot of the root key file, a sync each.
  EXPECT_EQ(trial.steps, trial.lmdb_writes + 5);
}

TEST(CrashHarness, FindsARootKeyStoreThatKeepsWhatItDestroys) {
  Room room(erasing_once());
  room.wrapper = over<RootKeysThatAreKept>();
  EXPECT_TRUE(is_found(room.run({}).findings,
                       "an erasure is acknowledged while the old root key stands in its file"));
}

TEST(CrashHarness, FindsARootKeyThatIsDestroyedBeforeTheCommit) {
  Room room(erasing_once());
  room.wrapper = over<RootKeysThatGoFirst>();
  EXPECT_TRUE(room.run({}).findings.empty());  // Nothing is wrong unless it is interrupted.
  EXPECT_TRUE(is_found(findings_at_every_step(room, {.then = Then::stop}),
                       "the store does not open: keyring_stale"));
}

TEST(CrashHarness, FindsThatAnAcknowledgedRecordIsGone) {
  Room room(putting());
  room.puts_base_back = true;
  EXPECT_TRUE(is_found(room.run({}).findings, "a person's records are not what they were"));
}

TEST(CrashHarness, FindsThatAnAcknowledgedEnrolmentIsGone) {
  Room room(enrolling());
  room.puts_base_back = true;
  EXPECT_TRUE(is_found(room.run({}).findings, "a person is missing"));
}

TEST(CrashHarness, FindsSyncsThatDoNothing) {
  for (const Scenario& scenario : {creating(), enrolling(), putting(), erasing_once()}) {
    Room room(scenario);
    const Plan after_the_last_step{.at = 1'000'000, .then = Then::power_loss, .syncs_lost = true};
    EXPECT_THAT(room.run(after_the_last_step).findings, testing::Not(testing::IsEmpty()));
  }
}

// The meta page that makes a commit true never reaches the file, and the system says that it did.
TEST(Crash, ThatLosesACommitIsNoticedBeforeTheRootKeyIsDestroyed) {
  Room room(erasing_once());
  const Room::Trial trial = room.run({.lost = Lost::keyring_meta});
  EXPECT_THAT(trial.findings, testing::IsEmpty());
  ASSERT_EQ(trial.codes.size(), 1u);
  EXPECT_EQ(trial.codes[0], static_cast<std::uint16_t>(Errc::outcome_unknown));
}

TEST(Crash, ThatLosesTheDestructionOfARootKeyIsNoticedAndNotAcknowledged) {
  Room room(erasing_once());
  const Room::Trial trial = room.run({.lost = Lost::root_slot});
  EXPECT_THAT(trial.findings, testing::IsEmpty());
  ASSERT_EQ(trial.codes.size(), 1u);
  EXPECT_EQ(trial.codes[0], static_cast<std::uint16_t>(Errc::erase_pending));
}

}  // namespace
}  // namespace efface::test
