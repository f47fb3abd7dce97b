#include "efface/receipt.h"

#include <gtest/gtest.h>

#include "ledger/receipt.h"
#include "ledger/tree.h"
#include "support/file_content.h"

namespace efface::ledger {
namespace {

using efface::verify_consistency;  // Not that of the tree.
using test::filled;
using test::sample_statement;
using test::SampleLedger;
using test::signing_key;

const SampleLedger& ledger() {
  static const SampleLedger made;
  return made;
}
const std::string& sample() {
  static const std::string made = ledger().receipt().value();
  return made;
}
const std::string& verifier() {
  static const std::string made = ledger().verifier_key();
  return made;
}

std::string_view text_of_note(std::string_view note) {
  return note.substr(0, note.rfind("\n\n") + 1);
}

// The sample with a piece of its text replaced, and properly signed.
std::string forged(std::string_view piece, std::string_view by) {
  std::string text(text_of_note(sample()));
  const std::size_t at = text.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  text.replace(at, piece.size(), by);
  return sign_note(text, ledger().checkpoint().origin, signing_key());
}

Errc code_of(std::string_view receipt) {
  const auto read = verify_receipt(receipt, verifier());
  return read ? Errc{} : read.error().code();
}

std::string shown(const char* file) {
  return test::file_content(std::string(EFFACE_SOURCE_DIR "/docs/examples/receipt/") + file);
}

// docs/receipts.md checks these files.
TEST(Receipt, IsWrittenAsInTheExample) {
  EXPECT_EQ(sample(), shown("erasure.receipt"));
  EXPECT_EQ(verifier() + '\n', shown("eu-west.verifier"));
  EXPECT_EQ(sign_checkpoint(ledger().checkpoint(5), signing_key()), shown("before.checkpoint"));
  EXPECT_EQ(sign_checkpoint(ledger().checkpoint(), signing_key()), shown("after.checkpoint"));
  EXPECT_EQ(write_proof(ledger().consistency(5)), shown("consistency.proof"));
}

TEST(Receipt, SaysWhatTheEntryAndTheStatementSay) {
  const auto receipt = verify_receipt(sample(), verifier());
  ASSERT_TRUE(receipt);
  const Entry entry = test::sample_erasure();
  EXPECT_EQ(receipt->kind, ReceiptKind::erasure);
  EXPECT_EQ(receipt->entry, 6U);
  EXPECT_EQ(receipt->decided.time_since_epoch().count(), 1'767'225'600'125);
  EXPECT_EQ(receipt->tenant_number, 4U);
  EXPECT_EQ(receipt->count, 1U);
  EXPECT_EQ(receipt->epoch_before, 17U);
  EXPECT_EQ(receipt->epoch_after, 18U);
  EXPECT_EQ(receipt->root_before, entry.root_before);
  EXPECT_EQ(receipt->root_after, entry.root_after);
  EXPECT_EQ(receipt->destroyed, entry.destroyed);
  EXPECT_EQ(receipt->commitment, entry.commitment);
  EXPECT_EQ(receipt->actor, "desk");
  EXPECT_EQ(receipt->origin, ledger().checkpoint().origin);
  EXPECT_EQ(receipt->ledger_size, 11U);
  EXPECT_EQ(receipt->ledger_root, ledger().checkpoint().root);
  const Receipt stated = sample_statement();
  EXPECT_EQ(receipt->region, stated.region);
  EXPECT_EQ(receipt->tenant, stated.tenant);
  EXPECT_EQ(receipt->issued, stated.issued);
  EXPECT_EQ(receipt->assurance, stated.assurance);
  EXPECT_EQ(receipt->assurance_rests_on, stated.assurance_rests_on);
  EXPECT_EQ(receipt->replicas_confirmed, 2U);
  EXPECT_EQ(receipt->replicas, 2U);
  EXPECT_EQ(receipt->caches_wiped, 3U);
  EXPECT_EQ(receipt->caches_fenced, 1U);
  EXPECT_EQ(receipt->state, ReceiptState::quiesced);
  EXPECT_EQ(receipt->beyond_backups, stated.beyond_backups);
  EXPECT_EQ(receipt->not_covered, stated.not_covered);
}

// Signed by the region's own key, and still refused: the ledger says otherwise.
TEST(Receipt, ThatStatesOtherwiseThanItsEntryIsRefused) {
  ASSERT_EQ(code_of(forged("epoch after: 18", "epoch after: 18")), Errc{});
  const std::pair<std::string_view, std::string_view> lies[] = {
      {"what: erasure", "what: expiry"},
      {"tenant: 4 acme", "tenant: 5 acme"},
      {"decided: 2026-01-01T00:00:00.125Z", "decided: 2026-01-01T00:00:00.126Z"},
      {"count: 1", "count: 2"},
      {"count: 1\n", ""},
      {"count: 1\n", "count: 1\nday: 2026-01-01\n"},
      {"epoch before: 17", "epoch before: 16"},
      {"epoch after: 18", "epoch after: 19"},
      {"root before: 11", "root before: 12"},
      {"root after: 22", "root after: 23"},
      {"row destroyed: ", "row destroyed: 0"},
      {"commitment: ", "commitment: 0"},
      {"entry: 6 ", "entry: 7 "},
      {"entry: 6 ", "entry: 06 "},
      {"entry: 6 ", "entry: 11 "}};
  for (const auto& [truth, lie] : lies)
    EXPECT_EQ(code_of(forged(truth, lie)), Errc::corruption) << lie;
}

TEST(Receipt, ProperlySignedInAnyOtherFormIsRefused) {
  const std::pair<std::string_view, std::string_view> changes[] = {
      {"efface receipt 1\n", "efface receipt 01\n"},
      {"efface receipt 1\n", "efface receipt 0\n"},
      {"efface receipt 1\n", "efface receipt 1 \n"},
      {"efface receipt 1\n", "receipt 1\n"},
      {"efface receipt 1\n", ""},
      {"region: eu-west\n", ""},
      {"region: eu-west", "region: EU"},
      {"region: eu-west", "region:  eu-west"},
      {"region: eu-west\n", "region: eu-west\nregion: eu-west\n"},
      {"region: eu-west\n", "region: eu-west\n\n"},
      {"region: eu-west\n", "region: eu-west\nspoken: aloud\n"},
      {"tenant: 4 acme", "tenant: 4 "},
      {"tenant: 4 acme", "tenant: 4  acme"},
      {"tenant: 4 acme", "tenant: 4 Acme"},
      {"tenant: 4 acme\n", "tenant: 4 acme\npurpose: 1 sales\n"},
      {"issued: 2026", "issued: 02026"},
      {"issued: 2026-01-01T00:00:01.000Z\n", ""},
      {"assurance: L2 ", "assurance: L5 "},
      {"assurance: L2 ", "assurance: 2 "},
      {"replicas: 2 of 2", "replicas: 3 of 2"},
      {"replicas: 2 of 2", "replicas: 02 of 2"},
      {"replicas: 2 of 2", "replicas: 2 of 4294967296"},
      {"caches: 3 wiped, 1 fenced", "caches: 3 wiped"},
      {"state: quiesced", "state: gone"},
      {"state: quiesced\n", "state: quiesced \n"},
      {"beyond backups: 2026-02-01", "beyond backups: 2026-02-30"},
      {"not covered: copies that the caller made", "not covered: "},
      {"proof: ", "proof:  "}};
  for (const auto& [piece, by] : changes) {
    EXPECT_EQ(code_of(forged(piece, by)), Errc::corruption) << by;
  }
  std::string swapped(text_of_note(sample()));
  const std::string region = "region: eu-west\n";
  swapped.erase(swapped.find(region), region.size());
  swapped.insert(swapped.find("decided: "), region);
  EXPECT_EQ(code_of(sign_note(swapped, ledger().checkpoint().origin, signing_key())),
            Errc::corruption);
}

// What the statement alone says can be said otherwise by who has the key, and by nobody else.
TEST(Receipt, MayBeIssuedAgainWithALaterState) {
  const auto receipt = verify_receipt(forged("state: quiesced", "state: swept"), verifier());
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->state, ReceiptState::swept);
}

TEST(Receipt, OfALaterVersionIsToldFromADamagedOne) {
  EXPECT_EQ(code_of(forged("efface receipt 1\n", "efface receipt 2\n")), Errc::format_new);
  std::string unsigned_one = sample();
  unsigned_one.replace(unsigned_one.find("receipt 1"), 9, "receipt 2");
  EXPECT_EQ(code_of(unsigned_one), Errc::corruption);
}

TEST(Receipt, IsProvedForItsOwnPlaceOnly) {
  Receipt statement = sample_statement();
  for (std::uint64_t index = 0; index < SampleLedger::size; ++index) {
    statement.entry = index;
    const auto receipt = write_receipt(statement, ledger().entry(), ledger().inclusion(),
                                       ledger().checkpoint(), signing_key());
    EXPECT_EQ(receipt.has_value(), index == 6);
    const auto other =
        write_receipt(sample_statement(), ledger().entry(), ledger().inclusion(index),
                      ledger().checkpoint(), signing_key());
    EXPECT_EQ(other.has_value(), index == 6);
  }
}

TEST(Receipt, IsRefusedWithACheckpointThatItIsNotIn) {
  const std::string mine = sign_checkpoint(ledger().checkpoint(), signing_key());
  EXPECT_EQ(code_of(forged(mine, sign_checkpoint(ledger().checkpoint(10), signing_key()))),
            Errc::corruption);
  Checkpoint other = ledger().checkpoint();
  other.origin = origin_of(filled<16>(0xac));
  EXPECT_EQ(code_of(forged(mine, sign_checkpoint(other, signing_key()))), Errc::corruption);
  // The statement by the right key, the checkpoint by another.
  EXPECT_EQ(code_of(forged(mine, sign_checkpoint(ledger().checkpoint(), signing_key(2)))),
            Errc::corruption);
  EXPECT_EQ(code_of(forged(mine, mine)), Errc{});
}

TEST(Receipt, ByAnotherKeyIsRefused) {
  const auto receipt = verify_receipt(sample(), ledger().verifier_key(2));
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code(), Errc::corruption);
  const auto none = verify_receipt(sample(), "eu-west");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Errc::invalid_argument);
}

