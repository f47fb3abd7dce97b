#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "efface/limits.h"
#include "tools/input.h"
#include "tools/text.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct EraseOptions {
  std::string tenant;
  std::vector<std::string> subjects;
  std::string from;
};

std::vector<WipedText> people_of(const EraseOptions& given) {
  if (given.subjects.empty() == given.from.empty())
    throw usage("name whom to erase: SUBJECT..., or --from FILE");
  std::vector<WipedText> ids;
  if (given.from.empty())
    for (const std::string& subject : given.subjects) ids.push_back(subject_id(subject));
  else
    ids = subject_ids(given.from);
  // Asked for twice is asked for once.
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

void add(Erasure& sum, Erasure&& part) {
  sum.erased += part.erased;
  sum.unknown += part.unknown;
  for (Erasure::InRegion& region : part.regions) {
    const auto same = std::find_if(sum.regions.begin(), sum.regions.end(),
                                   [&](const auto& one) { return one.region == region.region; });
    if (same == sum.regions.end())
      sum.regions.push_back(std::move(region));
    else
      same->epoch_after = region.epoch_after;
  }
}

void erase(const Common& common, const EraseOptions& given, Output& out) {
  const std::vector<WipedText> people = people_of(given);
  std::vector<SubjectId> ids;
  ids.reserve(people.size());
  for (const WipedText& id : people) ids.emplace_back(view(id));

  Session session(common);
  const Tenant tenant = session.tenant(given.tenant);
  Erasure sum;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t from = 0; from < ids.size(); from += limits::subjects_per_call_max) {
    const std::size_t many = std::min(limits::subjects_per_call_max, ids.size() - from);
    auto part = tenant.erase(std::span<const SubjectId>(ids).subspan(from, many));
    if (!part) {
      // Who is gone is gone: that is said as well.
      if (sum.erased > 0)
        say_erasure(out, sum, std::chrono::steady_clock::now() - start, "person", "people");
      throw Failure(part.error());
    }
    add(sum, std::move(*part));
  }
  say_erasure(out, sum, std::chrono::steady_clock::now() - start, "person", "people");
}

}  // namespace

void say_erasure(Output& out, const Erasure& erasure, std::chrono::nanoseconds time,
                 const char* one, const char* many) {
  if (out.json()) {
    Json object = {{"erased", erasure.erased},
                   {"unknown", erasure.unknown},
                   {"seconds", std::chrono::duration<double>(time).count()},
                   {"regions", Json::array()}};
    for (const Erasure::InRegion& region : erasure.regions)
      object["regions"].push_back({{"region", region.region},
                                   {"epoch_before", region.epoch_before},
                                   {"epoch_after", region.epoch_after},
                                   {"assurance", name(region.assurance.level)},
                                   {"rests_on", region.assurance.rests_on}});
    out.object(object);
  } else if (erasure.erased > 0) {
    std::string text = "erased " + count_of(erasure.erased, one, many) + " in " + spell(time);
    if (erasure.unknown > 0) text += ", " + std::to_string(erasure.unknown) + " unknown";
    out.line(text);
    for (const Erasure::InRegion& region : erasure.regions)
      out.line("region " + region.region + ": epoch " + std::to_string(region.epoch_before) +
               " is over, now " + std::to_string(region.epoch_after) + "; assurance " +
               name(region.assurance.level) + ": " + region.assurance.rests_on);
  }
  if (erasure.erased == 0)
    throw refused(Errc::subject_unknown, "nobody was erased: none of them is known here");
}

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
  verb.callback([&common, &action, given, &subjects] {
    given->subjects = subjects.results();
    action = [&common, given](Output& out) { erase(common, *given, out); };
  });
}

}  // namespace efface::cli
