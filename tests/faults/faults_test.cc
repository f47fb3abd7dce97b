// Each call of the system and each allocation of each public operation fails, each in one way, in
// turn (sweep.h; in every way where EFFACE_EVERY_MISHAP is set): the answer is a typed error,
// nothing acknowledged is lost, nothing leaks, nothing hangs.
#include <gtest/gtest.h>

#include "faults/sweep.h"

namespace efface::test {
namespace {

TEST(Failing, ReadsAnswerAnErrorAndChangeNothing) {
  expect_sound(of_operations({"get", "scan", "dossier", "query", "processing_record", "exposure"}),
               200);
}

TEST(Failing, QuestionsAboutTheStoreChangeNothing) {
  expect_sound(of_operations({"receipt", "checkpoint", "stats", "diagnose", "check"}), 550);
}

TEST(Failing, ExportsEndInAnError) {
  expect_sound(of_operations({"export_json", "export_sealed"}), 290);
}

TEST(Failing, WritesLeaveNothingUnlessTheOutcomeIsUnknown) {
  expect_sound(of_operations({"put", "put_again", "update", "remove", "batch"}), 150);
}

TEST(Failing, WritesOfSeveralStepsAreMendedByDoingThemAgain) {
  expect_sound(of_operations({"put_new", "put_shared", "shred"}), 340);
}

TEST(Failing, RelaxedPutsAreDurableOrSyncSaysWhyNot) {
  expect_sound(of_operations({"put_relaxed"}), 40);
}

TEST(Failing, TermsAreThereOrNot) {
  expect_sound(
      of_operations({"declare_tenant", "declare_purpose", "set_agreement", "permit_transfer"}),
      150);
}

TEST(Failing, EnrolmentsAreThereOrNot) {
  expect_sound(of_operations({"enrol", "enrol_many", "add_identifier"}), 210);
}

TEST(Failing, DecisionsAboutAPersonAreThereOrNot) {
  expect_sound(of_operations({"grant", "object", "lift_objection", "restrict", "lift_restriction",
                              "hold", "release", "reinstate"}),
               420);
}

TEST(Failing, ErasuresAreNeverAcknowledgedWhileTheOldRootKeyLives) {
  expect_sound(of_operations({"erase", "erase_many", "withdraw", "rotate_root"}), 380);
}

TEST(Failing, SuppressionsAreMendedByDoingThemAgain) {
  expect_sound(of_operations({"suppress", "offboard"}), 220);
}

TEST(Failing, TransfersLeaveAPersonWholeInOneRegion) {
  expect_sound(of_operations({"transfer"}), 380);
}

TEST(Failing, MergesLeaveTwoPeopleOrOne) { expect_sound(of_operations({"merge"}), 380); }

TEST(Failing, MaintenanceLosesNobody) { expect_sound(of_operations({"maintain"}), 400); }

TEST(Failing, BackupsAreWholeOrNotThere) { expect_sound(of_operations({"backup"}), 220); }

TEST(Failing, RestoringIsMendedByDoingItAgain) { expect_sound(of_operations({"restore"}), 470); }

TEST(Failing, CreationLeavesNothingThatStandsInTheWay) {
  expect_sound(of_operations({"create"}), 510);
}

TEST(Failing, OpeningLeavesAStoreThatOpens) { expect_sound(of_operations({"open"}), 290); }

TEST(Failing, AMovedRootKeyIsInOneStoreOrTheOther) {
  expect_sound(of_operations({"migrate_root", "migrate_root_mirrored", "retire_root"}), 310);
}

TEST(Failing, ExpiredDaysAreMendedByDestroyingThemAgain) {
  expect_sound(of_operations({"commit_expiry"}), 210);
}

TEST(Failing, CapsulesAreWholeOrNotThere) { expect_sound(of_operations({"make_capsule"}), 180); }

TEST(Failing, BringingBackACapsuleIsMendedByDoingItAgain) {
  expect_sound(of_operations({"restore_capsule"}), 500);
}

TEST(Failing, LookingAtABackupChangesNothing) {
  expect_sound(of_operations({"verify_backup"}), 40);
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
      of_operations({"open_incident", "update_incident", "note_notified", "close_incident"}), 170);
}

}  // namespace
}  // namespace efface::test
