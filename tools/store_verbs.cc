#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "tools/per_region.h"
#include "tools/said.h"
#include "tools/text.h"
#include "tools/times.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

namespace fs = std::filesystem;

// Root key files that go away again unless they came into use.
class MadeFiles {
 public:
  MadeFiles() = default;
  MadeFiles(const MadeFiles&) = delete;
  MadeFiles& operator=(const MadeFiles&) = delete;
  ~MadeFiles() {
    std::error_code unseen;
    for (const fs::path& path : paths_) fs::remove(path, unseen);
  }
  void add(fs::path path) { paths_.push_back(std::move(path)); }
  void keep() noexcept { paths_.clear(); }

 private:
  std::vector<fs::path> paths_;
};

struct InitOptions {
  std::string directory;
  std::vector<std::string> regions;
};

std::vector<RegionOptions> regions_of(const InitOptions& given) {
  std::vector<RegionOptions> regions;
  for (const std::string& text : given.regions) {
    const std::size_t equals = text.find('=');
    RegionOptions region;
    region.name = text.substr(0, equals);
    if (equals != std::string::npos) {
      region.directory = text.substr(equals + 1);
      if (region.directory.empty()) throw usage("--region NAME=DIR: no directory");
    }
    if (!is_label(region.name))
      throw usage("a region's name is 1 to 64 of [a-z0-9_.-], first a letter or digit");
    regions.push_back(std::move(region));
  }
  return regions;
}

bool lies_within(const fs::path& file, const fs::path& directory) {
  std::error_code unseen;
  const fs::path inner = fs::weakly_canonical(fs::absolute(file, unseen), unseen);
  const fs::path outer = fs::weakly_canonical(fs::absolute(directory, unseen), unseen);
  const fs::path from = inner.lexically_relative(outer);
  return !from.empty() && *from.begin() != "..";
}

void say_region(Output& out, const RegionStats& region) {
  if (out.json()) {
    out.object({{"region", region.name},
                {"epoch", region.epoch},
                {"assurance", name(region.assurance.level)},
                {"rests_on", region.assurance.rests_on}});
    return;
  }
  out.line("region " + region.name + ": epoch " + std::to_string(region.epoch) + ", assurance " +
           name(region.assurance.level) + ": " + region.assurance.rests_on);
}

void init(Common common, const InitOptions& given, Output& out) {
  common.store = given.directory;
  OpenOptions options = open_options(common);
  options.regions = regions_of(given);
  std::vector<std::string> names;
  for (const RegionOptions& region : options.regions) names.push_back(region.name);

  const RegionRootKeys stores = root_keys_of(common.root_keys, names);
  for (const auto& [region, text] : stores)
    for (const std::string& file : root_key_files(text))
      if (lies_within(file, options.directory))
        throw refused(Errc::unsafe_path, "the root keys would lie inside the store");
  MadeFiles made;  // Goes away after the root key stores.
  RootKeys keys = root_keys(common);
  for (const auto& [region, text] : stores)
    for (std::string& file : keys.add(region, text, true)) made.add(std::move(file));
  for (RegionOptions& region : options.regions) {
    region.root_keys = keys.of(region.name);
    if (region.root_keys == nullptr) throw usage("a region has no --root-key");
  }
  add_per_region(common, options.regions);
  const Store store = take(Store::create(options));
  made.keep();
  for (const RegionStats& region : take(store.stats()).regions) say_region(out, region);
}

void say_stats(Output& out, const RegionStats& region) {
  if (!region.open) {
    out.line("region " + region.name + ": not open, for want of its root key");
    return;
  }
  say_region(out, region);
  if (region.erase_pending) out.line("  an erasure waits for the root key store");
  out.line("  ciphertexts: " + std::to_string(region.records) + ", " +
           spell_bytes(region.records_used_bytes) + " used of " +
           spell_bytes(region.records_file_bytes));
  out.line("  keyring: " + spell_bytes(region.keyring_used_bytes) + " used of " +
           spell_bytes(region.keyring_file_bytes));
  out.line("  erased and not yet swept: " + count_of(region.reclaim_entries, "entry", "entries"));
  std::string residue = "  overwritten or removed and not yet shredded: " +
                        count_of(region.residue_records, "record", "records");
  if (region.residue_oldest)
    residue += ", " + spell_bytes(region.residue_bytes) + ", the oldest " +
               spell_age(std::chrono::system_clock::now() - *region.residue_oldest) + " old";
  out.line(residue);
  if (const std::size_t out_of_step = region.mirrors.size() - mirrors_in_step(region))
    out.line("  out of step: " + count_of(out_of_step, "mirror", "mirrors") + " of the keyring");
  out.line("  on legal hold: " + count_of(region.people_held, "person", "people"));
}

void stat(const Common& common, Output& out) {
  Session session(common);
  const Stats stats = take(session.store().stats());
  if (out.json()) {
    for (const RegionStats& region : stats.regions) out.object(json_of(region));
    out.object({{"tenants", stats.tenants},
                {"locked_bytes", stats.locked_bytes},
                {"unlocked_bytes", stats.unlocked_bytes}});
    return;
  }
  for (const RegionStats& region : stats.regions) say_stats(out, region);
  out.line("tenants: " + std::to_string(stats.tenants));
  out.line("memory for keys: " + spell_bytes(stats.locked_bytes) + " locked, " +
           spell_bytes(stats.unlocked_bytes) + " not");
}

void metrics(const Common& common, Output& out) {
  Session session(common);
  out.raw(as_bytes(prometheus_text(take(session.store().stats()))));
}

}  // namespace

void add_store_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;

  const auto given = std::make_shared<InitOptions>();
  CLI::App& made =
      verbs.add(verbs.app, "init", "Make a store, and the root key files that are missing",
                "efface init people --region eu-west --root-key /mnt/keys/eu-west.root");
  text_option(made, "DIR", given->directory, "The directory to make").required();
  many_option(made, "--region", given->regions, "A region, perhaps elsewhere; repeat it for more")
      .type_name("NAME[=DIR]")
      ->required();
  made.callback([&common, &action, given] {
    action = [&common, given](Output& out) { init(common, *given, out); };
  });

  verbs
      .add(verbs.app, "stat", "Numbers about the store",
           "efface stat --json --store people --root-key /mnt/keys/eu-west.root")
      .callback([&common, &action] { action = [&common](Output& out) { stat(common, out); }; });
  verbs
      .add(verbs.app, "metrics", "The same numbers as Prometheus reads them",
           "efface metrics --store people --root-key /mnt/keys/eu-west.root")
      .callback([&common, &action] { action = [&common](Output& out) { metrics(common, out); }; });
}

}  // namespace efface::cli
