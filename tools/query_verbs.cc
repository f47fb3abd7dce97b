#include <charconv>
#include <memory>
#include <optional>
#include <string>

#include "tools/progress.h"
#include "tools/text.h"
#include "tools/times.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct QueryWords {
  std::string tenant;
  std::string purpose;
  std::string consent;
  std::string objected;
  std::string restricted;
  std::string held;
  std::string recipient;
  std::string expires_before;
  std::string not_updated_since;
  std::string limit;
  std::string cursor;
  bool automated = false;
  bool count = false;
};

std::optional<bool> yes_or_no(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text == "yes") return true;
  if (text == "no") return false;
  throw usage("a condition of this kind is yes or no");
}

std::optional<TimePoint> time_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto time = time_point(text);
  if (!time) throw usage("a time is a day or a time of UTC: 2026-05-25 or 2026-05-25T09:30:00Z");
  return time;
}

Query query_of(const QueryWords& given, const Tenant& tenant) {
  Query query;
  if (!given.purpose.empty()) query.purpose = take(tenant.purpose(given.purpose));
  query.consent = yes_or_no(given.consent);
  query.objected = yes_or_no(given.objected);
  query.restricted = yes_or_no(given.restricted);
  query.held = yes_or_no(given.held);
  query.recipient = given.recipient;
  query.automated_decision = given.automated;
  query.expires_before = time_of(given.expires_before);
  query.not_updated_since = time_of(given.not_updated_since);
  return query;
}

QueryOptions page_of(const QueryWords& given) {
  QueryOptions options{.cursor = given.cursor};
  if (given.limit.empty()) return options;
  const char* const end = given.limit.data() + given.limit.size();
  const auto [stop, error] = std::from_chars(given.limit.data(), end, options.limit);
  if (error != std::errc() || stop != end || options.limit == 0)
    throw usage("--limit is a number of people, from 1");
  return options;
}

void say_person(Output& out, std::string_view id, const Region& home) {
  if (out.json())
    out.object({{"id", id}, {"region", home.name()}});
  else
    out.line(on_one_line(id) + '\t' + std::string(home.name()));
}

void query(const Common& common, const QueryWords& given, Output& out) {
  QueryOptions options = page_of(given);
  Session session(common);
  const Tenant tenant = session.tenant(given.tenant);
  const Query asked = query_of(given, tenant);
  if (given.count) {
    const std::uint64_t matches = take(tenant.count(asked));
    if (out.json())
      out.object({{"matches", matches}});
    else
      out.line(std::to_string(matches));
    return;
  }
  std::uint64_t matches = 0;
  std::string cursor = given.cursor;
  const bool draws = Progress::suits(out.json());
  Progress progress(out.json(), {"query", "people"});
  do {
    options.cursor = cursor;
    QueryPage page =
        take(tenant.query(asked, options, [&](std::string_view id, const Region& home) {
          say_person(out, id, home);
        }));
    matches += page.matches;
    cursor = std::move(page.cursor);
    if (draws) progress.update({.count = matches});
  } while (given.limit.empty() && !cursor.empty());
  progress.clear();
  if (out.json())
    out.object({{"matches", matches}, {"cursor", cursor.empty() ? Json() : Json(cursor)}});
  else if (!cursor.empty())
    out.notice("there may be more: --cursor " + cursor, {});
}

Json json_of(const ProcessingRecord::Entry& entry) {
  const PurposeTerms& terms = entry.terms;
  return {{"purpose", terms.name},
          {"basis", name(terms.basis)},
          {"categories", terms.categories},
          {"retain_days", terms.retention ? Json(terms.retention->count()) : Json()},
          {"people", entry.people},
          {"consents", entry.consents},
          {"objections", entry.objections},
          {"recipients", entry.recipients},
          {"automated_decisions", entry.automated_decisions}};
}

