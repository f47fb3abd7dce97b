#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/dry_run.h"
#include "tools/person.h"
#include "tools/said.h"
#include "tools/text.h"
#include "tools/tickets.h"
#include "tools/times.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct ConsentOptions : PersonOptions, TicketOptions {
  std::string region;
  std::string text_version;
  std::string channel;
  std::string when;
  bool lift = false;
  bool dry_run = false;
};

Evidence evidence_of(const ConsentOptions& given) {
  Evidence evidence{.text_version = given.text_version, .channel = given.channel, .when = {}};
  if (given.when.empty()) return evidence;
  evidence.when = time_point(given.when);
  if (!evidence.when)
    throw usage("--when is a day or a time of UTC: 2026-05-25 or 2026-05-25T09:30:00Z");
  return evidence;
}

void grant(const Common& common, const ConsentOptions& given, Output& out) {
  const Evidence evidence = evidence_of(given);
  const WipedText id = subject_id(given.subject);
  Session session(common);
  const Tenant tenant = session.tenant(given.tenant);
  const Purpose purpose = take(tenant.purpose(given.purpose));
  Result<Subject> subject = tenant.subject(SubjectId(view(id)));
  // Consent may be the first that one hears of her.
  if (!subject && subject.error().code() == Errc::subject_unknown)
    subject = tenant.enrol(SubjectId(view(id)), region_of(session.store(), tenant, given.region));
  if (!subject) throw Failure(subject.error());
  take(tenant.grant(*subject, purpose, evidence));
  if (out.json())
    out.object({{"consent", "granted"}, {"purpose", given.purpose}});
  else
    out.line("consent to " + given.purpose + " is in force");
}

void say_event(Output& out, const Event& event) {
  if (out.json()) {
    const auto text = [](std::string_view value) { return value.empty() ? Json() : Json(value); };
    out.object({{"event", name(event.kind)},
                {"at", spell_time(event.when)},
                {"purpose", text(event.purpose)},
                {"text_version", text(event.text_version)},
                {"channel", text(event.channel)},
                {"actor", text(event.actor)}});
    return;
  }
  std::string line = spell_time(event.when) + ' ' + name(event.kind);
  if (!event.purpose.empty()) line += ' ' + std::string(event.purpose);
  if (!event.text_version.empty()) line += ", text " + on_one_line(event.text_version);
  if (!event.channel.empty()) line += ", channel " + on_one_line(event.channel);
  if (!event.actor.empty()) line += ", by " + std::string(event.actor);
  out.line(line);
}

// Where she stands with a purpose, by the last that was decided about it.
const char* standing(const PurposeTerms& terms, std::optional<EventKind> last) {
  if (terms.basis == LegalBasis::consent) {
    if (last == EventKind::consent_granted) return "granted";
    return last == EventKind::consent_withdrawn ? "withdrawn" : "never_given";
  }
  return last == EventKind::objected ? "objected" : nullptr;
}

// What of a purpose is readable now; nothing where it may not be read.
std::optional<std::uint64_t> records_of(const Tenant& tenant, const Subject& subject,
                                        const Purpose& purpose) {
  std::uint64_t records = 0;
  const Activity activity = take(tenant.activity(purpose));
  const auto listed = activity.list(subject, {}, [&](std::string_view) {
    ++records;
    return Flow::more;
  });
  return listed ? std::optional(records) : std::nullopt;
}

void say_withdrawal(Output& out, const OnePerson& person, const std::string& purpose) {
  const Tenant& tenant = person.tenant();
  std::optional<EventKind> last;
  bool held = false;
  take(tenant.dossier(person.subject(), [&](const Dossier& dossier) {
    held = !dossier.holds.empty();
    for (const Event& event : dossier.events)
      if (event.kind <= EventKind::objection_lifted && event.purpose == purpose) last = event.kind;
  }));
  for (const PurposeTerms& terms : take(tenant.purposes()))
    if (terms.name == purpose && terms.basis != LegalBasis::consent)
      throw refused(Errc::basis_differs, "the purpose does not rest on consent");
  if (last != EventKind::consent_granted)
    throw refused(Errc::consent_missing, "no consent to it is in force");
  const auto records = records_of(tenant, person.subject(), take(tenant.purpose(purpose)));
  std::string text = "withdraw consent to " + purpose;
  if (held)
    text += "; a legal hold keeps what was collected on it";
  else
    text += ", and destroy what was collected on it";
  if (records) text += ": " + count_of(*records, "record", "records");
  std::vector<std::string> regions;
  if (!held) regions.emplace_back(person.subject().home().name());
  say_would(out, person.store(), text,
            {{"would_withdraw", purpose},
             {"records", records ? Json(*records) : Json()},
             {"held", held ? 1 : 0}},
            regions);
}

