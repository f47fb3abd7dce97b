#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "efface/limits.h"
#include "tools/dry_run.h"
#include "tools/input.h"
#include "tools/text.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct RecordOptions {
  std::string tenant;
  std::string subject;
  std::string name;
  std::string purpose;
  std::string region;
  std::string prefix;
  bool values = false;
  std::vector<std::string> also;
  std::string retain;
  std::string origin;
  std::vector<std::string> recipients;
  bool automated = false;
  bool rectify = false;
  bool shred_now = false;
  bool dry_run = false;
};

Failure record_unknown() {
  return {"record_unknown", "this person has no record of that name for that purpose",
          Exit::refused};
}

// A person who is there, and what one wants with her.
struct Reached {
  Activity activity;
  Subject subject;
};
Reached reach(const Session& session, const RecordOptions& given) {
  const Tenant tenant = session.tenant(given.tenant);
  const WipedText id = subject_id(given.subject);
  Activity activity = take(tenant.activity(take(tenant.purpose(given.purpose))));
  return {std::move(activity), take(tenant.subject(SubjectId(view(id))))};
}

// What a record is put with, and what its options point to.
struct PutTerms {
  std::vector<Purpose> also;
  std::vector<std::string_view> recipients;
  PutOptions options;
};
void fill(PutTerms& terms, const Tenant& tenant, const RecordOptions& given) {
  for (const std::string& purpose : given.also) terms.also.push_back(take(tenant.purpose(purpose)));
  terms.recipients.assign(given.recipients.begin(), given.recipients.end());
  PutOptions& options = terms.options;
  options.also_permitted = terms.also;
  options.origin = given.origin;
  options.recipients = terms.recipients;
  options.automated_decision = given.automated;
  options.rectifies = given.rectify;
  if (given.retain.empty()) return;
  options.retention = retention(given.retain);
  if (!options.retention)
    throw usage("--retain is a number of days, weeks or years, up to a hundred: 30d, 6w, 2y");
}

void put(const Common& common, const RecordOptions& given, Output& out) {
  if (given.subject == "-")
    throw usage("stdin is the value: give the person as @FILE or as an argument");
  const WipedText id = subject_id(given.subject);
  const WipedText value = value_from_stdin(limits::value_bytes_max);
  Session session(common);
  const Tenant tenant = session.tenant(given.tenant);
  const Activity activity = take(tenant.activity(take(tenant.purpose(given.purpose))));
  const RecordName name(given.name);
  PutTerms terms;
  fill(terms, tenant, given);

  const bool one_region = !given.region.empty() || tenant.regions().size() == 1;
  if (one_region) {
    const Region region = region_of(session.store(), tenant, given.region);
    take(activity.put(SubjectId(view(id)), region, name, bytes_of(value), terms.options));
  } else {
    // Who is there already needs no region.
    const Result<Subject> subject = tenant.subject(SubjectId(view(id)));
    if (!subject && subject.error().code() == Errc::subject_unknown)
      throw usage("she is new, and the tenant has several regions: name hers with --region");
    if (!subject) throw Failure(subject.error());
    take(activity.put(*subject, name, bytes_of(value), terms.options));
  }
  if (out.json())
    out.object({{"put", 1}, {"value_bytes", value.size()}});
  else
    out.line("put " + count_of(value.size(), "byte", "bytes"));
}

void get(const Common& common, const RecordOptions& given, Output& out) {
  Session session(common);
  const Reached reached = reach(session, given);
  const bool found =
      take(reached.activity.visit(reached.subject, RecordName(given.name), [&out](Bytes value) {
        if (!out.json()) {
          out.raw(value);
          return;
        }
        Json object = Json::object();
        set_value(object, value);
        out.object(object);
      }));
  if (!found) throw record_unknown();
}

