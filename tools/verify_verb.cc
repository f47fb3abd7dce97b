#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "tools/input.h"
#include "tools/text.h"
#include "tools/times.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

constexpr std::size_t file_bytes_max = 256 * 1024;
constexpr std::size_t line_bytes_max = 1024;
constexpr std::size_t salt_bytes = 32;

struct VerifyOptions {
  std::vector<std::string> files;
  std::string key;
  std::string about;
  std::string tenant;
  std::string salt;
  bool consistency = false;
};

std::string content_of(const std::string& path) {
  Source source(path);
  while (source.more())
    if (source.window().size() > file_bytes_max)
      throw refused(Errc::too_large, "too long for a receipt, a checkpoint or a proof");
  return std::string(source.window());
}

// The text, or with @FILE the file's first line.
WipedText line_of(const std::string& argument) {
  if (!argument.starts_with('@')) return {argument.begin(), argument.end()};
  Source file(argument.substr(1));
  std::optional<WipedText> line = next_line(file, line_bytes_max);
  if (!line) throw refused(Errc::invalid_argument, "the file that should hold a line is empty");
  return std::move(*line);
}

using Salt = std::vector<std::byte, WipingAllocator<std::byte>>;

Salt salt_of(const std::string& argument) {
  static constexpr std::string_view digits = "0123456789abcdef";
  const WipedText text = line_of(argument);
  Salt salt;
  for (std::size_t i = 0; text.size() == 2 * salt_bytes && i < text.size(); i += 2) {
    const std::size_t high = digits.find(text[i]);
    const std::size_t low = digits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) break;
    salt.push_back(static_cast<std::byte>(high << 4U | low));
  }
  if (salt.size() != salt_bytes)
    throw refused(Errc::invalid_argument, "a salt is 64 hexadecimal digits");
  return salt;
}

