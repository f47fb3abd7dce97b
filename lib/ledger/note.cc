#include "ledger/note.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/utf8.h"
#include "crypto/sha256.h"
#include "ledger/text.h"

namespace efface::ledger {
namespace {

constexpr std::string_view em_dash = "\xe2\x80\x94";
constexpr std::string_view origin_prefix = "efface/";
constexpr std::string_view proof_header = "efface consistency 1";
constexpr std::byte newline[] = {std::byte{0x0a}};
constexpr std::byte ed25519[] = {std::byte{0x01}};
constexpr std::size_t name_bytes_max = 128;
constexpr std::size_t key_id_bytes = 4;
constexpr std::size_t path_hashes_max = 128;  // A tree of 2^64 leaves needs fewer.

using KeyId = std::array<std::byte, key_id_bytes>;

Error unverified() { return {Errc::corruption, "a signed note does not verify"}; }
Error no_proof() { return {Errc::corruption, "not a proof of consistency"}; }

KeyId key_id(std::string_view name, const crypto::VerifyingKey& key) {
  const Hash hash = crypto::sha256({as_bytes(name), newline, ed25519, key});
  KeyId id;
  std::copy_n(hash.begin(), id.size(), id.begin());
  return id;
}

std::string encoded(Bytes front, Bytes back) {
  std::vector<std::byte> bytes(front.begin(), front.end());
  bytes.insert(bytes.end(), back.begin(), back.end());
  return base64(bytes);
}

struct Verifier {
  std::string_view name;
  crypto::VerifyingKey key;
  KeyId id;
};

std::optional<Verifier> read_verifier(std::string_view text) {
  const std::size_t name_end = text.find('+');
  if (name_end == std::string_view::npos) return std::nullopt;
  Verifier verifier{.name = text.substr(0, name_end), .key = {}, .id = {}};
  text.remove_prefix(name_end + 1);
  if (!is_key_name(verifier.name) || text.size() <= 2 * key_id_bytes ||
      text[2 * key_id_bytes] != '+')
    return std::nullopt;
  if (!read_hex(text.substr(0, 2 * key_id_bytes), verifier.id)) return std::nullopt;
  const auto key = array_from_base64<33>(text.substr(2 * key_id_bytes + 1));
  if (!key || key->front() != ed25519[0]) return std::nullopt;
  std::copy(key->begin() + 1, key->end(), verifier.key.begin());
  if (verifier.id != key_id(verifier.name, verifier.key)) return std::nullopt;
  return verifier;
}

bool is_text(std::string_view text) {
  return text.ends_with('\n') && base::is_utf8(text) &&
         std::ranges::all_of(text, [](char c) { return c == '\n' || (c & 0xe0) != 0; });
}

bool is_origin(std::string_view text) {
  Id16 region;
  return text.starts_with(origin_prefix) && read_hex(text.substr(origin_prefix.size()), region);
}

// The next line without its newline; nothing where there is none.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

bool is_key_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= name_bytes_max &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != '+'; });
}

std::string verifier_key(std::string_view name, const crypto::VerifyingKey& key) {
  EFFACE_CHECK(is_key_name(name));
  return std::string(name) + '+' + hex(key_id(name, key)) + '+' + encoded(ed25519, key);
}

std::string sign_note(std::string_view text, std::string_view name, const crypto::SigningKey& key) {
  EFFACE_CHECK(is_key_name(name));
  EFFACE_CHECK(is_text(text));
  const crypto::Signature signature = key.sign(as_bytes(text));
  std::string note(text);
  note += '\n';
  note += em_dash;
  note += ' ';
  note += name;
  note += ' ';
  note += encoded(key_id(name, key.verifying_key()), signature);
  note += '\n';
  return note;
}

