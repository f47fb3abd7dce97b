#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "efface/receipt.h"
#include "efface/restore.h"
#include "tools/child.h"
#include "tools/dry_run.h"
#include "tools/key_file.h"
#include "tools/per_region.h"
#include "tools/progress.h"
#include "tools/text.h"
#include "tools/times.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct Given {
  std::string region;
  std::string tenant;
  std::string request;
  std::string before;
  std::string records;
  std::string capsule;
  std::string key;
  std::string verifier;
  std::uint64_t from = 0;
  std::optional<std::uint64_t> entry;
  bool without_records = false;
  bool dry_run = false;
};

Region region_meant(const Store& store, const std::string& named) {
  if (!named.empty()) return take(store.region(named));
  const std::vector<Region> all = store.regions();
  if (all.size() != 1) throw usage("there are several regions: name one with --region");
  return all.front();
}

void say_key(const Common& common, const Given& given, Output& out) {
  Session session(common);
  out.line(take(session.store().verifier_key(region_meant(session.store(), given.region))));
}

void say_checkpoint(const Common& common, const Given& given, Output& out) {
  Session session(common);
  out.raw(as_bytes(take(session.store().checkpoint(region_meant(session.store(), given.region)))));
}

void say_proof(const Common& common, const Given& given, Output& out) {
  const std::string before = note_of(given.before);
  Session session(common);
  const Region region = region_meant(session.store(), given.region);
  out.raw(as_bytes(take(session.store().consistency_proof(region, before))));
}

void list(const Common& common, const Given& given, Output& out) {
  Session session(common);
  const Region region = region_meant(session.store(), given.region);
  take(session.store().each_decision(region, given.from, [&](const Decision& decision) {
    if (out.json()) {
      Json object = {{"entry", decision.entry},
                     {"what", decision.what},
                     {"when", spell_time(decision.when)},
                     {"tenant_number", decision.tenant_number},
                     {"actor", decision.actor}};
      if (decision.purpose_number) object["purpose_number"] = *decision.purpose_number;
      if (decision.count) object["count"] = *decision.count;
      if (decision.epoch_after) object["epoch_after"] = *decision.epoch_after;
      if (!decision.detail.empty()) object["detail"] = decision.detail;
      out.object(object);
      return Flow::more;
    }
    std::string text = std::to_string(decision.entry) + ": " + std::string(decision.what);
    if (decision.count) text += " " + std::to_string(*decision.count);
    if (!decision.detail.empty()) text += " (" + on_one_line(decision.detail) + ")";
    if (!decision.actor.empty()) text += ", by " + std::string(decision.actor);
    out.line(text + ", " + spell_time(decision.when));
    return Flow::more;
  }));
}

void say_receipt(const Common& common, const Given& given, Output& out) {
  Session session(common);
  std::string text;
  if (!given.request.empty()) {
    if (given.tenant.empty()) throw usage("a --request is a tenant's: name it with --tenant");
    text = take(session.tenant(given.tenant).receipt(as_bytes(given.request)));
  } else {
    if (!given.entry) throw usage("name an ENTRY, or a --request");
    const Region region = region_meant(session.store(), given.region);
    text = take(session.store().receipt({std::string(region.name()), *given.entry, 0, {}}));
  }
  out.raw(as_bytes(text));
}

void say(Output& out, const RestoredRegion& region) {
  if (out.json()) {
    Json undone = Json::object();
    for (const auto& [what, count] : region.undone) undone[what] = count;
    out.object({{"region", region.name},
                {"records_replaced", region.records_replaced},
                {"records_older", region.records_older},
                {"entries_applied", region.entries_applied},
                {"people_erased", region.people_erased},
                {"scopes_destroyed", region.scopes_destroyed},
                {"people_suppressed", region.people_suppressed},
                {"days_expired", region.days_expired},
                {"tenants_offboarded", region.tenants_offboarded},
                {"orphans_swept", region.orphans_swept},
                {"undone", undone}});
    return;
  }
  out.line(
      "region " + region.name + ": " +
      std::string(region.keyring_brought_back ? "keyring brought back, " : "") +
      std::string(region.records_replaced ? "records put back" : "records as they were") +
      (region.records_older ? ", older than the keyring: what was written since is gone" : ""));
  if (region.entries_applied != 0)
    out.line("  " + count_of(region.entries_applied, "entry", "entries") +
             " of the ledger done again: " + count_of(region.people_erased, "person", "people") +
             " erased, " + count_of(region.scopes_destroyed, "scope", "scopes") + " destroyed, " +
             std::to_string(region.people_suppressed) + " suppressed, " +
             count_of(region.days_expired, "day", "days") + " expired");
  if (region.orphans_swept != 0)
    out.line("  " + count_of(region.orphans_swept, "ciphertext", "ciphertexts") +
             " without a key swept");
  for (const auto& [what, count] : region.undone)
    out.line("  undone: " + what + " " + std::to_string(count));
}

