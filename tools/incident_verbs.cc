#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/text.h"
#include "tools/times.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct IncidentOptions {
  std::vector<std::string> tenants;
  std::vector<std::string> regions;
  std::vector<std::string> exposed;
  std::string from;
  std::string until;
  std::string discovered;
  std::string reference;
  std::string number;
  std::string text;
  std::string audience;
  std::string when;
  std::string tenant;
};

IncidentNumber incident_number(const std::string& text) {
  IncidentNumber number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0)
    throw usage("an incident is named by its number: efface incident list tells it");
  return number;
}

TimePoint time_of(const std::string& text, const char* option) {
  const auto time = time_point(text);
  if (!time)
    throw usage(std::string(option) +
                " is a day or a time of UTC: 2026-05-25 or 2026-05-25T09:30:00Z");
  return *time;
}

std::optional<TimePoint> time_if_any(const std::string& text, const char* option) {
  if (text.empty()) return std::nullopt;
  return time_of(text, option);
}

Exposed exposed_of(const std::vector<std::string>& words) {
  Exposed exposed;
  for (const std::string& word : words) {
    bool* const what = word == "records"    ? &exposed.records
                       : word == "keyring"  ? &exposed.keyring
                       : word == "root-key" ? &exposed.root_key
                       : word == "memory"   ? &exposed.memory
                                            : nullptr;
    if (what == nullptr) throw usage("--exposed is records, keyring, root-key or memory");
    *what = true;
  }
  return exposed;
}

Json words_of(const Exposed& exposed) {
  Json words = Json::array();
  if (exposed.records) words.push_back("records");
  if (exposed.keyring) words.push_back("keyring");
  if (exposed.root_key) words.push_back("root-key");
  if (exposed.memory) words.push_back("memory");
  return words;
}

Audience audience_of(const std::string& word) {
  if (word == "authority") return Audience::authority;
  if (word == "people") return Audience::people;
  throw usage("who is told is authority or people");
}

std::string joined(const Json& words) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : ", ") + on_one_line(word.get<std::string>());
  return text.empty() ? "none" : text;
}

std::string hours(std::chrono::seconds time) {
  const auto whole = std::chrono::floor<std::chrono::hours>(time).count();
  return count_of(static_cast<std::uint64_t>(whole), "hour", "hours");
}

std::string state_of(const Incident& incident) {
  if (incident.closed) return "closed";
  if (!incident.left) return "the authority is notified";
  if (incident.left->count() < 0) return "overdue by " + hours(-*incident.left);
  return hours(*incident.left) + " left";
}

Json time_json(const std::optional<TimePoint>& when) {
  return when ? Json(spell_time(*when)) : Json();
}

Json json_of(const Incident& incident) {
  Json object = {{"incident", incident.number},
                 {"reference", incident.terms.reference},
                 {"opened", spell_time(incident.opened)},
                 {"opened_by", incident.opened_by},
                 {"discovered", spell_time(incident.terms.discovered)},
                 {"deadline", spell_time(incident.deadline)},
                 {"from", spell_time(incident.terms.from)},
                 {"until", spell_time(incident.terms.until)},
                 {"exposed", words_of(incident.terms.exposed)},
                 {"regions", incident.terms.regions},
                 {"tenants", incident.terms.tenants},
                 {"every_tenant", incident.every_tenant}};
  object["seconds_left"] = incident.left ? Json(incident.left->count()) : Json();
  object["authority_notified"] = time_json(incident.authority_notified);
  object["people_notified"] = time_json(incident.people_notified);
  object["closed"] = time_json(incident.closed);
  object["updates"] = Json::array();
  for (const IncidentUpdate& update : incident.updates)
    object["updates"].push_back(
        {{"when", spell_time(update.when)}, {"actor", update.actor}, {"text", update.text}});
  return object;
}

Json json_of(const TenantExposure& exposure) {
  Json object = {{"tenant", exposure.tenant},
                 {"reach", name(exposure.reach)},
                 {"people", exposure.people},
                 {"people_gone", exposure.people_gone},
                 {"people_beyond_reach", exposure.people_beyond_reach},
                 {"days_gone", exposure.days_gone},
                 {"days_beyond_reach", exposure.days_beyond_reach},
                 {"purposes", Json::array()}};
  for (const TenantExposure::OfPurpose& of : exposure.purposes)
    object["purposes"].push_back({{"purpose", of.purpose},
                                  {"categories", of.categories},
                                  {"people", of.people},
                                  {"people_perhaps", of.people_perhaps},
                                  {"records", of.records},
                                  {"consents_gone", of.consents_gone},
                                  {"consents_beyond_reach", of.consents_beyond_reach}});
  return object;
}