Result<OpenNote> open_note(std::string_view note, std::string_view verifier_text) {
  const auto verifier = read_verifier(verifier_text);
  if (!verifier) return Error(Errc::invalid_argument, "not a verifier key");
  // The last empty line is the one before the signature: texts may have others.
  const std::size_t text_end = note.rfind("\n\n");
  if (text_end == std::string_view::npos) return unverified();
  const std::string_view text = note.substr(0, text_end + 1);
  std::string_view rest = note.substr(text_end + 2);
  const auto line = take_line(rest);
  if (!line || !rest.empty()) return unverified();
  std::string lead(em_dash);
  lead += ' ';
  lead += verifier->name;
  lead += ' ';
  if (!line->starts_with(lead) || !is_text(text)) return unverified();
  const auto bytes =
      array_from_base64<key_id_bytes + sizeof(crypto::Signature)>(line->substr(lead.size()));
  if (!bytes || !std::equal(verifier->id.begin(), verifier->id.end(), bytes->begin()))
    return unverified();
  crypto::Signature signature;
  std::copy(bytes->begin() + key_id_bytes, bytes->end(), signature.begin());
  if (!crypto::verifies(verifier->key, as_bytes(text), signature)) return unverified();
  return OpenNote{.text = text, .name = verifier->name};
}

std::string origin_of(const Id16& region) { return std::string(origin_prefix) + hex(region); }

std::string sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key) {
  EFFACE_CHECK(is_origin(checkpoint.origin));
  const std::string text = checkpoint.origin + '\n' + std::to_string(checkpoint.size) + '\n' +
                           base64(checkpoint.root) + '\n';
  return sign_note(text, checkpoint.origin, key);
}

namespace {

Result<Checkpoint> read_checkpoint(std::string_view text) {
  const auto origin = take_line(text);
  const auto size = take_line(text);
  const auto root = take_line(text);
  if (!origin || !size || !root || !text.empty())
    return Error(Errc::corruption, "not a checkpoint of a ledger");
  const auto leaves = from_decimal(*size);
  const auto hash = array_from_base64<sizeof(Hash)>(*root);
  if (!is_origin(*origin) || !leaves || !hash)
    return Error(Errc::corruption, "not a checkpoint of a ledger");
  return Checkpoint{.origin = std::string(*origin), .size = *leaves, .root = *hash};
}

}  // namespace

Result<Checkpoint> open_checkpoint(std::string_view note, std::string_view verifier_text) {
  EFFACE_ASSIGN(const OpenNote open, open_note(note, verifier_text));
  EFFACE_ASSIGN(Checkpoint checkpoint, read_checkpoint(open.text));
  if (checkpoint.origin != open.name)
    return Error(Errc::corruption, "not a checkpoint of a ledger");
  return checkpoint;
}

Result<Checkpoint> trusted_checkpoint(std::string_view note) {
  return read_checkpoint(note.substr(0, note.find("\n\n") + 1));
}

std::string write_proof(const ConsistencyProof& proof) {
  std::string text(proof_header);
  text += "\nbefore: " + std::to_string(proof.before);
  text += "\nafter: " + std::to_string(proof.after) + '\n';
  for (const Hash& hash : proof.hashes) text += base64(hash) + '\n';
  return text;
}

Result<ConsistencyProof> read_proof(std::string_view text) {
  const std::string_view whole = text;
  const auto field = [&](std::string_view label) -> std::optional<std::uint64_t> {
    const auto line = take_line(text);
    if (!line || !line->starts_with(label)) return std::nullopt;
    return from_decimal(line->substr(label.size()));
  };
  if (take_line(text) != proof_header) return no_proof();
  const auto before = field("before: ");
  const auto after = field("after: ");
  if (!before || !after) return no_proof();
  ConsistencyProof proof{.before = *before, .after = *after, .hashes = {}};
  while (!text.empty()) {
    const auto line = take_line(text);
    const auto hash = line ? array_from_base64<sizeof(Hash)>(*line) : std::nullopt;
    if (!hash || proof.hashes.size() == path_hashes_max) return no_proof();
    proof.hashes.push_back(*hash);
  }
  if (write_proof(proof) != whole) return no_proof();  // There is one way to write it.
  return proof;
}

}  // namespace efface::ledger
