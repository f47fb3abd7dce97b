#include "tools/session.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "tools/input.h"
#include "tools/per_region.h"
#include "tools/text.h"

namespace efface::cli {
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread.
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

void Common::complete() {
  if (store.empty()) store = environment("EFFACE_STORE");
  if (root_keys.empty()) root_keys = split_root_keys(environment("EFFACE_ROOT_KEY"));
  if (mirrors.empty()) mirrors = split_paths(environment("EFFACE_MIRROR"));
  if (ledger_copies.empty()) ledger_copies = split_paths(environment("EFFACE_LEDGER_COPY"));
  if (witnesses.empty()) witnesses = split_paths(environment("EFFACE_WITNESS"));
  if (passphrase_file.empty()) passphrase_file = environment("EFFACE_PASSPHRASE_FILE");
  if (accept_level.empty()) accept_level = environment("EFFACE_ACCEPT_LEVEL");
  shared = shared || environment("EFFACE_SHARED") == "1";
  if (processing_region.empty()) processing_region = environment("EFFACE_PROCESSING_REGION");
  if (!accept_level.empty() && accept_level != "L0" && accept_level != "L1")
    throw usage("--accept-level is L0 or L1, the default");
}

CLI::App& Verbs::add(CLI::App& parent, const char* name, const char* what,
                     const char* example) const {
  CLI::App& verb = *parent.add_subcommand(name, what);
  const char* const group = "Options that every verb has";
  verb.footer(std::string("Example:\n  ") + example);
  text_option(verb, "--store", common.store, "The store's directory (EFFACE_STORE)")
      .type_name("DIR")
      ->group(group);
  many_option(verb, "--root-key", common.root_keys,
              "Where a region's root keys lie; repeat it for each region (EFFACE_ROOT_KEY)")
      .type_name("[REGION=]STORE")
      ->group(group);
  many_option(verb, "--mirror", common.mirrors,
              "Where a region's keyring is mirrored; repeat it for more (EFFACE_MIRROR)")
      .type_name("[REGION=]DIR")
      ->group(group);
  many_option(verb, "--ledger-copy", common.ledger_copies,
              "Where a region's ledger is copied to, best on another volume (EFFACE_LEDGER_COPY)")
      .type_name("[REGION=]FILE")
      ->group(group);
  many_option(verb, "--witness", common.witnesses,
              "A checkpoint that was kept: a region from before it is refused (EFFACE_WITNESS)")
      .type_name("[REGION=]FILE")
      ->group(group);
  text_option(verb, "--passphrase-file", common.passphrase_file,
              "Its first line opens the root keys (EFFACE_PASSPHRASE_FILE)")
      .type_name("FILE")
      ->group(group);
  text_option(verb, "--accept-level", common.accept_level,
              "L0: take root keys that are destroyed only logically (EFFACE_ACCEPT_LEVEL)")
      .type_name("LEVEL")
      ->group(group);
  text_option(verb, "--processing-region", common.processing_region,
              "Where this runs: people of other regions are read here only by a transfer rule "
              "(EFFACE_PROCESSING_REGION)")
      .type_name("REGION")
      ->group(group);
  verb.add_flag("--require-agreement", common.require_agreement,
                "Write nothing for a tenant without a processing agreement")
      ->group(group);
  text_option(verb, "--actor", common.actor, "Who acts: a service or a desk, not a person")
      .type_name("LABEL")
      ->group(group);
  verb.add_flag("--shared", common.shared,
                "Beside other processes that have the store open with it (EFFACE_SHARED=1)")
      ->group(group);
  verb.add_flag("--verify", common.verify, "Check every page of the files before they are opened")
      ->group(group);
  verb.add_flag("--json", common.json, "One JSON object a line; errors too, on stderr")
      ->group(group);
  return verb;
}

CLI::Option& text_option(CLI::App& verb, const char* name, std::string& into, const char* what) {
  CLI::Option& option = *verb.add_option(name, into, what);
  // Of --purpose, PURPOSE.
  std::string kind = option.get_positional() ? "" : option.get_single_name();
  for (char& c : kind)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  option.type_name(kind);
  return option;
}

CLI::Option& many_option(CLI::App& verb, const char* name, std::vector<std::string>& into,
                         const char* what) {
  // One value for each time it is given: else it would take the arguments after it as well.
  return *verb.add_option(name, into, what)->allow_extra_args(false);
}

RootKeys root_keys(const Common& common) {
  return {common.passphrase_file, common.accept_level == "L0", common.shared};
}

std::vector<RegionOptions> region_options(const Common& common, RootKeys& keys) {
  std::vector<RegionOptions> regions;
  for (const auto& [region, text] :
       root_keys_of(common.root_keys, take(Store::region_names(common.store)))) {
    keys.add(region, text, false);
    regions.push_back({.name = region, .root_keys = keys.of(region)});
  }
  add_per_region(common, regions);
  return regions;
}

OpenOptions open_options(const Common& common) {
  if (common.store.empty()) throw usage("name the store: --store DIR, or EFFACE_STORE");
  OpenOptions options;
  options.directory = common.store;
  options.verify_structure = common.verify;
  options.accept_l0 = common.accept_level == "L0";
  options.processing_region = common.processing_region;
  options.require_agreement = common.require_agreement;
  options.shared = common.shared;
  return options;
}

Session::Session(const Common& common) : common_(common), keys_(root_keys(common)) {
  OpenOptions options = open_options(common);
  options.regions = region_options(common, keys_);
  store_.emplace(take(Store::open(options)));
}

Tenant Session::tenant(const std::string& name) const {
  return take(store_->tenant(name, Actor(common_.actor)));
}

Region region_of(const Store& store, const Tenant& tenant, const std::string& name) {
  if (!name.empty()) return take(store.region(name));
  const std::vector<Region> regions = tenant.regions();
  if (regions.size() != 1) throw usage("the tenant has several regions: name one with --region");
  return regions.front();
}

}  // namespace efface::cli