Json json_of(const ProcessingRecord& record) {
  Json object = {{"tenant", record.tenant}, {"regions", record.regions}};
  object["agreement"] = Json();
  if (record.agreement)
    object["agreement"] = {{"reference", record.agreement->reference},
                           {"date", spell_date(record.agreement->date)}};
  object["transfers"] = Json::array();
  for (const TransferRule& rule : record.transfers)
    object["transfers"].push_back(
        {{"from", rule.from}, {"to", rule.to}, {"basis", name(rule.basis)}});
  object["purposes"] = Json::array();
  for (const ProcessingRecord::Entry& entry : record.purposes)
    object["purposes"].push_back(json_of(entry));
  object["people"] = record.people;
  object["people_restricted"] = record.people_restricted;
  object["people_held"] = record.people_held;
  return object;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + on_one_line(word);
  return text.empty() ? "none" : text;
}

void say_entry(Output& out, const ProcessingRecord::Entry& entry) {
  const PurposeTerms& terms = entry.terms;
  out.line("purpose " + terms.name + ": " + name(terms.basis) + ", " +
           (terms.retention ? "kept " + count_of(terms.retention->count(), "day", "days")
                            : std::string("kept until erased")));
  out.line("  categories: " + joined(terms.categories));
  out.line("  recipients: " + joined(entry.recipients));
  out.line("  people: " + std::to_string(entry.people) + ", " +
           count_of(entry.consents, "consent", "consents") + ", " +
           count_of(entry.objections, "objection", "objections") +
           (entry.automated_decisions ? ", automated decisions" : ""));
}

void processing(const Common& common, const QueryWords& given, Output& out) {
  Session session(common);
  const ProcessingRecord record = take(session.tenant(given.tenant).processing_record());
  if (out.json()) {
    out.object(json_of(record));
    return;
  }
  out.line("tenant " + record.tenant + ", in " + joined(record.regions));
  out.line("agreement: " + (record.agreement ? on_one_line(record.agreement->reference) + " of " +
                                                   spell_date(record.agreement->date)
                                             : std::string("none")));
  for (const TransferRule& rule : record.transfers)
    out.line("transfer " + rule.from + " to " + rule.to + ": " + name(rule.basis));
  for (const ProcessingRecord::Entry& entry : record.purposes) say_entry(out, entry);
  out.line("people: " + std::to_string(record.people) + ", " +
           std::to_string(record.people_restricted) + " restricted, " +
           std::to_string(record.people_held) + " on legal hold");
}

void add_conditions(CLI::App& verb, QueryWords& given) {
  text_option(verb, "--purpose", given.purpose, "Who has records of it (default: of any)");
  const auto asks = [&](const char* name, std::string& into, const char* what) {
    text_option(verb, name, into, what).type_name("yes|no");
  };
  asks("--consent", given.consent, "Whose consent to the purpose is in force, or is not");
  asks("--objected", given.objected, "Who objected");
  asks("--restricted", given.restricted, "Whose processing is restricted");
  asks("--held", given.held, "Who is on legal hold");
  text_option(verb, "--recipient", given.recipient, "Whose records were disclosed there");
  verb.add_flag("--automated", given.automated, "About whom a decision was taken without a human");
  text_option(verb, "--expires-before", given.expires_before, "Of whom some record expires then")
      .type_name("TIME");
  text_option(verb, "--not-updated-since", given.not_updated_since,
              "For whom nothing was written since")
      .type_name("TIME");
}

}  // namespace

void add_query_verbs(const Verbs& verbs, CLI::App& tenant) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<QueryWords>();
  CLI::App& asked = verbs.add(verbs.app, "query", "The people of a tenant whom conditions fit",
                              "efface query acme --purpose recommendations --consent yes --count");
  text_option(asked, "TENANT", given->tenant, "Whose people").required();
  add_conditions(asked, *given);
  asked.add_flag("--count", given->count, "Only how many they are");
  text_option(asked, "--limit", given->limit, "Stop after about so many people").type_name("COUNT");
  text_option(asked, "--cursor", given->cursor, "Go on where a limit stopped");
  asked.callback([&common, &action, given] {
    action = [&common, given](Output& out) { query(common, *given, out); };
  });

  CLI::App& recorded =
      verbs.add(tenant, "processing", "The record of processing activities [GDPR 30]",
                "efface tenant processing acme --json");
  text_option(recorded, "TENANT", given->tenant, "Whose").required();
  recorded.callback([&common, &action, given] {
    action = [&common, given](Output& out) { processing(common, *given, out); };
  });
}

}  // namespace efface::cli
