#include <algorithm>
#include <string>
#include <vector>

#include "tools/progress.h"
#include "tools/text.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

void say(const Finding& finding, Output& out) {
  if (out.json()) {
    Json object{{"severity", name(finding.severity)}, {"check", finding.check}};
    if (!finding.region.empty()) object["region"] = finding.region;
    object["says"] = finding.says;
    if (finding.number) object["number"] = *finding.number;
    if (*finding.remedy != '\0') object["remedy"] = finding.remedy;
    out.object(object);
    return;
  }
  std::string line = name(finding.severity);
  line.resize(9, ' ');
  if (!finding.region.empty()) line += finding.region + ' ';
  line += std::string(finding.check) + ": " + finding.says;
  if (finding.number) line += ": " + std::to_string(*finding.number);
  out.line(line);
  if (*finding.remedy != '\0') out.line("         -> " + std::string(finding.remedy));
}

void doctor(const Common& common, bool all, Output& out) {
  Session session(common);
  const std::vector<Finding> findings = take(session.store().diagnose());
  using enum Severity;
  Severity worst = ok;
  std::uint64_t well = 0;
  for (const Severity severity : {danger, warning, note, ok})  // The worst first.
    for (const Finding& finding : findings) {
      if (finding.severity != severity) continue;
      worst = std::max(worst, severity);
      if (severity == ok) ++well;
      if (severity != ok || all || out.json()) say(finding, out);
    }
  if (!out.json()) out.line(count_of(well, "thing is", "things are") + " as it should be");
  if (worst == warning) out.end_with(on_warning);
  if (worst == danger) out.end_with(on_danger);
}

void check(const Common& common, Output& out) {
  Session session(common);
  Progress progress(out.json(), {"check", "objects"});
  const CheckReport report = take(
      session.store().check([&](std::uint64_t objects) { progress.update({.count = objects}); }));
  progress.clear();
  if (out.json()) {
    Json damage = Json::array();
    for (const Damage& found : report.damage)
      damage.push_back({{"what", found.what}, {"count", found.count}, {"region", found.region}});
    out.object({{"clean", report.clean()},
                {"nodes", report.nodes},
                {"rows", report.rows},
                {"tenants", report.tenants},
                {"people", report.people},
                {"files", report.files},
                {"records", report.records},
                {"shared", report.shared},
                {"unswept", report.unswept},
                {"entries", report.entries},
                {"damage", damage}});
  } else {
    out.line("keys: " + count_of(report.nodes, "node", "nodes") + ", " +
             count_of(report.rows, "row", "rows") + ", " +
             count_of(report.tenants, "tenant", "tenants") + ", " +
             count_of(report.people, "person", "people") + ", " +
             count_of(report.files, "file", "files"));
    out.line("records: " + std::to_string(report.records) + " open, " +
             std::to_string(report.shared) + " shared, " + std::to_string(report.unswept) +
             " of the erased wait to be swept");
    out.line("ledger: " + count_of(report.entries, "entry", "entries"));
    for (const Damage& found : report.damage)
      out.line("damaged: " + found.region + ' ' + found.what + ": " + std::to_string(found.count));
    if (report.clean()) out.line("everything verifies");
  }
  if (!report.clean()) out.end_with(static_cast<int>(Exit::broken));
}

}  // namespace

void add_doctor_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto all = std::make_shared<bool>(false);
  CLI::App& doctor_verb =
      verbs.add(verbs.app, "doctor",
                "What of the store and the machine could break a promise, and what to do about it",
                "efface doctor --all");
  doctor_verb.add_flag("--all", *all, "Also say what is as it should be");
  doctor_verb.callback([&common, &action, all] {
    action = [&common, all](Output& out) { doctor(common, *all, out); };
  });
  verbs
      .add(verbs.app, "check",
           "Open every node, record and ledger entry, and count what is damaged",
           "efface check --verify")
      .callback([&common, &action] { action = [&common](Output& out) { check(common, out); }; });
}

}  // namespace efface::cli
