#include <memory>
#include <string>

#include "efface/backup.h"
#include "efface/capsule.h"
#include "tools/child.h"
#include "tools/key_file.h"
#include "tools/progress.h"
#include "tools/text.h"
#include "tools/times.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct Given {
  std::string directory;
  std::string region;
  std::string to_key;
  std::string until;
};

void say(Output& out, const BackupReport& report, const char* done) {
  if (!out.json()) out.line(std::string(done) + ", made " + spell_time(report.made));
  for (const BackupRegion& region : report.regions) {
    if (out.json())
      out.object({{"region", region.name},
                  {"made", spell_time(report.made)},
                  {"epoch", region.epoch},
                  {"keyring_sequence", region.keyring_sequence},
                  {"bytes", region.bytes}});
    else
      out.line("region " + region.name + ": " + spell_bytes(region.bytes) + ", as of epoch " +
               std::to_string(region.epoch) + ", keyring at " +
               std::to_string(region.keyring_sequence));
  }
}

void make(const Common& common, const Given& given, Output& out) {
  Session session(common);
  BackupOptions options;
  options.target = given.directory;
  Progress progress(out.json(), {"backup", "bytes"});
  std::string region;
  std::uint64_t before = 0;  // Bytes of the regions that are done.
  std::uint64_t bytes = 0;
  options.on_progress = [&](const BackupProgress& at) {
    if (at.region != region) {
      before = bytes;
      region = at.region;
    }
    bytes = before + at.bytes;
    progress.update({.count = bytes, .measure = 0, .total = before + at.bytes_expected});
  };
  const BackupReport report = take(session.store().backup(options));
  progress.clear();
  say(out, report, "backed up");
}

void verify_here(const Common&, const Given& given, Output& out) {
  Progress progress(out.json(), {"backup verify", "bytes"});
  const BackupReport report = take(Store::verify_backup(given.directory, shown_by(progress)));
  progress.clear();
  say(out, report, "whole");
}

void verify(const Common& common, const Given& given, Output& out) {
  out.finish();
  verify_in_child(given.directory, common.json);
}

void make_capsule(const Common& common, const Given& given, Output& out) {
  const auto until = date(given.until);
  if (!until) throw usage("--until takes a day: 2026-12-31");
  const RecipientPublicKey recipient = recipient_key(given.to_key);
  Session session(common);
  const Store& store = session.store();
  const std::vector<Region> all = store.regions();
  if (given.region.empty() && all.size() != 1)
    throw usage("there are several regions: name one with --region");
  const Region region = given.region.empty() ? all.front() : take(store.region(given.region));
  const CapsuleReport made =
      take(store.make_capsule(region, {given.directory, recipient, *until}, Actor(common.actor)));
  if (out.json())
    out.object({{"region", region.name()},
                {"opens_until", spell_date(made.opens_until)},
                {"bytes", made.bytes}});
  else
    out.line("region " + std::string(region.name()) + ": " + spell_bytes(made.bytes) +
             ", opens until " + spell_date(made.opens_until) +
             "; every receipt has that day from now on");
}

void say_mirrors(const Common& common, const Given&, Output& out) {
  Session session(common);
  for (const RegionStats& region : take(session.store().stats()).regions) {
    if (!region.open) continue;
    if (out.json()) {
      Json mirrors = Json::array();
      for (const MirrorStats& mirror : region.mirrors)
        mirrors.push_back({{"state", name(mirror.state)}, {"sequence", mirror.sequence}});
      out.object({{"region", region.name},
                  {"keyring_sequence", region.keyring_sequence},
                  {"mirrors", mirrors}});
      continue;
    }
    out.line("region " + region.name + ": keyring at " + std::to_string(region.keyring_sequence) +
             ", " + count_of(region.mirrors.size(), "mirror", "mirrors"));
    for (const MirrorStats& mirror : region.mirrors)
      out.line("  " + std::string(name(mirror.state)) + " at " + std::to_string(mirror.sequence));
  }
}

}  // namespace

void add_backup_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<Given>();
  using Verb = void (*)(const Common&, const Given&, Output&);
  const auto hang = [&](CLI::App& verb, Verb what) {
    verb.callback([&common, &action, given, what] {
      action = [&common, given, what](Output& out) { what(common, *given, out); };
    });
  };

  CLI::App& backup = *verbs.app.add_subcommand(
      "backup", "Copy the records elsewhere, and look if a copy is whole");
  backup.require_subcommand(1);
  CLI::App& made =
      verbs.add(backup, "make", "Copy the records of every open region while they are used",
                "efface backup make /mnt/backup/2026-11-24");
  hang(made, make);
  text_option(made, "DIR", given->directory, "The directory to make").required();
  CLI::App& verified = verbs.add(backup, "verify", "Whether a backup is as it was written",
                                 "efface backup verify /mnt/backup/2026-11-24");
  hang(verified, verify);
  text_option(verified, "DIR", given->directory, "The backup").required();
  CLI::App& here = verbs.add(backup, "verify-here", "The same in this process",
                             "efface backup verify-here /mnt/backup/2026-11-24");
  hang(here, verify_here);
  text_option(here, "DIR", given->directory, "The backup").required();
  here.group("");  // Not for people.

  CLI::App& capsule = *verbs.app.add_subcommand(
      "capsule", "Recovery capsules: a keyring with its root key, sealed, until a day");
  capsule.require_subcommand(1);
  CLI::App& sealed = verbs.add(capsule, "make", "Seal a region's keyring to who may bring it back",
                               "efface capsule make q4.capsule --to-key q4.pub --until 2026-12-31");
  hang(sealed, make_capsule);
  text_option(sealed, "FILE", given->directory, "The file to make").required();
  text_option(sealed, "--to-key", given->to_key, "The public key that keygen made, for that period")
      .type_name("FILE")
      ->required();
  text_option(sealed, "--until", given->until, "Its last day; then destroy the secret key")
      .type_name("DATE")
      ->required();
  text_option(sealed, "--region", given->region, "Whose keyring, where there are several");

  CLI::App& mirror = *verbs.app.add_subcommand("mirror", "The mirrors of the keyrings");
  mirror.require_subcommand(1);
  hang(verbs.add(mirror, "status", "Whether each is in step, behind or absent",
                 "efface mirror status --mirror /mnt/mirror/eu-west"),
       say_mirrors);
}

}  // namespace efface::cli
