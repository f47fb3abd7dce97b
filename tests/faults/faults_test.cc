// Each call of the system and each allocation of each public operation fails, each in one way, in
// turn (sweep.h; in every way where EFFACE_EVERY_MISHAP is set): the answer is a typed error,
// nothing acknowledged is lost, nothing leaks, nothing hangs.
#include <gtest/gtest.h>

#include "faults/sweep.h"

namespace efface::test {
namespace {

TEST(Failing, ReadsAnswerAnErrorAndChangeNothing) {
  expect_sound(of_operations({"get", "scan", "dossier", "query", "processing_record", "exposure"}),
               least(200, 400));
}

TEST(Failing, QuestionsAboutTheStoreChangeNothing) {
  expect_sound(of_operations({"receipt", "checkpoint", "stats", "diagnose", "check"}),
               least(550, 1'000));
}

TEST(Failing, ExportsEndInAnError) {
  expect_sound(of_operations({"export_json", "export_sealed"}), least(290, 600));
}

TEST(Failing, WritesLeaveNothingUnlessTheOutcomeIsUnknown) {
  expect_sound(of_operations({"put", "put_again", "update", "remove", "batch"}), least(150, 300));
}

TEST(Failing, WritesOfSeveralStepsAreMendedByDoingThemAgain) {
  expect_sound(of_operations({"put_new", "put_shared", "shred"}), least(340, 600));
}

TEST(Failing, RelaxedPutsAreDurableOrSyncSaysWhyNot) {
  expect_sound(of_operations({"put_relaxed"}), least(40, 90));
}

TEST(Failing, TermsAreThereOrNot) {
  expect_sound(
      of_operations({"declare_tenant", "declare_purpose", "set_agreement", "permit_transfer"}),
      least(150, 300));
}

TEST(Failing, EnrolmentsAreThereOrNot) {
  expect_sound(of_operations({"enrol", "enrol_many", "add_identifier"}), least(210, 400));
}

TEST(Failing, DecisionsAboutAPersonAreThereOrNot) {
  expect_sound(of_operations({"grant", "object", "lift_objection", "restrict", "lift_restriction",
                              "hold", "release", "reinstate"}),
               least(420, 800));
}

TEST(Failing, ErasuresAreNeverAcknowledgedWhileTheOldRootKeyLives) {
  expect_sound(of_operations({"erase", "erase_many", "withdraw", "rotate_root"}), least(380, 800));
}

TEST(Failing, SuppressionsAreMendedByDoingThemAgain) {
  expect_sound(of_operations({"suppress", "offboard"}), least(220, 500));
}

TEST(Failing, TransfersLeaveAPersonWholeInOneRegion) {
  expect_sound(of_operations({"transfer"}), least(380, 800));
}

TEST(Failing, MergesLeaveTwoPeopleOrOne) {
  expect_sound(of_operations({"merge"}), least(380, 800));
}

TEST(Failing, MaintenanceLosesNobody) {
  expect_sound(of_operations({"maintain"}), least(400, 900));
}

TEST(Failing, BackupsAreWholeOrNotThere) {
  expect_sound(of_operations({"backup"}), least(220, 500));
}

TEST(Failing, RestoringIsMendedByDoingItAgain) {
  expect_sound(of_operations({"restore"}), least(470, 1'000));
}

TEST(Failing, CreationLeavesNothingThatStandsInTheWay) {
  expect_sound(of_operations({"create"}), least(510, 1'000));
}

TEST(Failing, OpeningLeavesAStoreThatOpens) {
  expect_sound(of_operations({"open"}), least(290, 600));
}

TEST(Failing, AMovedRootKeyIsInOneStoreOrTheOther) {
  expect_sound(of_operations({"migrate_root", "migrate_root_mirrored", "retire_root"}),
               least(310, 500));
}

TEST(Failing, ExpiredDaysAreMendedByDestroyingThemAgain) {
  expect_sound(of_operations({"commit_expiry"}), least(210, 500));
}

TEST(Failing, CapsulesAreWholeOrNotThere) {
  expect_sound(of_operations({"make_capsule"}), least(180, 300));
}

TEST(Failing, BringingBackACapsuleIsMendedByDoingItAgain) {
  expect_sound(of_operations({"restore_capsule"}), 500);
}

TEST(Failing, LookingAtABackupChangesNothing) {
  expect_sound(of_operations({"verify_backup"}), least(40, 100));
}

TEST(Failing, OpeningByAMirrorLosesNobody) {
  expect_sound(of_operations({"open_by_mirror"}, stride_of(3)), 500);
}

TEST(Failing, OfAMirrorLosesNobody) {
  // With the mirrors there are many points: every fifth mishap is taken.
  expect_sound(of_operations({"open_mirrored", "open_with_a_mirror_behind", "erase_mirrored",
                              "maintain_mirrored"},
                             stride_of(5)),
               700);
}

TEST(Failing, OfAStoreThatIsSharedLosesNobody) {
  expect_sound(of_operations({"put_shared_store", "erase_shared_store", "open_shared_store"}), 500);
}

TEST(Failing, OfASealedRootKeyFileLosesNobody) {
  expect_sound(of_operations({"open_by_passphrase", "create_by_passphrase", "erase_by_passphrase",
                              "rotate_root_by_passphrase", "migrate_root_by_passphrase"},
                             stride_of(7)),
               380);
}

TEST(Failing, OfACompositeLosesNobody) {
  expect_sound(of_operations({"open_by_composite", "create_by_composite", "erase_by_composite",
                              "rotate_root_by_composite", "migrate_root_by_composite"},
                             stride_of(7)),
               500);
}

TEST(Failing, OfReplicasLosesNobody) {
  expect_sound(of_operations({"open_by_replicas", "create_by_replicas", "erase_by_replicas",
                              "rotate_root_by_replicas", "migrate_root_by_replicas"},
                             stride_of(7)),
               500);
}

TEST(Failing, WalkingThePagesLeavesAStoreThatOpens) {
  expect_sound(of_operations({"open_verified"}), 300);
}

TEST(Failing, IncidentsAreOnTheRegisterOrNot) {
  expect_sound(
      of_operations({"open_incident", "update_incident", "note_notified", "close_incident"}),
      least(170, 300));
}

}  // namespace
}  // namespace efface::test
