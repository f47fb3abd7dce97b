// Receipts: any bytes are refused; and what the region's own key would sign is judged again behind
// the signature.
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "crypto/secret.h"
#include "input.h"
#include "ledger/tree.h"

namespace efface::fuzz {
namespace {

struct Sample {
  explicit Sample(const ledger::Entry& seventh = test::sample_erasure()) : ledger(seventh) {
    if (!ledger.receipt()) return;  // Of an entry that has none.
    const std::string receipt = ledger.receipt().value();
    text = receipt.substr(0, receipt.rfind("\n\n") + 1);
    key = ledger.verifier_key();
    before = ledger::sign_checkpoint(ledger.checkpoint(5), test::signing_key());
    after = ledger::sign_checkpoint(ledger.checkpoint(), test::signing_key());
    proof = ledger::write_proof(ledger.consistency(5));
    EFFACE_CHECK(verify_consistency(before, after, proof, key).has_value());
  }
  test::SampleLedger ledger;
  std::string text;  // Without its signature.
  std::string key;
  std::string before, after, proof;  // That the ledger only grew.
};

bool may_stand_in_a_note(std::string_view text) {
  for (const char c : text)
    if (c != '\n' && (c < ' ' || c > '~')) return false;
  return true;
}

void look_at(const Result<Receipt>& receipt, std::string_view text) {
  if (!receipt) return;
  touch(as_bytes(receipt->region));
  touch(as_bytes(receipt->assurance_rests_on));
  for (const std::string& line : receipt->not_covered) touch(as_bytes(line));
  touch(as_bytes(std::string_view(name(receipt->kind))));
  touch(as_bytes(std::string_view(name(receipt->state))));
  const bool about =
      verify_about(*receipt, test::sample_salt, test::sample_tenant, test::sample_person)
          .has_value();
  EFFACE_CHECK(about == receipt->commitment.has_value() || !authentic);
  EFFACE_CHECK(checkpoint_of(text).has_value());
}

// A piece of the sample's text is replaced by what was chosen, and the whole is signed.
void verify_forged(const Sample& sample, Input& input) {
  const std::size_t begin = input.number<std::uint16_t>() % sample.text.size();
  const std::size_t size = input.byte();
  const std::string piece(as_text(input.rest()));
  if (!may_stand_in_a_note(piece)) return;
  std::string text = sample.text;
  text.replace(begin, std::min(size, text.size() - 1 - begin), piece);
  // The em dash of the checkpoint may have been cut in two.
  while (!text.empty() && !text.ends_with('\n')) text += '\n';
  const std::size_t dash = text.find('\xe2');
  const bool whole = dash != std::string::npos && text.compare(dash, 3, "\xe2\x80\x94") == 0 &&
                     text.find('\x80') == dash + 1 && text.find('\x94') == dash + 2;
  if (!whole) return;
  const std::string receipt =
      ledger::sign_note(text, sample.ledger.checkpoint().origin, test::signing_key());
  look_at(verify_receipt(receipt, sample.key), receipt);
}

// Of a ledger whose seventh entry is of that kind.
const Sample& sample_of(std::uint8_t kind) {
  constexpr auto kinds = static_cast<std::size_t>(ledger::Kind::swept);
  static std::array<std::unique_ptr<const Sample>, kinds> samples;
  auto& sample = samples[kind % kinds];
  if (sample == nullptr) {
    auto entry = test::sample_erasure();
    entry.kind = static_cast<ledger::Kind>(1 + kind % kinds);
    if (entry.kind == ledger::Kind::consent_withdrawn) entry.purpose = std::uint16_t{3};
    if (entry.kind == ledger::Kind::expired) entry.day = 20'000u;
    sample = std::make_unique<Sample>(entry);
  }
  return *sample;
}

// A statement with whatever texts and numbers is refused, or read back as it is.
void write_any(Input& input) {
  const Sample& sample = sample_of(input.byte());
  Receipt statement = test::sample_statement();
  statement.state = static_cast<ReceiptState>(input.byte());
  statement.assurance = static_cast<AssuranceLevel>(input.below(6));
  statement.replicas = input.number<std::uint32_t>();
  statement.replicas_confirmed = input.number<std::uint32_t>();
  statement.issued = Receipt::Time(std::chrono::milliseconds(input.number<std::uint32_t>()));
  statement.assurance_rests_on = as_text(input.take(input.byte()));
  statement.not_covered = {std::string(as_text(input.rest()))};
  const auto receipt = sample.ledger.receipt(statement);
  if (!receipt) return;
  const auto read = verify_receipt(*receipt, sample.ledger.verifier_key());
  look_at(read, *receipt);
  EFFACE_CHECK(read && read->assurance_rests_on == statement.assurance_rests_on);
  EFFACE_CHECK(read->not_covered == statement.not_covered && read->replicas == statement.replicas);
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  EFFACE_CHECK(crypto::initialise().has_value());
  static const fuzz::Sample sample;
  fuzz::Input input(data, size);
  switch (input.below(3)) {
    case 0: {
      const auto receipt = fuzz::owned(input.rest());
      const auto read = verify_receipt(as_text(receipt.bytes()), sample.key);
      EFFACE_CHECK(!fuzz::authentic || !read ||
                   fuzz::same(receipt.bytes(), as_bytes(sample.ledger.receipt().value())));
      fuzz::look_at(read, as_text(receipt.bytes()));
      static_cast<void>(checkpoint_of(as_text(receipt.bytes())));
      const auto grown =
          verify_consistency(sample.before, sample.after, as_text(receipt.bytes()), sample.key);
      EFFACE_CHECK(!grown || fuzz::same(receipt.bytes(), as_bytes(sample.proof)));
      break;
    }
    case 1:
      fuzz::verify_forged(sample, input);
      break;
    default:
      fuzz::write_any(input);
  }
  return 0;
}
