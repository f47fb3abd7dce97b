#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "tools/dry_run.h"
#include "tools/said.h"
#include "tools/text.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct RootOptions {
  std::string region;
  std::string to;
  std::string to_passphrase_file;
  bool accept_lost = false;
  bool dry_run = false;
};

std::string hex(const RootKeyStore::StoreId& id) {
  std::string text;
  for (const std::byte b : id) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[std::to_integer<std::size_t>(b) >> 4];
    text += digits[std::to_integer<std::size_t>(b) & 15];
  }
  return text;
}

// The region that is meant: its name, and its root key store's text.
std::pair<std::string, std::string> region_meant(const Common& common, const std::string& named) {
  if (common.store.empty()) throw usage("name the store: --store DIR, or EFFACE_STORE");
  const RegionRootKeys all =
      root_keys_of(common.root_keys, take(Store::region_names(common.store)));
  if (named.empty() && all.size() == 1) return all.front();
  if (named.empty()) throw usage("there are several regions: name one with --region");
  for (const auto& one : all)
    if (one.first == named) return one;
  throw usage("the region has no --root-key");
}

// ---- status ----

Json json_of(RootKeyStore& store) {
  Json object = {{"id", hex(store.id())}};
  const auto held = store.list();
  object["epochs"] = held ? Json(*held) : Json();
  if (!held) object["error"] = name(held.error().code());
  object["assurance"] = name(store.assurance().level);
  object["rests_on"] = store.assurance().rests_on;
  return object;
}

void say_store(Output& out, const char* what, RootKeyStore& store) {
  std::string line = "  " + std::string(what) + " " + hex(store.id());
  if (const auto held = store.list(); held) {
    line += held->empty() ? ": holds nothing" : ": holds";
    for (const Epoch epoch : *held) line += " " + std::to_string(epoch);
  } else {
    line += ": " + std::string(name(held.error().code()));
  }
  out.line(line + ", assurance " + name(store.assurance().level));
}

void status(const Common& common, Output& out) {
  RootKeys keys = root_keys(common);
  OpenOptions options = open_options(common);
  options.regions = region_options(common, keys);
  const Store store = take(Store::open(options));
  for (const RegionStats& region : take(store.stats()).regions) {
    RootKeyStore* const root_keys = keys.of(region.name);
    if (root_keys == nullptr) continue;
    if (out.json()) {
      Json object = {{"region", region.name},
                     {"epoch", region.epoch},
                     {"erase_pending", region.erase_pending},
                     {"root_keys", json_of(*root_keys)},
                     {"members", Json::array()}};
      for (RootKeyStore* member : keys.members_of(region.name))
        object["members"].push_back(json_of(*member));
      out.object(object);
      continue;
    }
    out.line("region " + region.name + ": epoch " + std::to_string(region.epoch) + ", assurance " +
             name(region.assurance.level) + ": " + region.assurance.rests_on);
    say_store(out, "root keys", *root_keys);
    for (RootKeyStore* member : keys.members_of(region.name)) say_store(out, "member", *member);
    if (region.erase_pending) out.line("  a destruction is not confirmed yet");
  }
}

// ---- rotate and migrate ----

void say_epoch(Output& out, const char* did, const Erasure::InRegion& ended,
               std::chrono::nanoseconds time) {
  if (out.json()) {
    out.object({{"root", did},
                {"region", ended.region},
                {"epoch_before", ended.epoch_before},
                {"epoch_after", ended.epoch_after},
                {"assurance", name(ended.assurance.level)},
                {"rests_on", ended.assurance.rests_on}});
    return;
  }
  if (ended.epoch_before == ended.epoch_after) {  // By an earlier attempt.
    out.line(std::string("the root key is ") + did + ", and the old store holds nothing");
    return;
  }
  out.line(std::string("the root key is ") + did + ", in " + spell(time));
  out.line("region " + ended.region + ": epoch " + std::to_string(ended.epoch_before) +
           " is over, now " + std::to_string(ended.epoch_after) + "; assurance " +
           name(ended.assurance.level) + ": " + ended.assurance.rests_on);
}

void rotate(const Common& common, const RootOptions& given, Output& out) {
  const std::string region = region_meant(common, given.region).first;
  Session session(common);
  if (given.dry_run) {
    say_would(out, session.store(), "rotate the root key", {{"root", "rotated"}}, {region});
    return;
  }
  const Timer timer;
  const Erasure::InRegion ended =
      take(session.store().rotate_root(take(session.store().region(region)), Actor(common.actor)));
  say_epoch(out, "rotated", ended, timer.passed());
}

// The store is opened with the root keys that it has; to: what would have them then, not opened.
void say_move(const Common& common, const std::string& region, const std::string& to, Output& out) {
  Session session(common);
  std::uint64_t missing = 0;
  std::error_code unseen;
  for (const std::string& file : root_key_files(to))
    if (!std::filesystem::exists(file, unseen)) ++missing;
  say_would(out, session.store(),
            "move the root key, make " + count_of(missing, "file", "files") +
                " for it, and destroy what the old store holds",
            {{"root", "moved"}, {"files_made", missing}}, {region});
}