void remove(const Common& common, const RecordOptions& given, Output& out) {
  Session session(common);
  const Reached reached = reach(session, given);
  if (given.dry_run) {
    if (!take(reached.activity.visit(reached.subject, RecordName(given.name), [](Bytes) {})))
      throw record_unknown();
    std::vector<std::string> regions;
    if (given.shred_now) regions.emplace_back(reached.subject.home().name());
    say_would(out, session.store(),
              given.shred_now ? "remove 1 record, and shred what old copies hold of it"
                              : "remove 1 record",
              {{"would_remove", 1}, {"shredded", given.shred_now}}, regions);
    return;
  }
  const Shred shred = given.shred_now ? Shred::now : Shred::within_window;
  if (!take(reached.activity.remove(reached.subject, RecordName(given.name), shred)))
    throw record_unknown();
  if (out.json())
    out.object({{"removed", 1}, {"shredded", given.shred_now}});
  else
    out.line(given.shred_now ? "removed 1 record, and shredded what old copies hold of it"
                             : "removed 1 record");
}

void say_record(Output& out, std::string_view name, const std::optional<Bytes>& value) {
  if (out.json()) {
    Json object = {{"name", name}};
    if (value) set_value(object, *value);
    out.object(object);
    return;
  }
  out.line(value ? on_one_line(name) + '\t' + on_one_line(as_text(*value)) : on_one_line(name));
}

void list(const Common& common, const RecordOptions& given, Output& out) {
  Session session(common);
  const Reached reached = reach(session, given);
  const ScanOptions options{.prefix = given.prefix};
  if (given.values)
    take(
        reached.activity.scan(reached.subject, options, [&out](std::string_view name, Bytes value) {
          say_record(out, name, value);
          return Flow::more;
        }));
  else
    take(reached.activity.list(reached.subject, options, [&out](std::string_view name) {
      say_record(out, name, std::nullopt);
      return Flow::more;
    }));
}

}  // namespace

void add_record_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<RecordOptions>();
  using Verb = void (*)(const Common&, const RecordOptions&, Output&);
  const auto hang = [&](CLI::App& verb, bool named, Verb what) {
    text_option(verb, "TENANT", given->tenant, "Whose data it is").required();
    text_option(verb, "SUBJECT", given->subject,
                "The person's id; - takes it from stdin, @FILE from the first line of a file")
        .required();
    if (named) text_option(verb, "NAME", given->name, "The record's name").required();
    text_option(verb, "--purpose", given->purpose, "What for").required();
    verb.callback([&common, &action, given, what] {
      action = [&common, given, what](Output& out) { what(common, *given, out); };
    });
  };

  CLI::App& puts = verbs.add(verbs.app, "put", "Write a record: its value comes from stdin",
                             "echo 4.5 | efface put acme @id.txt movie-17 --purpose ratings");
  hang(puts, true, put);
  text_option(puts, "--region", given->region,
              "Where she is enrolled when she is new (default: the tenant's only region)");
  many_option(puts, "--also", given->also, "A further purpose that may read it; repeat it for more")
      .type_name("PURPOSE");
  text_option(puts, "--retain", given->retain, "For less long than its purpose says: 30d, 6w, 2y");
  text_option(puts, "--origin", given->origin, "Where it came from");
  many_option(puts, "--recipient", given->recipients, "To whom it is disclosed; repeat it for more")
      .type_name("TEXT");
  puts.add_flag("--automated", given->automated, "It is a decision taken without a human");
  puts.add_flag("--rectify", given->rectify, "It corrects what is there: noted in her file");
  hang(verbs.add(verbs.app, "get", "A record's value, as it is",
                 "efface get acme @id.txt movie-17 --purpose ratings"),
       true, get);
  CLI::App& removes = verbs.add(verbs.app, "remove", "Remove a record (a person is erased)",
                                "efface remove acme @id.txt movie-17 --purpose ratings");
  hang(removes, true, remove);
  removes.add_flag(
      "--shred-now", given->shred_now,
      "Make it unreadable in old copies too before it answers, not at a later maintain");
  dry_run_option(removes, given->dry_run);
  CLI::App& lists = verbs.add(verbs.app, "list", "The names of a person's records, in order",
                              "efface list acme @id.txt --purpose ratings --values");
  hang(lists, false, list);
  text_option(lists, "--prefix", given->prefix, "Only the names that begin so");
  lists.add_flag("--values", given->values, "With their values, after a tab");
}

}  // namespace efface::cli
