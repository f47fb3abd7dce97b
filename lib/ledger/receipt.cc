#include "ledger/receipt.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "ledger/text.h"

namespace efface::ledger {
namespace {

constexpr std::string_view header = "efface receipt 1";
constexpr std::string_view any_header = "efface receipt ";
constexpr std::size_t proof_hashes_max = 64;
constexpr std::uint64_t time_ms_max = 253'402'300'799'999;  // The last of the year 9999.

Error unreadable() { return {Errc::corruption, "not a receipt"}; }
Error unwritable() { return {Errc::invalid_argument, "a receipt cannot state that"}; }

// One receipt in its parts: what is written, and what reading finds.
struct Parts {
  Receipt receipt;
  std::vector<std::byte> entry;
  std::vector<Hash> proof;
  std::string checkpoint;  // The note.
};

// One line of a sentence.
bool is_sentence(std::string_view text) {
  return !text.empty() && text.size() <= statement_line_bytes_max && base::is_utf8(text) &&
         std::ranges::all_of(text, [](char c) { return (c & 0xe0) != 0 && c != 0x7f; });
}

bool is_statable(const Receipt& receipt) {
  const auto named = [](const std::string& label, bool there) {
    return label.empty() || (there && base::is_label(label));
  };
  return base::is_label(receipt.region) && named(receipt.tenant, receipt.tenant_number != 0) &&
         named(receipt.purpose, receipt.purpose_number.has_value()) &&
         static_cast<std::uint8_t>(receipt.assurance) <= 4 &&
         is_sentence(receipt.assurance_rests_on) &&
         receipt.replicas_confirmed <= receipt.replicas && receipt.state >= ReceiptState::sealed &&
         receipt.state <= ReceiptState::beyond_backups &&
         (receipt.state != ReceiptState::beyond_backups || receipt.beyond_backups) &&
         receipt.not_covered.size() <= not_covered_lines_max &&
         std::ranges::all_of(receipt.not_covered, is_sentence) &&
         receipt.epoch_before.has_value() == receipt.epoch_after.has_value() &&
         (!receipt.epoch_before || *receipt.epoch_before < *receipt.epoch_after);
}

// What the entry says, into the receipt. False: no receipt is made of such an entry.
bool take_entry(const Entry& entry, Receipt& receipt) {
  const auto kind = receipt_kind(entry.kind);
  if (!kind || entry.time_ms > time_ms_max) return false;
  receipt.kind = *kind;
  receipt.decided = Receipt::Time(std::chrono::milliseconds(entry.time_ms));
  receipt.tenant_number = entry.tenant;
  receipt.purpose_number = entry.purpose;
  receipt.count = entry.count;
  receipt.day = std::nullopt;
  if (entry.day) receipt.day = std::chrono::sys_days(std::chrono::days(*entry.day));
  receipt.epoch_before = entry.epoch_before;
  receipt.epoch_after = entry.epoch_after;
  receipt.root_before = entry.root_before;
  receipt.root_after = entry.root_after;
  receipt.destroyed = entry.destroyed;
  receipt.commitment = entry.commitment;
  receipt.actor = entry.actor;
  receipt.detail = entry.detail;
  return true;
}

void take_checkpoint(const Checkpoint& checkpoint, Receipt& receipt) {
  receipt.origin = checkpoint.origin;
  receipt.ledger_size = checkpoint.size;
  receipt.ledger_root = checkpoint.root;
}

class LineWriter {
 public:
  explicit LineWriter(std::string_view first) : text_(std::string(first) + '\n') {}

  void add(std::string_view label, std::string_view value) {
    text_ += label;
    text_ += ": ";
    text_ += value;
    text_ += '\n';
  }
  void add(std::string_view label, std::uint64_t value) { add(label, std::to_string(value)); }
  void add(std::string_view label, const Hash& hash) { add(label, hex(hash)); }
  // A date that cannot be written spoils the whole.
  void add(std::string_view label, std::chrono::sys_days day) { add_if(label, text_of(day)); }
  void add(std::string_view label, Milliseconds time) { add_if(label, text_of(time)); }
  template <class T>
  void add(std::string_view label, const std::optional<T>& value) {
    if (value) add(label, *value);
  }
  void add_numbered(std::string_view label, std::uint64_t number, const std::string& name) {
    add(label, std::to_string(number) + (name.empty() ? "" : ' ' + name));
  }
  std::optional<std::string> finish() && {
    if (!whole_) return std::nullopt;
    return std::move(text_);
  }