// Opens the store with another root key store for one region.
Store open_with(const Common& common, RootKeys& keys, const std::string& region,
                RootKeyStore& root_keys) {
  OpenOptions options = open_options(common);
  options.regions = region_options(common, keys);
  for (RegionOptions& one : options.regions)
    if (one.name == region) one.root_keys = &root_keys;
  return take(Store::open(options));
}

// From the store that --root-key names to another; or what is left to do of that.
void move_root(const Common& common, const RootOptions& given, const std::string& region,
               const std::string& to_text, Output& out) {
  RootKeys to(given.to_passphrase_file.empty() ? common.passphrase_file : given.to_passphrase_file,
              common.accept_level == "L0");
  to.add(region, to_text, true);
  RootKeyStore& arriving = *to.of(region);
  const Timer timer;
  RootKeys keys = root_keys(common);
  OpenOptions options = open_options(common);
  options.regions = region_options(common, keys);
  auto opened = Store::open(options);
  if (opened) {
    say_epoch(out, "moved",
              take(opened->migrate_root(take(opened->region(region)), arriving, Actor(common.actor),
                                        {.accept_lost = given.accept_lost})),
              timer.passed());
    return;
  }
  if (opened.error().code() != Errc::root_key_mismatch) throw Failure(opened.error());
  // It has moved already, and perhaps not left the old one behind.
  RootKeys others = root_keys(common);
  keys = root_keys(common);
  const Store store = open_with(common, others, region, arriving);
  for (const RegionStats& stats : take(store.stats()).regions) {
    if (stats.name != region) continue;
    if (stats.erase_pending)
      take(store.retire_root(take(store.region(region)), *others.of(region)));
    say_epoch(out, "moved", {region, stats.epoch, stats.epoch, stats.assurance}, timer.passed());
  }
}

void migrate(const Common& common, const RootOptions& given, Output& out) {
  const std::string region = region_meant(common, given.region).first;
  if (given.dry_run) {
    say_move(common, region, given.to, out);
    return;
  }
  move_root(common, given, region, given.to, out);
  if (!out.json()) out.line("from now on: --root-key " + region + "=" + given.to);
}

// Into a new file, since the old passphrase opens old copies of the old one for ever.
void change_passphrase(const Common& common, const RootOptions& given, Output& out) {
  const auto [region, path] = region_meant(common, given.region);
  if (!is_root_key_file(path)) throw usage("only a root key file has a passphrase");
  const std::string next = path + ".new";
  if (given.dry_run) {
    say_move(common, region, next, out);
    return;
  }
  move_root(common, given, region, next, out);
  // What stands there holds no key any more.
  if (std::rename(next.c_str(), path.c_str()) != 0)
    throw system_failure("the new root key file could not take the old one's name");
}

}  // namespace

void add_root_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  CLI::App& root = *verbs.app.add_subcommand("root", "Where root keys are kept, and how well");
  root.require_subcommand(1);
  const auto given = std::make_shared<RootOptions>();
  const auto act = [&](CLI::App& verb, void (*what)(const Common&, const RootOptions&, Output&)) {
    text_option(verb, "--region", given->region, "Which, of several");
    dry_run_option(verb, given->dry_run);
    verb.callback([&common, &action, given, what] {
      action = [&common, given, what](Output& out) { what(common, *given, out); };
    });
  };

  verbs
      .add(root, "status", "What the root key stores hold, and what destroying rests on",
           "efface root status")
      .callback([&common, &action] { action = [&common](Output& out) { status(common, out); }; });
  act(verbs.add(root, "rotate", "End an epoch, though nobody is erased", "efface root rotate"),
      rotate);

  CLI::App& moving = verbs.add(root, "migrate", "Keep the root key in another store from now on",
                               "efface root migrate --to composite:a.root+b.root");
  text_option(moving, "--to", given->to, "The other store, made when it is missing")
      .type_name("STORE")
      ->required();
  text_option(moving, "--to-passphrase-file", given->to_passphrase_file,
              "Opens the other one's files; else as --passphrase-file")
      .type_name("FILE");
  moving.add_flag("--accept-lost", given->accept_lost,
                  "Go on though a replica that is left cannot be shown to hold nothing");
  act(moving, migrate);

  CLI::App& again = verbs.add(root, "passphrase", "Give a root key file another passphrase",
                              "efface root passphrase --new-passphrase-file next.txt");
  text_option(again, "--new-passphrase-file", given->to_passphrase_file,
              "Its first line is the new one")
      .type_name("FILE")
      ->required();
  act(again, change_passphrase);
}

}  // namespace efface::cli
