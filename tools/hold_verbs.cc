#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "tools/dry_run.h"
#include "tools/person.h"
#include "tools/said.h"
#include "tools/text.h"
#include "tools/times.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct HoldOptions : PersonOptions {
  std::string basis;
  std::string reason;
  std::string until;
  std::string number;
  bool dry_run = false;
};

HoldNumber number_of(const std::string& text) {
  HoldNumber number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0)
    throw usage("a hold is named by its number, from 1: efface hold show tells it");
  return number;
}

void add(const Common& common, const HoldOptions& given, Output& out) {
  HoldTerms terms{.basis = given.basis, .reason = given.reason, .until = {}};
  if (!given.until.empty()) {
    terms.until = time_point(given.until);
    if (!terms.until)
      throw usage("--until is a day or a time of UTC: 2027-01-31 or 2027-01-31T12:00:00Z");
  }
  const OnePerson person(common, given);
  const HoldNumber number = take(person.tenant().hold(person.subject(), terms));
  if (out.json())
    out.object({{"hold", number}});
  else
    out.line("hold " + std::to_string(number) + " is in force");
}

void say_release(Output& out, const OnePerson& person, HoldNumber number) {
  bool found = false;
  bool last = false;
  bool asked = false;
  take(person.tenant().dossier(person.subject(), [&](const Dossier& dossier) {
    for (const Hold& hold : dossier.holds) found = found || hold.number == number;
    last = dossier.holds.size() == 1;
    asked = dossier.erasure_asked;
  }));
  if (!found) throw refused(Errc::hold_unknown, "she has no hold of that number");
  std::string text = "release hold " + std::to_string(number);
  if (last)
    text +=
        asked ? ", the last, and erase 1 person" : ", the last: what only holds kept is destroyed";
  std::vector<std::string> regions;
  if (last) regions.emplace_back(person.subject().home().name());
  say_would(out, person.store(), text,
            {{"would_release", number}, {"last", last}, {"would_erase", last && asked ? 1 : 0}},
            regions);
}

void release(const Common& common, const HoldOptions& given, Output& out) {
  const HoldNumber number = number_of(given.number);
  const OnePerson person(common, given);
  if (given.dry_run) {
    say_release(out, person, number);
    return;
  }
  const Timer timer;
  const Erasure erasure = take(person.tenant().release(person.subject(), number));
  std::string text = "released hold " + std::to_string(number);
  if (erasure.erased > 0)
    text += ", erased 1 person in " + spell(timer.passed());
  else if (!erasure.regions.empty())
    text += ", destroyed what only holds kept in " + spell(timer.passed());
  say_erasure(out, text, {{"released", number}}, erasure, timer.passed());
}

void show(const Common& common, const HoldOptions& given, Output& out) {
  const OnePerson person(common, given);
  take(person.tenant().dossier(person.subject(), [&](const Dossier& dossier) {
    for (const Hold& hold : dossier.holds) say_hold(out, hold, Reason::said, std::nullopt);
  }));
}

}  // namespace

void add_hold_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<HoldOptions>();
  using Verb = void (*)(const Common&, const HoldOptions&, Output&);
  const auto hang = [&](CLI::App& verb, Verb what) {
    add_person_options(verb, *given);
    verb.callback([&common, &action, given, what] {
      action = [&common, given, what](Output& out) { what(common, *given, out); };
    });
  };
  CLI::App& group = *verbs.app.add_subcommand("hold", "Add, release and show legal holds");
  group.require_subcommand(1);
  CLI::App& added = verbs.add(group, "add", "Keep a person from being erased, whoever asks",
                              "efface hold add acme @id.txt --basis litigation --reason 'case 17' "
                              "--until 2027-12-31");
  hang(added, add);
  text_option(added, "--basis", given->basis, "A word for why: litigation, tax").required();
  text_option(added, "--reason", given->reason, "Why, in full").required();
  text_option(added, "--until", given->until,
              "A day, which is its beginning, or a time of UTC (default: until it is released)")
      .type_name("TIME");
  CLI::App& released =
      verbs.add(group, "release", "End a hold; the last one carries out what was asked meanwhile",
                "efface hold release acme @id.txt 1");
  hang(released, release);
  text_option(released, "NUMBER", given->number, "Which").required();
  dry_run_option(released, given->dry_run);
  hang(verbs.add(group, "show", "The holds of a person", "efface hold show acme @id.txt"), show);
}

}  // namespace efface::cli
