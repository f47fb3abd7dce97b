#include "tools/journal.h"

#include <algorithm>
#include <span>
#include <sstream>

#include "efface/portability.h"
#include "efface/receipt.h"
#include "tools/output.h"
#include "tools/text.h"

namespace efface::cli {
namespace {

constexpr int journal_version = 1;

Failure no_journal() { return refused(Errc::corruption, "the file of --journal is no journal"); }

// Of a JSON object that may be anything. Errors: corruption.
const Json& member(const Json& object, const char* name) {
  if (!object.is_object() || !object.contains(name)) throw no_journal();
  return object[name];
}
std::uint64_t number(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_number_unsigned()) throw no_journal();
  return value.get<std::uint64_t>();
}
std::string text(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_string()) throw no_journal();
  return value.get<std::string>();
}
std::array<std::byte, 32> bytes32(const Json& object, const char* name) {
  const std::string digits = text(object, name);
  std::array<std::byte, 32> bytes{};
  if (digits.size() != 2 * bytes.size()) throw no_journal();
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t value = std::string_view("0123456789abcdef").find(digits[i]);
    if (value == std::string_view::npos) throw no_journal();
    bytes[i / 2] = bytes[i / 2] << 4 | static_cast<std::byte>(value);
  }
  return bytes;
}

JournalDone done_of(const Json& object) {
  return {number(object, "line"), number(object, "erased"), number(object, "unknown"),
          number(object, "held"), number(object, "shared")};
}

JournalTrying trying_of(const Json& object) {
  JournalTrying chunk{.line_last = number(object, "line_last"),
                      .salt = bytes32(object, "salt"),
                      .ledgers = {},
                      .tickets_bytes = {}};
  const Json& ledgers = member(object, "ledgers");
  if (!ledgers.is_array()) throw no_journal();
  for (const Json& ledger : ledgers)
    chunk.ledgers.emplace_back(text(ledger, "region"), number(ledger, "entries"));
  if (object.contains("tickets_bytes")) chunk.tickets_bytes = number(object, "tickets_bytes");
  return chunk;
}

}  // namespace

// Of the library's own: a secret key that nothing is ever sealed to.
std::array<std::byte, 32> random_bytes() {
  std::array<std::byte, 32> bytes{};
  const RecipientKeyPair keys = take(RecipientKeyPair::generate());
  take(keys.with_secret([&](std::span<const std::byte, 32> secret) {
    std::copy(secret.begin(), secret.end(), bytes.begin());
  }));
  return bytes;
}

Journal::Journal(const std::string& path, const IdList& list, const std::string& where)
    : file_(path, "the journal") {
  if (!file_.lock()) throw refused(Errc::busy, "another run has this journal");
  const bool anew = !read();
  if (anew) key_ = random_bytes();
  const std::string list_now = hex_of(list.digest(key_));
  const std::string where_now = hex_of(take(salt_of(key_, where)));
  if (!anew && list_now != list_) throw refused(Errc::conflict, "the journal is of another list");
  if (!anew && where_now != where_)
    throw refused(Errc::conflict, "the journal is of another tenant or store");
  if (anew)
    file_.append(Json({{"journal", journal_version},
                       {"key", hex_of(key_)},
                       {"list", list_now},
                       {"where", where_now}})
                     .dump() +
                 '\n');
}

bool Journal::read() {
  std::string all = file_.read(0);
  // A last line that has no end was torn: what it said was not begun.
  all.resize(all.rfind('\n') == std::string::npos ? 0 : all.rfind('\n') + 1);
  std::istringstream lines(all);
  std::string line;
  if (!std::getline(lines, line)) return false;
  const Json first = Json::parse(line, nullptr, false);
  if (number(first, "journal") != journal_version) throw no_journal();
  key_ = bytes32(first, "key");
  list_ = text(first, "list");
  where_ = text(first, "where");
  while (std::getline(lines, line)) {
    const Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object()) throw no_journal();
    if (entry.contains("trying")) {
      trying_ = trying_of(entry["trying"]);
    } else {
      done_ = done_of(member(entry, "done"));
      trying_.reset();
    }
  }
  return true;
}

void Journal::begin(const JournalTrying& chunk) {
  Json ledgers = Json::array();
  for (const auto& [region, entries] : chunk.ledgers)
    ledgers.push_back({{"region", region}, {"entries", entries}});
  Json object = {
      {"line_last", chunk.line_last}, {"salt", hex_of(chunk.salt)}, {"ledgers", ledgers}};
  if (chunk.tickets_bytes) object["tickets_bytes"] = *chunk.tickets_bytes;
  file_.append(Json{{"trying", object}}.dump() + '\n');
  trying_ = chunk;
}

void Journal::finish(const JournalDone& all) {
  const Json object = {{"line", all.line},
                       {"erased", all.erased},
                       {"unknown", all.unknown},
                       {"held", all.held},
                       {"shared", all.shared}};
  file_.append(Json{{"done", object}}.dump() + '\n');
  done_ = all;
  trying_.reset();
}

}  // namespace efface::cli
