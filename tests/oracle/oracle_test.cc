// The disclosure oracle over a long history: from all bytes ever written, and from what is live
// at the end, everything of the living opens and nothing of the erased.
#include <gtest/gtest.h>

#include <iostream>

#include "oracle/account.h"

namespace disclosure {
namespace {

std::uint64_t number(const char* what) { return Account::given()[what]; }

TEST(Disclosure, IsJudgedOverTenThousandOperations) {
  EXPECT_EQ(number("operations"), 10'000u);
  EXPECT_GT(number("people_erased"), 1'000u);
  EXPECT_GE(number("levels"), 2u) << "no tree grew tall";
  std::cout << Account::given().text();
}

TEST(Disclosure, NoErasedKeyIsReachedFromAllBytesEverWritten) {
  EXPECT_EQ(number("erased_keys_reached"), 0u) << Account::given().text();
  EXPECT_EQ(number("erased_handles_reached"), 0u);
  EXPECT_GT(number("keys_erased"), 1'000u);
}

// Its pages are among those that are searched; "images_not_recorded" counts it too.
TEST(Disclosure, IsJudgedOverAMirrorOfTheKeyringAsWell) {
  EXPECT_GT(number("mirror_writes"), 1'000u);
}

TEST(Disclosure, NoRecordOfTheErasedOpens) {
  EXPECT_EQ(number("erased_records_opened"), 0u);
  EXPECT_EQ(number("erased_values_opened"), 0u);
  EXPECT_EQ(number("erased_terms_opened"), 0u);
}

TEST(Disclosure, NoMembershipTestForTheErased) {
  EXPECT_EQ(number("erased_told"), 0u);
  EXPECT_EQ(number("tags_in_clear"), 0u);
}

TEST(Disclosure, NothingThatWasOnFileAboutTheErasedOpens) {
  EXPECT_EQ(number("erased_files_opened"), 0u);
  EXPECT_EQ(number("erased_notes_opened"), 0u);
}

TEST(Disclosure, D3NothingCollectedOnAWithdrawnConsentOpens) {
  EXPECT_EQ(number("withdrawn_reached"), 0u);
  EXPECT_GT(number("withdrawn"), 100u);
}

TEST(Disclosure, D3NothingOfAnExpiredDayOpens) {
  EXPECT_EQ(number("expired_reached"), 0u);
  EXPECT_GT(number("expired"), 1'000u);
}

TEST(Disclosure, D4NothingOverwrittenOrRemovedOpensOnceItsScopeIsReKeyed) {
  EXPECT_EQ(number("rekeyed_reached"), 0u);
  EXPECT_GT(number("rekeyed"), 500u);
}

TEST(Disclosure, D4WhatIsOverwrittenOrRemovedOpensUntilThen) {
  EXPECT_GT(number("residue_opened"), 0u);
}

TEST(Disclosure, NothingOpensThatOnlyAReleasedHoldKept) {
  EXPECT_EQ(number("released_reached"), 0u);
  EXPECT_GT(number("released"), 100u);
}

TEST(Disclosure, NothingOfTheTransferredOpensAtTheSource) {
  EXPECT_EQ(number("transferred_reached"), 0u);
  EXPECT_GT(number("transferred"), 100u);
}

TEST(Disclosure, NoKeyOpensOfWhoWasMergedIntoAnother) {
  EXPECT_EQ(number("merged_reached"), 0u);
  EXPECT_GT(number("merged"), 100u);
}

TEST(Disclosure, TheSuppressedAreKnownByTheirTombstonesUntilTheyAreReinstated) {
  EXPECT_EQ(number("tombstones_missed"), 0u);
  EXPECT_GT(number("tombstones"), 0u);
  EXPECT_EQ(number("reinstated_reached"), 0u);
  EXPECT_GT(number("reinstated"), 50u);
}

TEST(Disclosure, EveryFileOfTheLivingOpens) {
  EXPECT_EQ(number("living_notes_missed"), 0u);
  EXPECT_GT(number("notes_living"), 0u);
}

TEST(Disclosure, EveryLivingKeyIsReached) {
  EXPECT_EQ(number("living_keys_missed"), 0u);
  EXPECT_EQ(number("living_people_missed"), 0u);
  EXPECT_GT(number("keys_living"), 1'000u);
}

TEST(Disclosure, EveryRecordOfTheLivingOpens) {
  EXPECT_EQ(number("living_values_missed"), 0u);
  EXPECT_GT(number("people_living"), 100u);
}

// Had the oracle never opened an image that is not the newest, nothing above would show anything.
TEST(Disclosure, OldImagesOfTheLivingOpen) { EXPECT_GT(number("superseded_nodes_opened"), 0u); }

TEST(Disclosure, WithTheRootKeysLastDestroyedTheErasedAreFoundAgain) {
  EXPECT_GT(number("control_keys_reached"), 0u);
  EXPECT_GT(number("control_values_opened"), 0u);
  EXPECT_GT(number("control_told"), 0u);
}

TEST(Disclosure, NoIdNameOrValueIsEverWrittenInClear) {
  EXPECT_EQ(number("writes_with_plaintext"), 0u);
}

TEST(Recorder, HasSeenEveryImageThatIsInTheFilesAtTheEnd) {
  EXPECT_EQ(number("images_not_recorded"), 0u);
  EXPECT_GT(number("node_images"), 10'000u);
}

}  // namespace
}  // namespace disclosure