// One signature never serves as the other.
TEST(Receipt, IsNoCheckpointAndACheckpointNoReceipt) {
  EXPECT_FALSE(open_checkpoint(sample(), verifier()));
  EXPECT_EQ(code_of(sign_checkpoint(ledger().checkpoint(), signing_key())), Errc::corruption);
}

TEST(Receipt, IsMadeOfEveryKindThatDestroys) {
  const std::pair<Kind, ReceiptKind> kinds[] = {{Kind::erased, ReceiptKind::erasure},
                                                {Kind::consent_withdrawn, ReceiptKind::withdrawal},
                                                {Kind::expired, ReceiptKind::expiry},
                                                {Kind::suppressed, ReceiptKind::suppression},
                                                {Kind::transferred, ReceiptKind::transfer},
                                                {Kind::offboarded, ReceiptKind::offboarding},
                                                {Kind::rekeyed, ReceiptKind::rekeying},
                                                {Kind::merged, ReceiptKind::merger}};
  for (const auto& [kind, said] : kinds) {
    Entry entry{.kind = kind, .time_ms = 5, .tenant = 1};
    entry.purpose = 2;
    const SampleLedger other(entry);
    const auto receipt = other.receipt();
    ASSERT_TRUE(receipt) << name(said);
    const auto back = verify_receipt(*receipt, other.verifier_key());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->kind, said);
    EXPECT_EQ(back->purpose_number, 2);
    EXPECT_NE(receipt->find(std::string("what: ") + name(said) + '\n'), std::string::npos);
  }
  EXPECT_FALSE(SampleLedger(Entry{.kind = Kind::enrolled}).receipt());
  EXPECT_FALSE(SampleLedger(Entry{.kind = Kind::erasure_asked}).receipt());
}

