// Every single bit of what is signed, or proves something, changed: a signature is looked at for
// nearly each of them, so this takes a second.
#include <gtest/gtest.h>

#include "efface/receipt.h"
#include "ledger/receipt.h"
#include "ledger/tree.h"

namespace efface::ledger {
namespace {

using efface::verify_consistency;  // Not that of the tree.
using test::SampleLedger;
using test::signing_key;

template <class F>
void expect_refused(const std::string& whole, F&& code_of) {
  ASSERT_EQ(code_of(whole), Errc{});
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(code_of(changed), Errc::corruption) << "bit " << bit;
  }
  for (std::size_t size = 0; size < whole.size(); ++size)
    ASSERT_EQ(code_of(whole.substr(0, size)), Errc::corruption) << "size " << size;
  for (const std::string& more : {std::string("\n"), std::string("\0", 1), whole})
    ASSERT_EQ(code_of(whole + more), Errc::corruption);
}

template <class T>
Errc code(const Result<T>& result) {
  return result ? Errc{} : result.error().code();
}

TEST(Receipt, WithAnyBitChangedOrCutOrLongerIsRefused) {
  const SampleLedger ledger;
  const std::string key = ledger.verifier_key();
  expect_refused(ledger.receipt().value(),
                 [&](const std::string& receipt) { return code(verify_receipt(receipt, key)); });
}

TEST(Checkpoint, WithAnyBitChangedOrCutOrLongerIsRefused) {
  const SampleLedger ledger;
  const std::string key = ledger.verifier_key();
  expect_refused(sign_checkpoint(ledger.checkpoint(), signing_key()),
                 [&](const std::string& note) { return code(open_checkpoint(note, key)); });
}

TEST(Consistency, WithAnyBitOfAnyPartChangedOrCutOrLongerIsRefused) {
  const SampleLedger ledger;
  const std::string key = ledger.verifier_key();
  const std::string before = sign_checkpoint(ledger.checkpoint(5), signing_key());
  const std::string after = sign_checkpoint(ledger.checkpoint(), signing_key());
  const std::string proof = write_proof(ledger.consistency(5));
  expect_refused(before, [&](const std::string& changed) {
    return code(verify_consistency(changed, after, proof, key));
  });
  expect_refused(after, [&](const std::string& changed) {
    return code(verify_consistency(before, changed, proof, key));
  });
  expect_refused(proof, [&](const std::string& changed) {
    return code(verify_consistency(before, after, changed, key));
  });
}

// Beneath the signature: the statement is signed anew, and what it embeds is seen to be changed.
TEST(Receipt, SignedAnewWithAnyBitOfEntryProofOrCheckpointChangedIsRefused) {
  const SampleLedger ledger;
  const std::string key = ledger.verifier_key();
  const std::string receipt = ledger.receipt().value();
  const std::string text = receipt.substr(0, receipt.rfind("\n\n") + 1);
  for (std::size_t bit = 8 * text.find("entry: "); bit < 8 * text.size(); bit += 5) {
    std::string changed = text;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto is_control = [](char c) { return c != '\n' && c >= 0 && c < ' '; };
    if (changed[bit / 8] < 0 || text[bit / 8] < 0 || is_control(changed[bit / 8])) continue;
    ASSERT_FALSE(verify_receipt(sign_note(changed, ledger.checkpoint().origin, signing_key()), key))
        << "bit " << bit;
  }
}

}  // namespace
}  // namespace efface::ledger