Json json_of(const Exposure& exposure) {
  Json object = {{"reach", name(exposure.reach)},
                 {"tenants", exposure.tenants},
                 {"people", exposure.people},
                 {"people_gone", exposure.people_gone},
                 {"people_beyond_reach", exposure.people_beyond_reach},
                 {"regions", Json::array()}};
  for (const Exposure::InRegion& region : exposure.regions)
    object["regions"].push_back({{"region", region.region},
                                 {"reaches_back_to", time_json(region.reaches_back_to)},
                                 {"tenants_gone", region.tenants_gone},
                                 {"epochs_ended", region.epochs_ended}});
  return object;
}

void open(const Common& common, const IncidentOptions& given, Output& out) {
  const TimePoint now = std::chrono::system_clock::now();
  IncidentTerms terms;
  terms.tenants = given.tenants;
  terms.regions = given.regions;
  terms.exposed = exposed_of(given.exposed);
  terms.from = time_of(given.from, "--from");
  terms.until = time_if_any(given.until, "--until").value_or(now);
  terms.discovered = time_if_any(given.discovered, "--discovered").value_or(now);
  terms.reference = given.reference;
  Session session(common);
  const IncidentNumber number = take(session.store().open_incident(terms, Actor(common.actor)));
  const Incident incident = take(session.store().incident(number));
  if (out.json())
    out.object(json_of(incident));
  else
    out.line("incident " + std::to_string(number) + " is open; notify the authority by " +
             spell_time(incident.deadline) + ": " + state_of(incident));
}

void list(const Common& common, const IncidentOptions&, Output& out) {
  Session session(common);
  for (const Incident& incident : take(session.store().incidents())) {
    if (out.json())
      out.object(json_of(incident));
    else
      out.line("incident " + std::to_string(incident.number) + ": " + state_of(incident) + "; " +
               on_one_line(incident.terms.reference));
  }
}

void say_incident(Output& out, const Incident& incident) {
  const IncidentTerms& terms = incident.terms;
  out.line("incident " + std::to_string(incident.number) + ": " + state_of(incident));
  out.line("reference: " + on_one_line(terms.reference));
  out.line("exposed: " + joined(words_of(terms.exposed)) + ", from " + spell_time(terms.from) +
           " until " + spell_time(terms.until));
  out.line("discovered: " + spell_time(terms.discovered) + ", deadline " +
           spell_time(incident.deadline));
  out.line("tenants: " + joined(terms.tenants) + "; regions: " + joined(terms.regions));
  const auto told = [](const std::optional<TimePoint>& when) {
    return when ? spell_time(*when) : std::string("not notified");
  };
  out.line("authority: " + told(incident.authority_notified) +
           "; people: " + told(incident.people_notified));
  for (const IncidentUpdate& update : incident.updates)
    out.line("update " + spell_time(update.when) + " by " + update.actor + ": " +
             on_one_line(update.text));
}

void say_exposure(Output& out, const TenantExposure& exposure) {
  if (exposure.reach == Reach::nothing) {
    out.line("tenant " + exposure.tenant + ": nothing could be read");
  } else {
    out.line("tenant " + exposure.tenant + ": " +
             (exposure.reach == Reach::readable ? "readable, " : "at risk, ") +
             count_of(exposure.people, "person", "people") + ", of whom " +
             std::to_string(exposure.people_gone) + " have gone since");
    for (const TenantExposure::OfPurpose& of : exposure.purposes)
      out.line("  " + of.purpose + ": " + count_of(of.people, "person", "people") + ", " +
               count_of(of.records, "record", "records") + "; perhaps of " +
               std::to_string(of.people_perhaps) + " more");
  }
  out.line("  beyond reach: " + count_of(exposure.people_beyond_reach, "person", "people") +
           " erased before");
}

void show(const Common& common, const IncidentOptions& given, Output& out) {
  const IncidentNumber number = incident_number(given.number);
  Session session(common);
  const Incident incident = take(session.store().incident(number));
  Json object = json_of(incident);
  if (!out.json()) say_incident(out, incident);
  Json tenants = Json::array();
  const Exposure whole = take(session.store().exposure(number, [&](const TenantExposure& exposure) {
    if (out.json())
      tenants.push_back(json_of(exposure));
    else
      say_exposure(out, exposure);
  }));
  if (!out.json()) {
    for (const Exposure::InRegion& region : whole.regions)
      if (region.tenants_gone != 0)
        out.line("region " + region.region + ": " +
                 count_of(region.tenants_gone, "tenant", "tenants") + " off-boarded since");
    return;
  }
  object["exposure"] = json_of(whole);
  object["exposure"]["by_tenant"] = std::move(tenants);
  out.object(object);
}

void say_state(Output& out, const Incident& incident) {
  if (out.json())
    out.object(json_of(incident));
  else
    out.line("incident " + std::to_string(incident.number) + ": " + state_of(incident));
}