TEST(Receipt, OfALittleHasFewLines) {
  Entry entry{.kind = Kind::expired, .time_ms = 5};
  entry.count = 2;
  entry.day = 20'454;
  const SampleLedger other(entry);
  Receipt statement = sample_statement();
  statement.tenant.clear();
  statement.beyond_backups.reset();
  statement.not_covered.clear();
  const auto receipt = other.receipt(statement);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->substr(0, receipt->find("entry: ")),
            "efface receipt 1\n"
            "what: expiry\n"
            "region: eu-west\n"
            "decided: 1970-01-01T00:00:00.005Z\n"
            "issued: 2026-01-01T00:00:01.000Z\n"
            "count: 2\n"
            "day: 2026-01-01\n"
            "assurance: L2 a file, overwritten in place: same extent before and after\n"
            "replicas: 2 of 2\n"
            "caches: 3 wiped, 1 fenced\n"
            "state: quiesced\n");
}

TEST(Receipt, IsNotWrittenOfWhatItCannotState) {
  const auto refused = [](auto&& change) {
    Receipt statement = sample_statement();
    change(statement);
    const auto receipt = ledger().receipt(statement);
    return !receipt && receipt.error().code() == Errc::invalid_argument;
  };
  EXPECT_FALSE(refused([](Receipt&) {}));
  EXPECT_TRUE(refused([](Receipt& r) { r.region.clear(); }));
  EXPECT_TRUE(refused([](Receipt& r) { r.tenant = "Acme Inc."; }));
  EXPECT_TRUE(refused([](Receipt& r) { r.purpose = "sales"; }));  // The entry has none.
  EXPECT_TRUE(refused([](Receipt& r) { r.replicas_confirmed = 3; }));
  EXPECT_TRUE(refused([](Receipt& r) { r.assurance_rests_on = "two\nlines"; }));
  EXPECT_TRUE(refused([](Receipt& r) { r.assurance_rests_on.clear(); }));
  EXPECT_TRUE(refused([](Receipt& r) { r.not_covered.emplace_back("\xff"); }));
  EXPECT_TRUE(refused([](Receipt& r) { r.not_covered.assign(33, "x"); }));
  EXPECT_TRUE(refused([](Receipt& r) { r.state = ReceiptState{}; }));
  EXPECT_TRUE(refused([](Receipt& r) {
    r.state = ReceiptState::beyond_backups;
    r.beyond_backups.reset();
  }));
  EXPECT_TRUE(refused([](Receipt& r) { r.issued = Receipt::Time(std::chrono::days(4'000'000)); }));
  Entry backwards = test::sample_erasure();
  backwards.epoch_after = backwards.epoch_before;
  EXPECT_FALSE(SampleLedger(backwards).receipt());
  backwards.epoch_after.reset();
  EXPECT_FALSE(SampleLedger(backwards).receipt());
  Entry far = test::sample_erasure();
  far.time_ms = UINT64_MAX;
  EXPECT_FALSE(SampleLedger(far).receipt());
}