 private:
  void add_if(std::string_view label, const std::optional<std::string>& text) {
    if (text) add(label, std::string_view(*text));
    whole_ = whole_ && text;
  }
  std::string text_;
  bool whole_ = true;
};

std::optional<std::string> written(const Parts& parts) {
  const Receipt& receipt = parts.receipt;
  LineWriter lines(header);
  lines.add("what", std::string_view(name(receipt.kind)));
  lines.add("region", std::string_view(receipt.region));
  if (receipt.tenant_number != 0)
    lines.add_numbered("tenant", receipt.tenant_number, receipt.tenant);
  if (receipt.purpose_number)
    lines.add_numbered("purpose", *receipt.purpose_number, receipt.purpose);
  lines.add("decided", receipt.decided);
  lines.add("issued", receipt.issued);
  lines.add("count", receipt.count);
  lines.add("day", receipt.day);
  lines.add("epoch before", receipt.epoch_before);
  lines.add("epoch after", receipt.epoch_after);
  lines.add("root before", receipt.root_before);
  lines.add("root after", receipt.root_after);
  lines.add("row destroyed", receipt.destroyed);
  lines.add("commitment", receipt.commitment);
  lines.add("assurance", std::string_view(std::string(efface::name(receipt.assurance)) + ' ' +
                                          receipt.assurance_rests_on));
  lines.add("replicas", std::string_view(std::to_string(receipt.replicas_confirmed) + " of " +
                                         std::to_string(receipt.replicas)));
  lines.add("caches", std::string_view(std::to_string(receipt.caches_wiped) + " wiped, " +
                                       std::to_string(receipt.caches_fenced) + " fenced"));
  lines.add("state", std::string_view(name(receipt.state)));
  lines.add("beyond backups", receipt.beyond_backups);
  for (const std::string& line : receipt.not_covered)
    lines.add("not covered", std::string_view(line));
  lines.add("entry", std::string_view(std::to_string(receipt.entry) + ' ' + base64(parts.entry)));
  for (const Hash& hash : parts.proof) lines.add("proof", std::string_view(base64(hash)));
  auto text = std::move(lines).finish();
  if (text) *text += '\n' + parts.checkpoint;
  return text;
}

// What stands before and behind the first of a separator; nothing where there is none.
struct Halves {
  std::string_view front;
  std::string_view back;
};
std::optional<Halves> cut(std::string_view text, std::string_view separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return Halves{.front = text.substr(0, at), .back = text.substr(at + separator.size())};
}

bool read_name(std::string_view value, std::string& name) {
  if (const auto halves = cut(value, " ")) name = halves->back;
  return true;
}

bool read_counts(std::string_view value, std::string_view between, std::string_view end,
                 std::uint32_t& first, std::uint32_t& second) {
  if (!value.ends_with(end)) return false;
  value.remove_suffix(end.size());
  const auto halves = cut(value, between);
  if (!halves) return false;
  const auto a = from_decimal(halves->front);
  const auto b = from_decimal(halves->back);
  constexpr std::uint64_t max = std::numeric_limits<std::uint32_t>::max();
  if (!a || !b || *a > max || *b > max) return false;
  first = static_cast<std::uint32_t>(*a);
  second = static_cast<std::uint32_t>(*b);
  return true;
}

bool read_assurance(std::string_view value, Receipt& receipt) {
  const auto halves = cut(value, " ");
  if (!halves || halves->front.size() != 2 || halves->front[0] != 'L') return false;
  const char level = halves->front[1];
  if (level < '0' || level > '4') return false;
  receipt.assurance = static_cast<AssuranceLevel>(level - '0');
  receipt.assurance_rests_on = halves->back;
  return true;
}

bool read_state(std::string_view value, ReceiptState& state) {
  for (const ReceiptState known : {ReceiptState::sealed, ReceiptState::quiesced,
                                   ReceiptState::swept, ReceiptState::beyond_backups}) {
    if (value != name(known)) continue;
    state = known;
    return true;
  }
  return false;
}

bool read_entry(std::string_view value, Parts& parts) {
  const auto halves = cut(value, " ");
  if (!halves) return false;
  const auto index = from_decimal(halves->front);
  auto bytes = from_base64(halves->back);
  if (!index || !bytes) return false;
  parts.receipt.entry = *index;
  parts.entry = std::move(*bytes);
  return true;
}

// One line of the statement. What repeats the entry is not read from it: the whole is written again
// from the entry, and has to come out the same.
bool read_line(std::string_view line, Parts& parts) {
  Receipt& receipt = parts.receipt;
  const auto halves = cut(line, ": ");
  if (!halves) return false;
  const std::string_view label = halves->front;
  const std::string_view value = halves->back;
  if (label == "region") {
    receipt.region = value;
    return true;
  }
  if (label == "tenant") return read_name(value, receipt.tenant);
  if (label == "purpose") return read_name(value, receipt.purpose);
  if (label == "issued") {
    const auto time = time_of(value);
    if (time) receipt.issued = *time;
    return time.has_value();
  }
  if (label == "assurance") return read_assurance(value, receipt);
  if (label == "replicas")
    return read_counts(value, " of ", "", receipt.replicas_confirmed, receipt.replicas);
  if (label == "caches")
    return read_counts(value, " wiped, ", " fenced", receipt.caches_wiped, receipt.caches_fenced);
  if (label == "state") return read_state(value, receipt.state);
  if (label == "beyond backups") {
    receipt.beyond_backups = day_of(value);
    return receipt.beyond_backups.has_value();
  }
  if (label == "not covered") {
    receipt.not_covered.emplace_back(value);
    return receipt.not_covered.size() <= not_covered_lines_max;
  }
  if (label == "entry") return read_entry(value, parts);
  if (label == "proof") {
    const auto hash = array_from_base64<sizeof(Hash)>(value);
    if (hash) parts.proof.push_back(*hash);
    return hash && parts.proof.size() <= proof_hashes_max;
  }
  return true;
}

// The signed text, into its parts. Whether they agree is seen by who writes them again.
Result<Parts> read_text(std::string_view text) {
  const auto first = cut(text, "\n");
  if (!first || !first->front.starts_with(any_header)) return unreadable();
  const auto version = from_decimal(first->front.substr(any_header.size()));
  if (version && *version > 1) return Error(Errc::format_new, "a receipt of a later version");
  if (first->front != header) return unreadable();
  const auto halves = cut(first->back, "\n\n");
  if (!halves) return unreadable();
  Parts parts;
  parts.checkpoint = halves->back;
  for (std::string_view left = halves->front; !left.empty();) {
    const auto line = cut(left, "\n");
    if (!read_line(line ? line->front : left, parts)) return unreadable();
    left = line ? line->back : std::string_view();
  }
  return parts;
}

}  // namespace

std::optional<ReceiptKind> receipt_kind(Kind kind) noexcept {
  switch (kind) {
    case Kind::erased:
      return ReceiptKind::erasure;
    case Kind::consent_withdrawn:
      return ReceiptKind::withdrawal;
    case Kind::expired:
      return ReceiptKind::expiry;
    case Kind::suppressed:
      return ReceiptKind::suppression;
    case Kind::transferred:
      return ReceiptKind::transfer;
    case Kind::offboarded:
      return ReceiptKind::offboarding;
    case Kind::rekeyed:
      return ReceiptKind::rekeying;
    case Kind::merged:
      return ReceiptKind::merger;
    default:
      return std::nullopt;
  }
}

Result<std::string> write_receipt(const Receipt& statement, Bytes entry,
                                  std::span<const Hash> proof, const Checkpoint& checkpoint,
                                  const crypto::SigningKey& key) {
  EFFACE_ASSIGN(const Entry decoded, decode(entry));
  Parts parts{.receipt = statement,
              .entry = {entry.begin(), entry.end()},
              .proof = {proof.begin(), proof.end()},
              .checkpoint = sign_checkpoint(checkpoint, key)};
  take_checkpoint(checkpoint, parts.receipt);
  if (!take_entry(decoded, parts.receipt) || !is_statable(parts.receipt)) return unwritable();
  const auto text = written(parts);
  if (!text) return unwritable();
  std::string receipt = sign_note(*text, checkpoint.origin, key);
  // A receipt that its reader refuses is worse than none.
  if (!read_receipt(receipt, verifier_key(checkpoint.origin, key.verifying_key())))
    return unwritable();
  return receipt;
}

Result<Receipt> read_receipt(std::string_view receipt, std::string_view verifier_key) {
  if (receipt.size() > receipt_bytes_max) return unreadable();
  EFFACE_ASSIGN(const OpenNote note, open_note(receipt, verifier_key));
  EFFACE_ASSIGN(Parts parts, read_text(note.text));
  EFFACE_ASSIGN(const Checkpoint checkpoint, open_checkpoint(parts.checkpoint, verifier_key));
  EFFACE_ASSIGN(const Entry entry, decode(parts.entry));
  take_checkpoint(checkpoint, parts.receipt);
  if (!take_entry(entry, parts.receipt) || !is_statable(parts.receipt)) return unreadable();
  if (written(parts) != note.text)
    return Error(Errc::corruption, "a receipt states otherwise than its entry");
  if (parts.receipt.entry >= checkpoint.size) return unreadable();
  EFFACE_TRY(verify_inclusion(parts.receipt.entry, checkpoint.size, leaf_hash(parts.entry),
                              parts.proof, checkpoint.root));
  return std::move(parts.receipt);
}

}  // namespace efface::ledger
