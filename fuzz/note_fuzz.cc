// Signed notes, checkpoints and proofs as text: any bytes are refused, what is signed comes back,
// and with one bit changed it does not.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "crypto/secret.h"
#include "input.h"
#include "ledger/note.h"

namespace efface::fuzz {
namespace {

constexpr std::string_view origin = "efface/abababababababababababababababab";

const crypto::SigningKey& signing_key() {
  static const crypto::SigningKey key = [] {
    EFFACE_CHECK(crypto::initialise().has_value());
    return crypto::SigningKey::of(crypto::SecretKey::zeroed());
  }();
  return key;
}
const std::string& verifier() {
  static const std::string text = ledger::verifier_key(origin, signing_key().verifying_key());
  return text;
}

// Bytes that may stand in a note, whatever was chosen.
std::string text_of(Bytes bytes) {
  std::string text(as_text(bytes));
  for (char& c : text)
    if (c != '\n' && (c < ' ' || c > '~')) c = '\n';
  return text + '\n';
}

void open_any(Bytes bytes) {
  const auto note = owned(bytes);
  const auto open = ledger::open_note(as_text(note.bytes()), verifier());
  const auto checkpoint = ledger::open_checkpoint(as_text(note.bytes()), verifier());
  EFFACE_CHECK(!authentic || (!open && !checkpoint));
  if (open) touch(as_bytes(open->text));
}

void open_with_any_key(Bytes bytes) {
  const auto key = owned(bytes);
  const std::string note = ledger::sign_note("text\n", origin, signing_key());
  const auto open = ledger::open_note(note, as_text(key.bytes()));
  EFFACE_CHECK(!authentic || !open || as_text(key.bytes()) == verifier());
}

void round_trip(Input& input) {
  const std::size_t spot = input.number<std::uint32_t>();
  const std::string text = text_of(input.rest());
  std::string note = ledger::sign_note(text, origin, signing_key());
  const auto open = ledger::open_note(note, verifier());
  EFFACE_CHECK(open && open->text == text);
  if (const auto checkpoint = ledger::open_checkpoint(note, verifier()))
    EFFACE_CHECK(ledger::sign_checkpoint(*checkpoint, signing_key()) == note);
  char& changed = note[spot / 8 % note.size()];
  changed = static_cast<char>(changed ^ (1 << (spot % 8)));
  const auto forged = ledger::open_note(note, verifier());
  EFFACE_CHECK(!authentic || !forged);
}

void read_proof(Bytes bytes) {
  const auto text = owned(bytes);
  if (const auto proof = ledger::read_proof(as_text(text.bytes())))
    EFFACE_CHECK(ledger::write_proof(*proof) == as_text(text.bytes()));
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  fuzz::Input input(data, size);
  switch (input.below(4)) {
    case 0:
      fuzz::open_any(input.rest());
      break;
    case 1:
      fuzz::open_with_any_key(input.rest());
      break;
    case 2:
      fuzz::round_trip(input);
      break;
    default:
      fuzz::read_proof(input.rest());
  }
  return 0;
}