TEST(Receipt, ShowsWhomItIsAboutToWhoHasTheSalt) {
  const Receipt receipt = verify_receipt(sample(), verifier()).value();
  EXPECT_TRUE(verify_about(receipt, test::sample_salt, "acme", test::sample_person));
  const auto code = [&](Bytes salt, std::string_view tenant, std::string_view person) {
    const Status status = verify_about(receipt, salt, tenant, person);
    return status ? Errc{} : status.error().code();
  };
  EXPECT_EQ(code(test::sample_salt, "acme", "bob@example.org"), Errc::corruption);
  EXPECT_EQ(code(test::sample_salt, "other", test::sample_person), Errc::corruption);
  EXPECT_EQ(code(filled<32>(0x5b), "acme", test::sample_person), Errc::corruption);
  EXPECT_EQ(code(filled<31>(0x5a), "acme", test::sample_person), Errc::invalid_argument);
  Receipt of_nobody = receipt;
  of_nobody.commitment.reset();
  EXPECT_FALSE(verify_about(of_nobody, test::sample_salt, "acme", test::sample_person));
}

TEST(Consistency, IsShownBetweenAnyTwoCheckpoints) {
  for (std::uint64_t before = 0; before <= SampleLedger::size; ++before)
    EXPECT_TRUE(verify_consistency(sign_checkpoint(ledger().checkpoint(before), signing_key()),
                                   sign_checkpoint(ledger().checkpoint(), signing_key()),
                                   write_proof(ledger().consistency(before)), verifier()));
}

// The ledger was rolled back and went on otherwise: every signature is right, and no proof is.
TEST(Consistency, IsNotShownOfALedgerThatWentAnotherWay) {
  Entry otherwise = test::sample_erasure();
  otherwise.count = 2;
  const SampleLedger other(otherwise);
  const std::string after = sign_checkpoint(other.checkpoint(), signing_key());
  for (std::uint64_t before = 1; before <= SampleLedger::size; ++before) {
    const std::string mine = sign_checkpoint(ledger().checkpoint(before), signing_key());
    for (const ConsistencyProof& proof : {ledger().consistency(before), other.consistency(before)})
      EXPECT_EQ(verify_consistency(mine, after, write_proof(proof), verifier()).has_value(),
                before <= 6 && proof == other.consistency(before));
  }
}

TEST(Consistency, IsNotShownBackwardsOrOfOtherSizes) {
  const std::string five = sign_checkpoint(ledger().checkpoint(5), signing_key());
  const std::string eleven = sign_checkpoint(ledger().checkpoint(), signing_key());
  EXPECT_FALSE(verify_consistency(eleven, five, write_proof({11, 5, {}}), verifier()));
  EXPECT_FALSE(verify_consistency(five, eleven, write_proof(ledger().consistency(4)), verifier()));
  EXPECT_FALSE(verify_consistency(five, eleven, write_proof(ledger().consistency(5)),
                                  ledger().verifier_key(2)));
}

TEST(Consistency, IsShownBetweenTheCheckpointsOfTwoReceipts) {
  const auto mine = checkpoint_of(sample());
  ASSERT_TRUE(mine);
  EXPECT_EQ(*mine, sign_checkpoint(ledger().checkpoint(), signing_key()));
  const std::string before = sign_checkpoint(ledger().checkpoint(3), signing_key());
  EXPECT_TRUE(verify_consistency(before, *mine, write_proof(ledger().consistency(3)), verifier()));
  EXPECT_FALSE(checkpoint_of(*mine));
  EXPECT_FALSE(checkpoint_of(""));
}

}  // namespace
}  // namespace efface::ledger
