#include "tools/dry_run.h"

#include <algorithm>

namespace efface::cli {
namespace {

void say_nothing_is(Output& out) { out.line("nothing is destroyed: this was a dry run"); }

}  // namespace

void dry_run_option(CLI::App& verb, bool& into) {
  verb.add_flag("--dry-run", into, "Say what would be done, and change nothing");
}

void say_would(Output& out, const Store& store, const std::string& text, Json object,
               const std::vector<std::string>& regions) {
  const Stats stats = take(store.stats());
  Json ends = Json::array();
  if (!out.json()) out.line("would " + text);
  for (const RegionStats& region : stats.regions) {
    if (std::find(regions.begin(), regions.end(), region.name) == regions.end()) continue;
    const Assurance& assurance = region.assurance;
    ends.push_back({{"region", region.name},
                    {"epoch", region.epoch},
                    {"assurance", name(assurance.level)},
                    {"rests_on", assurance.rests_on}});
    if (!out.json())
      out.line("region " + region.name + ": epoch " + std::to_string(region.epoch) +
               " would be over; assurance " + name(assurance.level) + ": " + assurance.rests_on);
  }
  if (!out.json()) {
    say_nothing_is(out);
    return;
  }
  object["dry_run"] = true;
  object["regions"] = ends;
  out.object(object);
}

void say_would(Output& out, const std::string& text, Json object) {
  if (!out.json()) {
    out.line("would " + text);
    say_nothing_is(out);
    return;
  }
  object["dry_run"] = true;
  out.object(object);
}

Kept kept_of(const Tenant& tenant, const Subject& subject) {
  Kept kept;
  take(tenant.dossier(subject, [&](const Dossier& dossier) {
    kept.holds = dossier.holds.size();
    kept.erasure_asked = dossier.erasure_asked;
  }));
  return kept;
}

void refuse_if_held(const Tenant& tenant, const Subject& subject) {
  if (kept_of(tenant, subject).holds > 0)
    throw refused(Errc::legal_hold, "a legal hold keeps the person");
}

}  // namespace efface::cli
