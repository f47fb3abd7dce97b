// The same of each call of LMDB, libsodium and libzstd: it answers what its documentation names,
// and what is sealed does not verify. Where nothing is changed, also: a row is gone, or another, or
// what was opened is.
#include <gtest/gtest.h>

#include "faults/sweep.h"

namespace efface::test {
namespace {

// Of so many mishaps every eleventh is taken in the normal run.
void expect_sound_libraries(std::initializer_list<std::string_view> names,
                            std::size_t injections_min) {
  expect_sound(of_operations(names, stride_of(11), Whose::libraries), injections_min);
}

TEST(FailingLibraries, ReadsAnswerAnErrorAndChangeNothing) {
  expect_sound_libraries({"get", "scan", "dossier", "query", "processing_record", "exposure"}, 90);
}

TEST(FailingLibraries, QuestionsAboutTheStoreChangeNothing) {
  expect_sound_libraries({"receipt", "checkpoint", "stats", "diagnose"}, 40);
}

TEST(FailingLibraries, TheCheckTellsDamageFromWhatCannotBeRead) {
  expect_sound_libraries({"check"}, 150);
}

TEST(FailingLibraries, ExportsEndInAnError) {
  expect_sound_libraries({"export_json", "export_sealed"}, 120);
}

TEST(FailingLibraries, WritesLeaveNothingUnlessTheOutcomeIsUnknown) {
  expect_sound_libraries({"put", "put_again", "update", "remove", "batch"}, 25);
}

TEST(FailingLibraries, WritesOfSeveralStepsAreMendedByDoingThemAgain) {
  expect_sound_libraries({"put_new", "put_shared", "shred"}, 50);
}

TEST(FailingLibraries, TermsAreThereOrNot) {
  expect_sound_libraries({"declare_tenant", "declare_purpose", "set_agreement", "permit_transfer"},
                         12);
}

TEST(FailingLibraries, EnrolmentsAreThereOrNot) {
  expect_sound_libraries({"enrol", "enrol_many", "add_identifier"}, 25);
}

TEST(FailingLibraries, DecisionsAboutAPersonAreThereOrNot) {
  expect_sound_libraries({"grant", "object", "lift_objection", "restrict", "lift_restriction",
                          "hold", "release", "reinstate"},
                         50);
}

TEST(FailingLibraries, ErasuresAreNeverAcknowledgedWhileTheOldRootKeyLives) {
  expect_sound_libraries({"erase", "erase_many", "withdraw", "rotate_root"}, 50);
}

TEST(FailingLibraries, SuppressionsAreMendedByDoingThemAgain) {
  expect_sound_libraries({"suppress", "offboard"}, 40);
}

TEST(FailingLibraries, TransfersAndMergesLeaveAPersonWhole) {
  expect_sound_libraries({"transfer", "merge"}, 150);
}

TEST(FailingLibraries, MaintenanceLosesNobody) {
  expect_sound_libraries({"maintain", "commit_expiry"}, 150);
}

TEST(FailingLibraries, CopiesAreWholeOrNotThere) {
  expect_sound_libraries({"backup", "make_capsule"}, 50);
}

TEST(FailingLibraries, RestoringIsMendedByDoingItAgain) {
  expect_sound(of_operations({"restore", "restore_capsule"}, stride_of(10), Whose::libraries), 200);
}

TEST(FailingLibraries, RestoringWhatIsOlderIsMendedByDoingItAgain) {
  expect_sound_libraries({"restore_capsule_of_before", "restore_capsule_offboarded"}, 200);
}

TEST(FailingLibraries, OpeningLeavesAStoreThatOpens) {
  expect_sound_libraries({"create", "create_elsewhere", "open", "open_elsewhere", "open_verified"},
                         150);
}

TEST(FailingLibraries, AMovedRootKeyIsInOneStoreOrTheOther) {
  expect_sound_libraries({"migrate_root", "migrate_root_mirrored", "retire_root"}, 20);
}

TEST(FailingLibraries, OfAMirrorLosesNobody) {
  expect_sound_libraries({"open_by_mirror", "open_mirrored", "open_with_a_mirror_behind",
                          "erase_mirrored", "maintain_mirrored"},
                         250);
}

TEST(FailingLibraries, OfAStoreThatIsSharedLosesNobody) {
  expect_sound_libraries({"put_shared_store", "erase_shared_store", "open_shared_store"}, 60);
}

TEST(FailingLibraries, OfASealedRootKeyFileLosesNobody) {
  expect_sound_libraries({"open_by_passphrase", "create_by_passphrase", "erase_by_passphrase",
                          "rotate_root_by_passphrase", "migrate_root_by_passphrase"},
                         90);
}

TEST(FailingLibraries, OfSeveralRootKeyStoresLosesNobody) {
  expect_sound_libraries({"open_by_composite", "create_by_composite", "erase_by_composite",
                          "open_by_replicas", "create_by_replicas", "erase_by_replicas"},
                         180);
}

TEST(FailingLibraries, IncidentsAreOnTheRegisterOrNot) {
  expect_sound_libraries({"open_incident", "update_incident", "note_notified", "close_incident"},
                         20);
}

TEST(FailingLibraries, RecoveryFromACrashInPutLosesNothing) {
  expect_sound(of_recovery("put", stride_of(53), Whose::libraries), 40);
}

TEST(FailingLibraries, RecoveryFromACrashInEraseLeavesAStoreThatOpens) {
  expect_sound(of_recovery("erase", stride_of(53), Whose::libraries), 80);
}

}  // namespace
}  // namespace efface::test
