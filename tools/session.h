// tools/session.h -- the options that every verb has, and the store that they open.
//
// Shape     --root-key [REGION=]STORE (root_keys.h). REGION= is taken for a region when it is a
//           label; a bare STORE goes to the only region. What is not given comes from EFFACE_STORE,
//           EFFACE_ROOT_KEY, EFFACE_PASSPHRASE_FILE, EFFACE_ACCEPT_LEVEL and
//           EFFACE_PROCESSING_REGION.
// Lifetime  Handles of the store do not outlive the Session.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "efface/efface.h"
#include "tools/output.h"
#include "tools/root_keys.h"

namespace efface::cli {

struct Common {
  std::string store;
  std::vector<std::string> root_keys;
  std::vector<std::string> mirrors;
  std::vector<std::string> ledger_copies;
  std::vector<std::string> witnesses;
  std::string passphrase_file;
  std::string accept_level;
  std::string processing_region;
  std::string actor = "cli";
  bool require_agreement = false;
  bool verify = false;
  bool shared = false;
  bool json = false;

  // Fills what is not given from the environment. Errors: usage.
  void complete();
};

// What is to be done once the command line is understood.
using Action = std::function<void(Output&)>;

// What each group of verbs is given to hang itself into.
struct Verbs {
  CLI::App& app;
  Common& common;
  Action& action;

  // A verb with the options that all have.
  CLI::App& add(CLI::App& parent, const char* name, const char* what, const char* example) const;
};

// A positional or an option that takes exactly one text.
CLI::Option& text_option(CLI::App& verb, const char* name, std::string& into, const char* what);
CLI::Option& many_option(CLI::App& verb, const char* name, std::vector<std::string>& into,
                         const char* what);

// The root key stores of a command line, none open yet.
RootKeys root_keys(const Common& common);

OpenOptions open_options(const Common& common);
// Opens what is given for each region.
std::vector<RegionOptions> region_options(const Common& common, RootKeys& keys);

class Session {
 public:
  explicit Session(const Common& common);
  const Store& store() const noexcept { return *store_; }
  Tenant tenant(const std::string& name) const;

 private:
  const Common& common_;
  RootKeys keys_;  // Outlive the store.
  std::optional<Store> store_;
};

// The tenant's region of that name, or its only one when none is named. Errors: usage.
Region region_of(const Store& store, const Tenant& tenant, const std::string& name);

}  // namespace efface::cli
