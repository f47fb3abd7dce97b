#include <memory>
#include <string>

#include "tools/dry_run.h"
#include "tools/person.h"
#include "tools/said.h"
#include "tools/text.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct IdentityOptions : PersonOptions {
  std::string other;
  bool dry_run = false;
};

void add(const Common& common, const IdentityOptions& given, Output& out) {
  const OnePerson person(common, given);
  const WipedText further = subject_id(given.other);
  take(person.tenant().add_identifier(person.subject(), SubjectId(view(further))));
  if (out.json())
    out.object({{"identifiers_added", 1}});
  else
    out.line("added 1 identifier");
}

void list(const Common& common, const IdentityOptions& given, Output& out) {
  const OnePerson person(common, given);
  take(person.tenant().dossier(person.subject(), [&](const Dossier& dossier) {
    for (const std::string_view id : dossier.identifiers) {
      if (out.json())
        out.object({{"identifier", id}});
      else
        out.line(on_one_line(id));
    }
  }));
}

void merge(const Common& common, const IdentityOptions& given, Output& out) {
  const OnePerson into(common, given);
  const WipedText id = subject_id(given.other);
  Subject from = take(into.tenant().subject(SubjectId(view(id))));
  if (given.dry_run) {
    if (from.home() != into.subject().home())
      throw refused(Errc::region_mismatch, "they live in different regions");
    refuse_if_held(into.tenant(), into.subject());
    refuse_if_held(into.tenant(), from);
    say_would(out, into.store(), "merge 2 people into 1", {{"would_merge", 2}},
              {std::string(from.home().name())});
    return;
  }
  const Timer timer;
  const Erasure erasure = take(into.tenant().merge(into.subject(), std::move(from)));
  say_erasure(out, "merged 2 people into 1 in " + spell(timer.passed()), {{"merged", 2}}, erasure,
              timer.passed());
}

}  // namespace

void add_identity_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<IdentityOptions>();
  using Verb = void (*)(const Common&, const IdentityOptions&, Output&);
  const auto hang = [&](CLI::App& verb, Verb what) {
    add_person_options(verb, *given);
    verb.callback([&common, &action, given, what] {
      action = [&common, given, what](Output& out) { what(common, *given, out); };
    });
  };
  CLI::App& group =
      *verbs.app.add_subcommand("identifier", "Add and list further ids of one person");
  group.require_subcommand(1);
  CLI::App& added = verbs.add(group, "add", "Know a person by a further id too",
                              "efface identifier add acme @id.txt @mail.txt");
  hang(added, add);
  text_option(added, "FURTHER", given->other, "The further id; - and @FILE as for SUBJECT")
      .required();
  hang(verbs.add(group, "list", "The further ids of a person",
                 "efface identifier list acme @id.txt"),
       list);
  CLI::App& merged =
      verbs.add(verbs.app, "merge", "Make two people one: what the other has becomes hers",
                "efface merge acme @id.txt @other.txt");
  hang(merged, merge);
  text_option(merged, "OTHER", given->other, "Who is no more; - and @FILE as for SUBJECT")
      .required();
  dry_run_option(merged, given->dry_run);
}

}  // namespace efface::cli