// The backup has been verified by now. What the ledger would have done again is not known before
// the store is opened, which changes it.
void say_restoring(const Given& given, const OpenOptions& options, Output& out) {
  Json regions = Json::array();
  for (const RegionOptions& region : options.regions) regions.push_back(region.name);
  std::string text = given.records.empty() ? "leave the records as they are"
                                           : "put the backup's records in place of those there";
  if (!given.capsule.empty()) text += ", bring a keyring back from the capsule";
  if (given.without_records) text += ", begin with none where there are no records";
  text += ", and do again what the ledger says was destroyed since";
  say_would(out, text,
            {{"records_replaced", !given.records.empty()},
             {"keyring_brought_back", !given.capsule.empty()},
             {"regions", regions}});
}

void restore(const Common& common, const Given& given, Output& out) {
  if (!given.records.empty()) verify_in_child(given.records, common.json);
  RootKeys keys = root_keys(common);
  OpenOptions options = open_options(common);
  options.regions = region_options(common, keys);
  RestoreOptions how;
  how.records = given.records;
  how.without_records = given.without_records;
  std::optional<RecipientKeyPair> opens;
  if (!given.capsule.empty()) {
    if (given.key.empty() || given.verifier.empty())
      throw usage("a --capsule needs --key and --verifier");
    if (given.region.empty() && options.regions.size() != 1)
      throw usage("there are several regions: name one with --region");
    opens.emplace(recipient_keys(given.key));
    std::string verifier = note_of(given.verifier);
    if (verifier.ends_with('\n')) verifier.pop_back();
    how.capsules.push_back({given.region.empty() ? options.regions.front().name : given.region,
                            given.capsule, &*opens, std::move(verifier)});
  }
  if (given.dry_run) {
    say_restoring(given, options, out);
    return;
  }
  Progress progress(out.json(), {"restore", "bytes"});
  how.on_progress = shown_by(progress);
  const RestoreReport report = take(Store::restore(options, how));
  progress.clear();
  for (const RestoredRegion& region : report.regions) say(out, region);
}

}  // namespace

void add_ledger_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<Given>();
  using Verb = void (*)(const Common&, const Given&, Output&);
  const auto hang = [&](CLI::App& verb, Verb what) -> CLI::App& {
    verb.callback([&common, &action, given, what] {
      action = [&common, given, what](Output& out) { what(common, *given, out); };
    });
    return verb;
  };
  const auto with_region = [&](CLI::App& verb) {
    text_option(verb, "--region", given->region, "Whose ledger, where there are several");
  };

  CLI::App& ledger = *verbs.app.add_subcommand("ledger", "What was decided, for who checks it");
  ledger.require_subcommand(1);
  with_region(hang(verbs.add(ledger, "key", "The key that checks receipts and checkpoints",
                             "efface ledger key > eu-west.key"),
                   say_key));
  with_region(hang(verbs.add(ledger, "checkpoint", "How many entries there are, signed",
                             "efface ledger checkpoint > today.checkpoint"),
                   say_checkpoint));
  CLI::App& listed = hang(
      verbs.add(ledger, "list", "Every decision, in order", "efface ledger list --from 100"), list);
  with_region(listed);
  listed.add_option("--from", given->from, "From this entry on")->type_name("ENTRY");
  CLI::App& proof = hang(verbs.add(ledger, "proof", "That the ledger goes on from a checkpoint",
                                   "efface ledger proof last-year.checkpoint > year.proof"),
                         say_proof);
  with_region(proof);
  text_option(proof, "CHECKPOINT", given->before, "A file; - is stdin").required();

  CLI::App& receipt = hang(verbs.add(verbs.app, "receipt", "The receipt of a destruction",
                                     "efface receipt 117 --region eu-west > alice.receipt"),
                           say_receipt);
  CLI::Option& entry = *receipt.add_option("ENTRY", given->entry, "Its entry in the ledger");
  with_region(receipt);
  text_option(receipt, "--tenant", given->tenant, "Whose request it was");
  CLI::Option& request =
      text_option(receipt, "--request", given->request, "As it was given to the verb");
  entry.excludes(&request);

  CLI::App& restored =
      hang(verbs.add(verbs.app, "restore", "Put copies back, and bring nobody back",
                     "efface restore --records /mnt/backup/2026-11-24"),
           restore);
  text_option(restored, "--records", given->records, "A backup, verified first").type_name("DIR");
  text_option(restored, "--capsule", given->capsule, "In place of a keyring that does not open")
      .type_name("FILE");
  text_option(restored, "--key", given->key, "The secret that the capsule was sealed to")
      .type_name("FILE");
  text_option(restored, "--verifier", given->verifier, "What ledger key said of the region")
      .type_name("FILE");
  text_option(restored, "--region", given->region, "Whose capsule, where there are several");
  restored.add_flag("--without-records", given->without_records,
                    "Begin with none where they are lost");
  dry_run_option(restored, given->dry_run);
}

}  // namespace efface::cli
