// Calls of the system and of the libraries fail when something is done to a store that a crash left
// half way, that others have changed meanwhile, or whose files are not as they were.
#include <gtest/gtest.h>

#include "faults/sweep.h"

namespace efface::test {
namespace {

// Few of the mishaps in the normal run: there are many such states.
void expect_sound_both(std::initializer_list<std::string_view> names, std::size_t injections_min) {
  Sweep all = of_operations(names, stride_of(61), Whose::libraries);
  all += of_operations(names, stride_of(127, 7));
  expect_sound(all, injections_min);
}

TEST(FailingAmongSeveral, RecordsOfSeveralPeopleAreThereOrNot) {
  expect_sound_both({"get_of_several", "scan_of_several", "export_of_several", "put_over_several",
                     "shred_beside_several", "maintain_of_several"},
                    50);
}

TEST(FailingQuestions, OfTheLedgerAndOfIncidentsChangeNothing) {
  expect_sound_both({"verifier_key", "consistency_proof", "each_decision", "each_concerned",
                     "notification", "count"},
                    10);
}

TEST(FailingQuestions, OfOldCopiesChangeNothing) { expect_sound_both({"forensics"}, 35); }

TEST(FailingAfterACrash, InTransferOrMergeSheIsFoundOrErased) {
  expect_sound_both(
      {"find_after_transfer_40", "find_after_transfer_60", "find_after_transfer_75",
       "find_after_transfer_90", "find_after_merge_30", "find_after_merge_50",
       "find_after_merge_70", "erase_by_id_after_transfer_60", "erase_by_id_after_merge_50"},
      30);
}

TEST(FailingAfterACrash, InReKeyingItIsReadAndWritten) {
  expect_sound_both(
      {"get_after_shred_40", "scan_after_shred_40", "put_after_shred_40", "update_after_shred_40",
       "remove_after_shred_40", "put_shared_after_shred_40", "export_json_after_shred_40",
       "exposure_after_shred_40", "get_after_shred_60", "scan_after_shred_60", "put_after_shred_60",
       "update_after_shred_60", "remove_after_shred_60", "put_shared_after_shred_60",
       "export_json_after_shred_60", "exposure_after_shred_60"},
      45);
}

TEST(FailingAfterACrash, InReKeyingItIsBroughtToItsEnd) {
  expect_sound_both({"shred_after_shred_40", "shred_after_shred_60", "maintain_after_shred_40",
                     "maintain_after_shred_60"},
                    60);
}

TEST(FailingBesideOthers, WhatTheyCommittedIsSeen) {
  expect_sound_both({"get_after_others_suppress", "scan_after_others_suppress",
                     "put_after_others_suppress", "enrol_after_others_suppress",
                     "erase_after_others_suppress", "restrict_after_others_suppress",
                     "put_after_others_object", "declare_purpose_after_others_declare_tenant"},
                    50);
}

// Of every operation, in a store that processes share: somebody else has a lock, or all readers'
// places.
Sweep of_every_shared(Operation::Kind kind, std::size_t stride) {
  Sweep all;
  for (Operation one : operations()) {
    if (one.kind != kind || one.manner != Manner::alone || one.before || one.name == "migrate_root")
      continue;
    one.manner = Manner::shared;
    one.name += "_shared";
    all += of_operation(one, stride, Whose::locks);
  }
  return all;
}

TEST(FailingBesideOthers, WhoHaveALockReadsAreBusyOrDone) {
  expect_sound(of_every_shared(Operation::Kind::reads, stride_of(61, 3)), 20);
}

TEST(FailingBesideOthers, WhoHaveALockWritesAreBusyOrDone) {
  expect_sound(of_every_shared(Operation::Kind::writes, stride_of(61, 3)), 5);
}

TEST(FailingBesideOthers, WhoHaveALockDecisionsAreBusyOrDone) {
  expect_sound(of_every_shared(Operation::Kind::decides, stride_of(61, 3)), 50);
}

TEST(FailingBesideOthers, WhoHaveALockErasuresAreBusyOrDone) {
  expect_sound(of_every_shared(Operation::Kind::destroys, stride_of(61, 3)), 50);
}

TEST(FailingBesideOthers, ATransferLeavesAPersonWhole) {
  expect_sound_both({"transfer_after_others_suppress"}, 35);
}

TEST(FailingOpening, WithAnotherCopyOfTheLedgerLosesNobody) {
  expect_sound_both({"open_without_copy", "open_with_a_copy_cut", "open_with_a_copy_too_long"}, 30);
}

}  // namespace
}  // namespace efface::test