void withdraw(const Common& common, const ConsentOptions& given, Output& out) {
  const Evidence evidence = evidence_of(given);
  const OnePerson person(common, given);
  const Purpose purpose = take(person.tenant().purpose(given.purpose));
  if (given.dry_run) {
    say_withdrawal(out, person, given.purpose);
    return;
  }
  const Timer timer;
  const Erasure erasure =
      take(person.tenant().withdraw(person.subject(), purpose, evidence, given.receipt()));
  keep_tickets(given, erasure.receipts);
  std::string text = "consent to " + given.purpose + " is withdrawn; ";
  if (erasure.held > 0)
    text += "a legal hold keeps what was collected on it, and nobody reads that";
  else
    text += "what was collected on it is destroyed, in " + spell(timer.passed());
  say_erasure(out, text, {{"consent", "withdrawn"}, {"purpose", given.purpose}}, erasure,
              timer.passed());
}

void say_dossier(Output& out, const Dossier& dossier, std::span<const PurposeTerms> purposes,
                 std::string_view only) {
  std::map<std::string_view, EventKind> last;
  for (const Event& event : dossier.events)
    if (event.kind <= EventKind::objection_lifted) last[event.purpose] = event.kind;
  if (only.empty() && out.json())
    out.object({{"restricted", dossier.restricted},
                {"erasure_asked", dossier.erasure_asked},
                {"holds", dossier.holds.size()},
                {"events_dropped", dossier.events_dropped}});
  if (only.empty() && !out.json()) {
    if (dossier.restricted) out.line("restricted: nobody reads or writes");
    if (dossier.erasure_asked) out.line("an erasure waits for the release of a legal hold");
  }
  for (const PurposeTerms& terms : purposes) {
    if (!only.empty() && terms.name != only) continue;
    const auto found = last.find(terms.name);
    const char* const stands =
        standing(terms, found == last.end() ? std::nullopt : std::optional(found->second));
    if (stands == nullptr) continue;
    if (out.json())
      out.object({{"purpose", terms.name}, {"standing", stands}});
    else
      out.line(terms.name + ": " + stands);
  }
  for (const Event& event : dossier.events)
    if (only.empty() || event.purpose == only) say_event(out, event);
}

void show(const Common& common, const ConsentOptions& given, Output& out) {
  const OnePerson person(common, given);
  if (!given.purpose.empty()) static_cast<void>(take(person.tenant().purpose(given.purpose)));
  const std::vector<PurposeTerms> purposes = take(person.tenant().purposes());
  take(person.tenant().dossier(person.subject(), [&](const Dossier& dossier) {
    say_dossier(out, dossier, purposes, given.purpose);
  }));
}

void object(const Common& common, const ConsentOptions& given, Output& out) {
  const OnePerson person(common, given);
  const Purpose purpose = take(person.tenant().purpose(given.purpose));
  take(given.lift ? person.tenant().lift_objection(person.subject(), purpose)
                  : person.tenant().object(person.subject(), purpose));
  if (out.json())
    out.object({{"objected", !given.lift}, {"purpose", given.purpose}});
  else
    out.line(given.lift ? "the objection to " + given.purpose + " is lifted"
                        : "the objection to " + given.purpose + " is in force");
}

void add_evidence_options(CLI::App& verb, ConsentOptions& given) {
  text_option(verb, "--text-version", given.text_version, "Of what she was shown");
  text_option(verb, "--channel", given.channel, "Where: web, phone, shop");
  text_option(verb, "--when", given.when, "A day or a time of UTC (default: now)")
      .type_name("TIME");
}

}  // namespace

void add_consent_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<ConsentOptions>();
  using Verb = void (*)(const Common&, const ConsentOptions&, Output&);
  const auto hang = [&](CLI::App& verb, bool purpose_needed, Verb what) {
    add_person_options(verb, *given);
    purpose_option(verb, *given).required(purpose_needed);
    verb.callback([&common, &action, given, what] {
      action = [&common, given, what](Output& out) { what(common, *given, out); };
    });
  };

  CLI::App& group = *verbs.app.add_subcommand("consent", "Grant, withdraw and show consent");
  group.require_subcommand(1);
  CLI::App& granted = verbs.add(group, "grant", "Put consent in force, with its evidence",
                                "efface consent grant acme @id.txt --purpose recommendations "
                                "--text-version 2026-05 --channel web");
  hang(granted, true, grant);
  add_evidence_options(granted, *given);
  text_option(granted, "--region", given->region,
              "Where she is enrolled when she is new (default: the tenant's only region)");
  CLI::App& withdrawn =
      verbs.add(group, "withdraw", "Withdraw consent: destroys what was collected on it",
                "efface consent withdraw acme @id.txt --purpose recommendations --channel phone");
  hang(withdrawn, true, withdraw);
  add_evidence_options(withdrawn, *given);
  add_ticket_options(withdrawn, *given);
  dry_run_option(withdrawn, given->dry_run);
  hang(verbs.add(group, "show", "Where she stands, and what was decided when",
                 "efface consent show acme @id.txt --purpose recommendations"),
       false, show);

  CLI::App& objects =
      verbs.add(verbs.app, "object", "Object to a purpose that rests on an interest or a task",
                "efface object acme @id.txt --purpose support");
  hang(objects, true, object);
  objects.add_flag("--lift", given->lift, "Take the objection back");
}

}  // namespace efface::cli
