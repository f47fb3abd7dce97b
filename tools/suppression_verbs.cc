#include <memory>
#include <string>
#include <vector>

#include "tools/dry_run.h"
#include "tools/person.h"
#include "tools/said.h"
#include "tools/text.h"
#include "tools/tickets.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct SuppressionOptions : PersonOptions, TicketOptions {
  std::string reason;
  bool dry_run = false;
};

void say_suppression(Output& out, const Store& store, const Tenant& tenant, SubjectId id) {
  const Result<Subject> subject = tenant.subject(id);
  const Errc code = subject ? Errc::subject_unknown : subject.error().code();
  if (code != Errc::subject_unknown && code != Errc::suppressed) throw Failure(subject.error());
  const bool held = subject && kept_of(tenant, *subject).holds > 0;
  const std::uint64_t erased = subject && !held ? 1 : 0;
  std::vector<std::string> regions;
  for (const Region& region : tenant.regions()) regions.emplace_back(region.name());
  std::string text = "suppress 1 id";
  if (code == Errc::suppressed) text += ", which is suppressed already";
  if (erased > 0) text += ", and erase 1 person";
  if (held) text += "; a legal hold keeps the person, who is erased when it is released";
  say_would(out, store, text,
            {{"would_suppress", 1}, {"would_erase", erased}, {"held", held ? 1 : 0}}, regions);
}

void suppress(const Common& common, const SuppressionOptions& given, Output& out) {
  const WipedText id = subject_id(given.subject);
  Session session(common);
  const Tenant tenant = session.tenant(given.tenant);
  if (given.dry_run) {
    say_suppression(out, session.store(), tenant, SubjectId(view(id)));
    return;
  }
  const Timer timer;
  const Erasure erasure = take(tenant.suppress(SubjectId(view(id)), given.receipt()));
  keep_tickets(given, erasure.receipts);
  std::string text = "suppressed 1 id";
  if (erasure.erased > 0) text += ", erased 1 person in " + spell(timer.passed());
  if (erasure.held > 0)
    text += "; a legal hold keeps the person, who is erased when it is released";
  say_erasure(out, text, {{"suppressed", 1}}, erasure, timer.passed());
}

void reinstate(const Common& common, const SuppressionOptions& given, Output& out) {
  const WipedText id = subject_id(given.subject);
  Session session(common);
  take(session.tenant(given.tenant).reinstate(SubjectId(view(id)), given.reason));
  if (out.json())
    out.object({{"reinstated", 1}});
  else
    out.line("reinstated 1 id");
}

void restrict(const Common& common, const SuppressionOptions& given, Output& out) {
  const OnePerson person(common, given);
  take(person.tenant().restrict(person.subject()));
  if (out.json())
    out.object({{"restricted", true}});
  else
    out.line("the restriction is in force");
}

void lift(const Common& common, const SuppressionOptions& given, Output& out) {
  const OnePerson person(common, given);
  take(person.tenant().lift_restriction(person.subject()));
  if (out.json())
    out.object({{"restricted", false}});
  else
    out.line("the restriction is lifted");
}

}  // namespace

void add_suppression_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<SuppressionOptions>();
  using Verb = void (*)(const Common&, const SuppressionOptions&, Output&);
  const auto hang = [&](CLI::App& verb, Verb what) {
    add_person_options(verb, *given);
    verb.callback([&common, &action, given, what] {
      action = [&common, given, what](Output& out) { what(common, *given, out); };
    });
  };
  hang(verbs.add(verbs.app, "restrict", "Keep a person's data and let nobody read or write it",
                 "efface restrict acme @id.txt"),
       restrict);
  hang(verbs.add(verbs.app, "lift", "Lift a restriction", "efface lift acme @id.txt"), lift);
  CLI::App& suppressed =
      verbs.add(verbs.app, "suppress", "Erase a person, and refuse to know the id from now on",
                "efface suppress acme @id.txt --tickets case-17.tickets");
  hang(suppressed, suppress);
  add_ticket_options(suppressed, *given);
  dry_run_option(suppressed, given->dry_run);
  CLI::App& reinstated =
      verbs.add(verbs.app, "reinstate", "End a suppression",
                "efface reinstate acme @id.txt --reason 'asked for an account again'");
  hang(reinstated, reinstate);
  text_option(reinstated, "--reason", given->reason, "Why").required();
}

}  // namespace efface::cli
