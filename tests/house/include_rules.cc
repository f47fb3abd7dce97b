#include <array>
#include <map>
#include <optional>
#include <set>

#include "house/rules.h"

namespace house {
namespace {

using Layers = std::set<std::string, std::less<>>;

// What each layer may include besides itself and the public headers.
const std::map<std::string, Layers, std::less<>>& layers() {
  static const auto* const all = [] {
    const auto with = [](Layers lower, const Layers& more) {
      lower.insert(more.begin(), more.end());
      return lower;
    };
    const Layers one = {"base", "os", "crypto", "codec", "storage"};
    const Layers two = with(one, {"keyring", "ledger", "custody"});
    const Layers three = with(two, {"records", "subjects"});
    return new std::map<std::string, Layers, std::less<>>{
        {"base", {}},
        {"os", {"base"}},
        {"crypto", {"base"}},
        {"codec", {"base", "crypto"}},
        {"storage", {"base", "os"}},
        {"ledger", {"base", "crypto"}},
        {"custody", {"base", "os", "crypto"}},
        {"keyring", with(one, {"ledger"})},
        {"records", two},
        {"subjects", two},
        {"access", three},
        {"rights", with(three, {"access"})},
        {"api", with(three, {"access", "rights"})},
        {"capi", {"base", "api"}}};
  }();
  return *all;
}

struct Family {
  std::string_view prefix;
  std::string_view folder;  // Empty: in no folder of the product.
};
constexpr std::array<Family, 13> families = {{{"sodium", "lib/crypto"},
                                              {"p11-kit/", "lib/custody"},
                                              {"tss2/", "lib/custody"},
                                              {"lmdb", "lib/storage"},
                                              {"zstd", "lib/codec"},
                                              {"zdict", "lib/codec"},
                                              {"flatbuffers/", "lib/codec"},
                                              {"CLI/", "tools"},
                                              {"nlohmann/", "tools"},
                                              {"gtest/", ""},
                                              {"gmock/", ""},
                                              {"benchmark/", ""},
                                              {"rapidcheck", ""}}};

bool is_product(const File& file) {
  return stands_in(file, "lib") || stands_in(file, "tools") || stands_in(file, "include");
}

std::string first_of(std::string_view include) {
  return std::string(include.substr(0, include.find('/')));
}

std::optional<std::string> fault_of(const File& file, const Include& include, const Tree& tree) {
  const std::string first = first_of(include.name);
  if (first == "efface") return std::nullopt;
  const bool names_a_layer = include.name.size() > first.size() && layers().contains(first);
  if (stands_in(file, "include"))
    return include.quoted || names_a_layer
               ? std::optional("a public header includes public headers alone")
               : std::nullopt;
  if (stands_in(file, "tools")) {
    if (names_a_layer) return "the command line includes efface/ alone";
    if (!include.quoted) return std::nullopt;
    const std::string own = first == "tools" ? include.name : "tools/" + include.name;
    for (const File& other : tree)
      if (other.path == own) return std::nullopt;
    return "the command line includes efface/ and its own headers";
  }
  const std::string layer = layer_of(file);
  if (layer.empty() || (!include.quoted && !names_a_layer)) return std::nullopt;
  if (!layers().contains(layer)) return "the layer " + layer + " is not known";
  if (!names_a_layer) return "name the layer: \"" + layer + "/" + include.name + "\"";
  if (first == layer || layers().at(layer).contains(first)) return std::nullopt;
  return layer + " stands beside or below " + first + ": includes go strictly down";
}

}  // namespace

Findings includes_go_down(const Tree& tree) {
  Findings findings;
  for (const File& file : tree) {
    if (!is_cxx(file)) continue;
    for (const Include& include : includes_of(file))
      if (const auto fault = fault_of(file, include, tree))
        findings.push_back({file.path, include.line, include.name + ": " + *fault});
  }
  return findings;
}

Findings third_party_stands_in_one_folder(const Tree& tree) {
  Findings findings;
  for (const File& file : tree) {
    if (!is_cxx(file) || !is_product(file)) continue;
    for (const Include& include : includes_of(file)) {
      for (const Family& family : families) {
        if (!include.name.starts_with(family.prefix)) continue;
        if (!family.folder.empty() && stands_in(file, family.folder)) continue;
        const std::string where = family.folder.empty() ? "tests" : std::string(family.folder);
        findings.push_back(
            {file.path, include.line, include.name + " stands in " + where + " alone"});
      }
    }
  }
  return findings;
}

Findings records_are_reached_through_access(const Tree& tree) {
  Findings findings;
  for (const File& file : tree) {
    const std::string layer = layer_of(file);
    if (!is_cxx(file) || !is_product(file)) continue;
    if (layer == "records" || layer == "access" || layer == "rights") continue;
    for (const Include& include : includes_of(file))
      if (include.name.starts_with("records/"))
        findings.push_back({file.path, include.line, include.name + ": go through access/"});
  }
  return findings;
}

}  // namespace house