// Of any year up to 9999, which a TimePoint cannot hold.
std::string spell(Receipt::Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[48];
  std::snprintf(text, sizeof text, "T%02d:%02d:%02d.%03dZ", static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return spell_date(day) + text;
}

template <class T>
void set(Json& object, const char* name, const std::optional<T>& value) {
  if (value) object[name] = *value;
}
void set(Json& object, const char* name, const std::optional<Receipt::Hash>& hash) {
  if (hash) object[name] = hex_of(*hash);
}
void set(Json& object, const char* name, const std::optional<std::chrono::sys_days>& day) {
  if (day) object[name] = spell_date(*day);
}
void set(Json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}

Json json_of(const Receipt& receipt) {
  Json object{{"verified", true}, {"what", name(receipt.kind)}};
  set(object, "region", receipt.region);
  if (receipt.tenant_number != 0) object["tenant_number"] = receipt.tenant_number;
  set(object, "tenant", receipt.tenant);
  set(object, "purpose_number", receipt.purpose_number);
  set(object, "purpose", receipt.purpose);
  object["decided"] = spell(receipt.decided);
  object["issued"] = spell(receipt.issued);
  set(object, "actor", receipt.actor);
  set(object, "detail", receipt.detail);
  set(object, "count", receipt.count);
  set(object, "day", receipt.day);
  set(object, "epoch_before", receipt.epoch_before);
  set(object, "epoch_after", receipt.epoch_after);
  set(object, "root_before", receipt.root_before);
  set(object, "root_after", receipt.root_after);
  set(object, "row_destroyed", receipt.destroyed);
  set(object, "commitment", receipt.commitment);
  object["assurance"] = {{"level", name(receipt.assurance)},
                         {"rests_on", receipt.assurance_rests_on}};
  object["replicas"] = {{"confirmed", receipt.replicas_confirmed}, {"of", receipt.replicas}};
  object["caches"] = {{"wiped", receipt.caches_wiped}, {"fenced", receipt.caches_fenced}};
  object["state"] = name(receipt.state);
  set(object, "beyond_backups", receipt.beyond_backups);
  object["not_covered"] = receipt.not_covered;
  object["ledger"] = {{"origin", receipt.origin},
                      {"entry", receipt.entry},
                      {"size", receipt.ledger_size},
                      {"root", hex_of(receipt.ledger_root)}};
  return object;
}

std::string numbered(const char* what, std::uint64_t number, const std::string& name) {
  return std::string(", ") + what + ' ' +
         (name.empty() ? "number " + std::to_string(number) : name);
}

void say(const Receipt& receipt, Output& out) {
  out.line(std::string("the receipt verifies: ") + name(receipt.kind) + ", " + name(receipt.state));
  std::string where = "region " + receipt.region;
  if (receipt.tenant_number != 0)
    where += numbered("tenant", receipt.tenant_number, receipt.tenant);
  if (receipt.purpose_number)
    where += numbered("purpose", *receipt.purpose_number, receipt.purpose);
  out.line(where);
  out.line("decided " + spell(receipt.decided) +
           (receipt.actor.empty() ? "" : " by " + on_one_line(receipt.actor)) + ", issued " +
           spell(receipt.issued));
  if (receipt.count) out.line("count " + std::to_string(*receipt.count));
  if (receipt.day) out.line("up to the day " + spell_date(*receipt.day));
  if (!receipt.detail.empty()) out.line("detail: " + on_one_line(receipt.detail));
  if (receipt.epoch_before && receipt.epoch_after)
    out.line("epoch " + std::to_string(*receipt.epoch_before) + " is over, then " +
             std::to_string(*receipt.epoch_after));
  else
    out.line("no epoch ended");
  out.line(std::string("assurance ") + name(receipt.assurance) + ": " + receipt.assurance_rests_on);
  out.line("confirmed by " + std::to_string(receipt.replicas_confirmed) + " of " +
           count_of(receipt.replicas, "root key store", "root key stores"));
  out.line("caches: " + std::to_string(receipt.caches_wiped) + " wiped, " +
           std::to_string(receipt.caches_fenced) + " fenced");
  if (receipt.beyond_backups)
    out.line("beyond backups from " + spell_date(*receipt.beyond_backups));
  for (const std::string& line : receipt.not_covered) out.line("not covered: " + line);
  out.line("entry " + std::to_string(receipt.entry) + " of the " +
           std::to_string(receipt.ledger_size) + " of " + receipt.origin);
}

void verify_one(const VerifyOptions& given, const std::string& key, Output& out) {
  const bool about = !given.about.empty();
  if (about != !given.tenant.empty() || about != !given.salt.empty())
    throw usage("--about, --tenant and --salt go together");
  if (about && given.about == "-" && given.files.front() == "-")
    throw usage("the receipt and the id cannot both come from stdin");
  const Receipt receipt = take(verify_receipt(content_of(given.files.front()), key));
  if (about) {
    const WipedText id = subject_id(given.about);
    take(verify_about(receipt, salt_of(given.salt), given.tenant, {id.data(), id.size()}));
  }
  if (!out.json()) {
    say(receipt, out);
    if (about) out.line("it is about the person that was named");
    return;
  }
  Json object = json_of(receipt);
  if (about) object["about"] = true;
  out.object(object);
}

// A checkpoint; of a receipt, the one that it is proved against.
std::string checkpoint_in(const std::string& path) {
  std::string text = content_of(path);
  return text.starts_with("efface receipt ") ? take(checkpoint_of(text)) : text;
}

void verify(const Common&, const VerifyOptions& given, Output& out) {
  const WipedText line = line_of(given.key);
  const std::string key(line.begin(), line.end());  // Nothing secret.
  if (!given.consistency) {
    if (given.files.size() != 1) throw usage("name one receipt, or `-` for stdin");
    return verify_one(given, key, out);
  }
  if (given.files.size() != 3) throw usage("--consistency takes two checkpoints and the proof");
  if (!given.about.empty() || !given.tenant.empty() || !given.salt.empty())
    throw usage("--consistency is about nobody");
  if (std::ranges::count(given.files, "-") > 1) throw usage("only one of them comes from stdin");
  take(verify_consistency(checkpoint_in(given.files[0]), checkpoint_in(given.files[1]),
                          content_of(given.files[2]), key));
  if (out.json())
    out.object({{"consistent", true}});
  else
    out.line("consistent: the later ledger begins with all of the earlier one");
}

}  // namespace

void add_verify_verb(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<VerifyOptions>();
  CLI::App& verb =
      verbs.add(verbs.app, "verify", "Check a receipt, without a store",
                "efface verify erasure.receipt --key @eu-west.verifier --about @id.txt "
                "--tenant acme --salt @salt.txt");
  verb.add_option("FILE", given->files,
                  "The receipt, or `-`; with --consistency BEFORE AFTER PROOF")
      ->expected(1, 3)
      ->type_name("")
      ->required();
  text_option(verb, "--key", given->key, "The region's verifier key, or @FILE")
      .type_name("KEY")
      ->required();
  text_option(verb, "--about", given->about, "Is it about this person? An id, `-` or @FILE")
      .type_name("SUBJECT");
  text_option(verb, "--tenant", given->tenant, "Whose person she is");
  text_option(verb, "--salt", given->salt, "64 hexadecimal digits, or @FILE").type_name("HEX");
  verb.add_flag("--consistency", given->consistency,
                "Check that one ledger begins with another: two checkpoints, or receipts, and the "
                "proof");
  verb.callback([&common, &action, given] {
    action = [&common, given](Output& out) { verify(common, *given, out); };
  });
}

}  // namespace efface::cli