void update(const Common& common, const IncidentOptions& given, Output& out) {
  const IncidentNumber number = incident_number(given.number);
  Session session(common);
  take(session.store().update_incident(number, given.text, Actor(common.actor)));
  say_state(out, take(session.store().incident(number)));
}

void notify(const Common& common, const IncidentOptions& given, Output& out) {
  const IncidentNumber number = incident_number(given.number);
  const Audience audience = audience_of(given.audience);
  const auto when = time_if_any(given.when, "--when");
  Session session(common);
  take(session.store().note_notified(number, audience, Actor(common.actor), when));
  say_state(out, take(session.store().incident(number)));
}

void close(const Common& common, const IncidentOptions& given, Output& out) {
  const IncidentNumber number = incident_number(given.number);
  Session session(common);
  take(session.store().close_incident(number, Actor(common.actor)));
  say_state(out, take(session.store().incident(number)));
}

void export_text(const Common& common, const IncidentOptions& given, Output& out) {
  const IncidentNumber number = incident_number(given.number);
  const Audience audience = audience_of(given.audience);
  Session session(common);
  const std::string text =
      take(session.store().notification(number, session.tenant(given.tenant), audience));
  if (out.json())
    out.object({{"text", text}});
  else
    out.raw(as_bytes(text));
}

void concerned(const Common& common, const IncidentOptions& given, Output& out) {
  const IncidentNumber number = incident_number(given.number);
  Session session(common);
  take(session.store().each_concerned(
      number, session.tenant(given.tenant),
      [&](std::string_view id, std::span<const std::string_view> purposes) {
        const Json words(std::vector<std::string>(purposes.begin(), purposes.end()));
        if (out.json())
          out.object({{"id", id}, {"purposes", words}});
        else
          out.line(on_one_line(id) + '\t' + joined(words));
        return Flow::more;
      }));
}

void add_terms(CLI::App& verb, IncidentOptions& given) {
  many_option(verb, "--exposed", given.exposed,
              "What somebody got: records, keyring, root-key, memory; repeat it for more")
      .required();
  text_option(verb, "--from", given.from, "When it may first have been got")
      .required()
      ->type_name("TIME");
  text_option(verb, "--until", given.until, "When it may last have been got (default: now)")
      .type_name("TIME");
  text_option(verb, "--discovered", given.discovered,
              "When one became aware of it: the 72 hours run from then (default: now)")
      .type_name("TIME");
  text_option(verb, "--reference", given.reference, "What to call it, without personal data")
      .required();
  many_option(verb, "--tenant", given.tenants, "Whom it concerns (default: all)");
  many_option(verb, "--region", given.regions, "Where it was (default: all that are open)");
}

}  // namespace

void add_incident_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<IncidentOptions>();
  CLI::App& group = *verbs.app.add_subcommand("incident", "Personal data breaches [GDPR 33, 34]");
  group.require_subcommand(1);
  using Verb = void (*)(const Common&, const IncidentOptions&, Output&);
  const auto add = [&](const char* name, const char* what, const char* example,
                       Verb does) -> CLI::App& {
    CLI::App& verb = verbs.add(group, name, what, example);
    verb.callback([&common, &action, given, does] {
      action = [&common, given, does](Output& out) { does(common, *given, out); };
    });
    return verb;
  };
  const auto numbered = [&](CLI::App& verb) -> CLI::App& {
    text_option(verb, "NUMBER", given->number, "Which").required();
    return verb;
  };
  const auto of_tenant = [&](CLI::App& verb) -> CLI::App& {
    text_option(numbered(verb), "TENANT", given->tenant, "Of which tenant").required();
    return verb;
  };
  add_terms(
      add("open", "Put an incident on the register",
          "efface incident open --exposed records --from 2026-11-20 --reference 'lost disk'", open),
      *given);
  add("list", "The register, with the time that is left", "efface incident list", list);
  numbered(add("show", "An incident, and what could be read", "efface incident show 1", show));
  CLI::App& updated = numbered(add("update", "Add what has become known",
                                   "efface incident update 1 'the disk was found'", update));
  text_option(updated, "TEXT", given->text, "What, without personal data").required();
  CLI::App& notified =
      numbered(add("notify", "Note that the authority, or the people, have been told",
                   "efface incident notify 1 authority --when 2026-11-22T10:00:00Z", notify));
  text_option(notified, "WHOM", given->audience, "authority or people").required();
  text_option(notified, "--when", given->when, "Default: now").type_name("TIME");
  numbered(add("close", "Nothing more is to be done", "efface incident close 1", close));
  CLI::App& exported = of_tenant(add("export", "The text of a notification, to be completed",
                                     "efface incident export 1 acme --for authority", export_text));
  text_option(exported, "--for", given->audience, "authority or people").required();
  of_tenant(add("concerned", "Whom it concerns: their ids, and what for",
                "efface incident concerned 1 acme", concerned));
}

}  // namespace efface::cli
