#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "efface/limits.h"
#include "tools/input.h"
#include "tools/said.h"
#include "tools/text.h"
#include "tools/tickets.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct EraseOptions : TicketOptions {
  std::string tenant;
  std::vector<std::string> subjects;
  std::string from;
};

struct Asked {
  WipedText id;
  std::uint64_t place;  // From 1: with --from, the line.
};

std::vector<Asked> people_of(const EraseOptions& given) {
  if (given.subjects.empty() == given.from.empty())
    throw usage("name whom to erase: SUBJECT..., or --from FILE");
  std::vector<WipedText> ids;
  if (given.from.empty())
    for (const std::string& subject : given.subjects) ids.push_back(subject_id(subject));
  else
    ids = subject_ids(given.from);
  std::vector<Asked> people;
  people.reserve(ids.size());
  for (WipedText& id : ids) people.push_back({std::move(id), people.size() + 1});
  // Asked for twice is asked for once.
  const auto before = [](const Asked& a, const Asked& b) {
    return std::tie(a.id, a.place) < std::tie(b.id, b.place);
  };
  std::sort(people.begin(), people.end(), before);
  const auto same = [](const Asked& a, const Asked& b) { return a.id == b.id; };
  people.erase(std::unique(people.begin(), people.end(), same), people.end());
  return people;
}

void add(Erasure& sum, Erasure&& part) {
  sum.erased += part.erased;
  sum.unknown += part.unknown;
  sum.held += part.held;
  sum.shared += part.shared;
  for (Erasure::InRegion& region : part.regions) {
    const auto same = std::find_if(sum.regions.begin(), sum.regions.end(),
                                   [&](const auto& one) { return one.region == region.region; });
    if (same == sum.regions.end())
      sum.regions.push_back(std::move(region));
    else
      same->epoch_after = region.epoch_after;
  }
}

void say(Output& out, const Erasure& sum, std::chrono::nanoseconds time) {
  if (!out.json() && sum.erased == 0) return;
  std::string text = "erased " + count_of(sum.erased, "person", "people") + " in " + spell(time);
  if (sum.unknown > 0) text += ", " + std::to_string(sum.unknown) + " unknown";
  if (sum.held > 0) text += ", " + std::to_string(sum.held) + " on legal hold";
  say_erasure(out, text, Json::object(), sum, time);
}

// Which holds keep whom.
void say_holds(Output& out, const Tenant& tenant, const std::vector<Asked>& people) {
  for (const Asked& asked : people) {
    const Result<Subject> subject = tenant.subject(SubjectId(view(asked.id)));
    if (!subject) continue;  // Nobody that a hold keeps.
    take(tenant.dossier(*subject, [&](const Dossier& dossier) {
      if (!dossier.erasure_asked) return;
      for (const Hold& hold : dossier.holds) say_hold(out, hold, Reason::left_out, asked.place);
    }));
  }
}

void erase(const Common& common, const EraseOptions& given, Output& out) {
  const std::vector<Asked> people = people_of(given);
  efface::EraseOptions options;
  options.receipt = given.receipt();
  std::vector<SubjectId> ids;
  ids.reserve(people.size());
  for (const Asked& asked : people) ids.emplace_back(view(asked.id));

  Session session(common);
  const Tenant tenant = session.tenant(given.tenant);
  Erasure sum;
  const Timer timer;
  for (std::size_t from = 0; from < ids.size(); from += limits::subjects_per_call_max) {
    const std::size_t many = std::min(limits::subjects_per_call_max, ids.size() - from);
    auto part = tenant.erase(std::span<const SubjectId>(ids).subspan(from, many), options);
    if (!part) {
      // Who is gone is gone: that is said as well.
      if (sum.erased > 0) say(out, sum, timer.passed());
      throw Failure(part.error());
    }
    keep_tickets(given, part->receipts,
                 [&](const ReceiptTicket& ticket) { return people.at(from + ticket.which).place; });
    add(sum, std::move(*part));
  }
  say(out, sum, timer.passed());
  if (sum.held > 0) {
    say_holds(out, tenant, people);
    throw refused(Errc::legal_hold,
                  "a legal hold keeps whom it names: restricted now, erased when it is released");
  }
  if (sum.erased == 0)
    throw refused(Errc::subject_unknown, "nobody was erased: none of them is known here");
}

}  // namespace

void add_erase_verb(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<EraseOptions>();
  CLI::App& verb = verbs.add(verbs.app, "erase", "Destroy all keys of people, at once and for ever",
                             "efface erase acme @id.txt");
  text_option(verb, "TENANT", given->tenant, "Whose data it is").required();
  // The parser takes this many one by one, and only so takes each as it is typed: an option that
  // takes any number would make two of [a,b].
  CLI::Option& subjects =
      *verb.add_option("SUBJECT", "The people's ids; - takes one from stdin, @FILE from a file")
           ->option_text("...")
           ->expected(static_cast<int>(limits::subjects_per_call_max))
           ->take_all();
  text_option(verb, "--from", given->from, "A file with one id a line; - is stdin")
      .type_name("FILE");
  add_ticket_options(verb, *given);
  verb.callback([&common, &action, given, &subjects] {
    given->subjects = subjects.results();
    action = [&common, given](Output& out) { erase(common, *given, out); };
  });
}

}  // namespace efface::cli
