// ledger/note.h -- signed texts: notes, the checkpoints of a ledger, and proofs between two of
// them, as text.
//
// Shape   docs/format/ledger.md. A note is a text that ends in a newline, an empty line and one
//         signature line: "<em dash> <name> <base64 of key id 4 | signature 64>". A verifier key is
//         "<name>+<key id in hex>+<base64 of 1 | public key 32>". There is one way to write each.
//         A note with further signatures is not read: what nobody checks, anybody may change.
// Errors  corruption: does not verify, or is not such a text. invalid_argument: the verifier key is
//         none.
// Source  https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "crypto/sign.h"
#include "efface/result.h"
#include "ledger/merkle.h"

namespace efface::ledger {

// Visible ASCII without "+", 1 to 128 bytes.
bool is_key_name(std::string_view name) noexcept;
std::string verifier_key(std::string_view name, const crypto::VerifyingKey& key);

// The text ends in a newline and is UTF-8 without other control characters.
std::string sign_note(std::string_view text, std::string_view name, const crypto::SigningKey& key);

struct OpenNote {
  std::string_view text;  // Of the note: with its last newline.
  std::string_view name;  // Of the verifier key.
};
Result<OpenNote> open_note(std::string_view note EFFACE_BORROWED,
                           std::string_view verifier_key EFFACE_BORROWED);

// What a ledger is called: "efface/" and its region's id in hex. Also the name of its key.
std::string origin_of(const Id16& region);

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};
std::string sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key);
// Of the origin that is the key's name, and no other.
Result<Checkpoint> open_checkpoint(std::string_view note, std::string_view verifier_key);

// Of a checkpoint that is trusted as it is, its signature unlooked at: one that was kept.
Result<Checkpoint> trusted_checkpoint(std::string_view note);

// That the ledger of the larger size begins as the smaller one.
struct ConsistencyProof {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::vector<Hash> hashes;
  friend bool operator==(const ConsistencyProof&, const ConsistencyProof&) = default;
};
std::string write_proof(const ConsistencyProof& proof);
Result<ConsistencyProof> read_proof(std::string_view text);

}  // namespace efface::ledger
