#include <charconv>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/bulk_erase.h"
#include "tools/dry_run.h"
#include "tools/input.h"
#include "tools/said.h"
#include "tools/text.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct EraseVerbOptions : ListOptions {
  std::string tenant;
  std::vector<std::string> subjects;
  std::string chunk;
  bool dry_run = false;
  BulkOptions bulk;
};

std::size_t chunk_of(const std::string& text) {
  std::size_t people = limits::subjects_per_call_max;
  if (text.empty()) return people;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), people);
  if (error != std::errc() || end != text.data() + text.size() || people == 0 ||
      people > limits::subjects_per_call_max)
    throw usage("--chunk is a number of people, from 1 to 100000");
  return people;
}

// Their place is the line, or which argument it is.
IdList people_of(const EraseVerbOptions& given) {
  if (given.subjects.empty() == !given.any())
    throw usage("name whom to erase: SUBJECT..., or a list by --from, --csv or --ndjson");
  IdList people;
  if (given.any()) {
    people = IdList::read(given);
  } else {
    if (!given.bulk.journal.empty()) throw usage("a --journal is of a list: --from FILE");
    for (const std::string& subject : given.subjects)
      people.add(view(subject_id(subject)), people.size() + 1);
  }
  people.drop_doubles();
  return people;
}

void say(Output& out, const EraseVerbOptions& given, const BulkReport& report,
         std::chrono::nanoseconds time) {
  const Erasure& sum = report.sum;
  if (!out.json() && sum.erased == 0) return;
  std::string text = "erased " + count_of(sum.erased, "person", "people") + " in " + spell(time);
  if (sum.unknown > 0) text += ", " + std::to_string(sum.unknown) + " unknown";
  if (sum.held > 0) text += ", " + std::to_string(sum.held) + " on legal hold";
  Json object = Json::object();
  if (!given.bulk.journal.empty()) {
    if (report.after_line > 0)
      text += "; up to line " + std::to_string(report.after_line) + " by earlier runs";
    object["after_line"] = report.after_line;
    object["through_line"] = report.through_line;
  }
  say_erasure(out, text, object, sum, time);
}

// Which holds keep whom.
void say_holds(Output& out, const Tenant& tenant, const IdList& people, const BulkReport& report) {
  for (const auto& [first, end] : report.held) {
    for (std::size_t i = first; i < end; ++i) {
      const Result<Subject> subject = tenant.subject(SubjectId(people.id(i)));
      if (!subject) continue;  // Nobody that a hold keeps.
      take(tenant.dossier(*subject, [&](const Dossier& dossier) {
        if (!dossier.erasure_asked) return;
        for (const Hold& hold : dossier.holds)
          say_hold(out, hold, Reason::left_out, people.line(i));
      }));
    }
  }
}

void say_whom(Output& out, const Store& store, const Tenant& tenant, const IdList& people) {
  std::uint64_t erased = 0;
  std::uint64_t unknown = 0;
  std::uint64_t held = 0;
  std::set<std::string> regions;
  Progress progress(out.json(), {"erase", "people"});
  for (std::size_t i = 0; i < people.size(); ++i) {
    if (i % 256 == 0) progress.update({.count = i, .measure = 0, .total = people.size()});
    const Result<Subject> subject = tenant.subject(SubjectId(people.id(i)));
    const Errc code = subject ? Errc::subject_unknown : subject.error().code();
    if (code != Errc::subject_unknown && code != Errc::suppressed) throw Failure(subject.error());
    if (!subject) {
      ++unknown;
    } else if (kept_of(tenant, *subject).holds > 0) {
      ++held;
    } else {
      ++erased;
      regions.emplace(subject->home().name());
    }
  }
  progress.clear();
  say_would(out, store,
            "erase " + count_of(erased, "person", "people") + ", " + std::to_string(unknown) +
                " unknown, " + std::to_string(held) + " on legal hold",
            {{"would_erase", erased}, {"unknown", unknown}, {"held", held}},
            {regions.begin(), regions.end()});
}

void erase(const Common& common, EraseVerbOptions given, Output& out) {
  given.bulk.chunk_people = chunk_of(given.chunk);
  const IdList people = people_of(given);
  Session session(common);
  const Tenant tenant = session.tenant(given.tenant);
  if (given.dry_run) {
    say_whom(out, session.store(), tenant, people);
    return;
  }
  BulkErasure erasure(session.store(), tenant, people, given.bulk);
  const BulkReport& report = erasure.report();
  const Timer timer;
  try {
    Progress progress(out.json(), {"erase", "people"});
    erasure.run(progress);
  } catch (const Failure&) {
    // Who is gone is gone: that is said as well.
    if (report.sum.erased > 0) say(out, given, report, timer.passed());
    throw;
  }
  say(out, given, report, timer.passed());
  if (report.sum.held > 0) {
    say_holds(out, tenant, people, report);
    throw refused(Errc::legal_hold,
                  "a legal hold keeps whom it names: restricted now, erased when it is released");
  }
  if (report.sum.erased == 0)
    throw refused(Errc::subject_unknown, "nobody was erased: none of them is known here");
}

}  // namespace

void add_erase_verb(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<EraseVerbOptions>();
  CLI::App& verb = verbs.add(verbs.app, "erase", "Destroy all keys of people, at once and for ever",
                             "efface erase acme @id.txt\n"
                             "  efface erase acme --from ids.txt --journal ids.journal");
  text_option(verb, "TENANT", given->tenant, "Whose data it is").required();
  // The parser takes this many one by one, and only so takes each as it is typed: an option that
  // takes any number would make two of [a,b].
  CLI::Option& subjects =
      *verb.add_option("SUBJECT", "The people's ids; - takes one from stdin, @FILE from a file")
           ->option_text("...")
           ->expected(static_cast<int>(limits::subjects_per_call_max))
           ->take_all();
  add_list_options(verb, *given);
  text_option(verb, "--journal", given->bulk.journal,
              "Of a list: how far it is done, so that a run which was killed goes on")
      .type_name("FILE");
  text_option(verb, "--chunk", given->chunk, "So many in one epoch (default, and at most: 100000)")
      .type_name("PEOPLE");
  add_ticket_options(verb, given->bulk);
  dry_run_option(verb, given->dry_run);
  verb.callback([&common, &action, given, &subjects] {
    given->subjects = subjects.results();
    action = [&common, given](Output& out) { erase(common, *given, out); };
  });
}

}  // namespace efface::cli
