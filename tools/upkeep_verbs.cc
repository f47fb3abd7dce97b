#include <charconv>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tools/dry_run.h"
#include "tools/progress.h"
#include "tools/text.h"
#include "tools/times.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct UpkeepOptions {
  std::string tenant;
  std::string token;
  std::string residue_window;
  std::string expiry_days;
  bool dry_run = false;
};

MaintainOptions options_of(const UpkeepOptions& given) {
  MaintainOptions options;
  if (!given.residue_window.empty()) {
    const auto hours = window(given.residue_window);
    if (!hours) throw usage("--residue-window is a number of hours, days or weeks: 12h, 7d, 2w");
    options.residue_window = *hours;
  }
  if (!given.expiry_days.empty()) {
    const std::string& text = given.expiry_days;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), options.expiry_days_max);
    if (error != std::errc() || end != text.data() + text.size())
      throw usage("--expiry-days-max is a number of days");
  }
  return options;
}

void say_maintained(Output& out, const Maintained& done) {
  if (out.json()) {
    out.object({{"records_removed", done.records_removed},
                {"queue_entries", done.queue_entries},
                {"buckets_expired", done.buckets_expired},
                {"records_kept", done.records_kept},
                {"expiry_waits", done.expiry_waits},
                {"scopes_rekeyed", done.scopes_rekeyed},
                {"holds_ended", done.holds_ended}});
    return;
  }
  out.line(count_of(done.records_removed, "record", "records") + " of the erased removed, " +
           count_of(done.queue_entries, "entry", "entries") + " of the queue worked off");
  out.line(count_of(done.buckets_expired, "expired day", "expired days") + " destroyed, " +
           count_of(done.records_kept, "record", "records") + " kept by legal holds, " +
           count_of(done.holds_ended, "hold", "holds") + " ended by date");
  out.line(count_of(done.scopes_rekeyed, "scope", "scopes") + " with old residue re-keyed");
}

// Holds whose day has come.
std::uint64_t holds_over(const Store& store, const Actor& actor) {
  std::uint64_t over = 0;
  const TimePoint now = std::chrono::system_clock::now();
  for (const TenantInfo& info : store.tenants()) {
    const Tenant tenant = take(store.tenant(info.name, actor));
    std::vector<std::string> held;
    QueryOptions page;
    std::string cursor;
    do {
      page.cursor = cursor;
      cursor = take(tenant.query({.held = true}, page, [&](std::string_view id, const Region&) {
                 held.emplace_back(id);
               })).cursor;
    } while (!cursor.empty());
    for (const std::string& id : held) {
      const Result<Subject> subject = tenant.subject(SubjectId(id));
      if (!subject) continue;  // Suppressed; or gone meanwhile.
      take(tenant.dossier(*subject, [&](const Dossier& dossier) {
        for (const Hold& hold : dossier.holds) over += hold.until && *hold.until <= now ? 1 : 0;
      }));
    }
  }
  return over;
}

void say_upkeep(Output& out, const Store& store, const MaintainOptions& options,
                const Actor& actor) {
  const ExpiryPlan plan = take(store.prepare_expiry());
  const bool waits = plan.buckets > 0 && plan.days_overdue > options.expiry_days_max;
  const std::uint64_t holds = holds_over(store, actor);
  std::uint64_t queue = 0;
  std::uint64_t residue = 0;
  std::vector<std::string> regions;
  const TimePoint oldest = std::chrono::system_clock::now() - options.residue_window;
  for (const RegionStats& region : take(store.stats()).regions) {
    queue += region.reclaim_entries;
    const bool due = region.residue_oldest && *region.residue_oldest <= oldest;
    if (due) residue += region.residue_records;
    if (due || (plan.buckets > 0 && !waits)) regions.push_back(region.name);
  }
  std::string text = "work off " + count_of(queue, "entry", "entries") + " of the queue, ";
  text += waits ? "let " + count_of(plan.buckets, "expired day", "expired days") + " wait"
                : "destroy " + count_of(plan.buckets, "expired day", "expired days");
  text += ", end " + count_of(holds, "hold", "holds") + " by date, " +
          (residue > 0 ? "re-key scopes with old residue, of at most " +
                             count_of(residue, "record", "records")
                       : std::string("re-key no scope"));
  say_would(out, store, text,
            {{"queue_entries", queue},
             {"buckets", plan.buckets},
             {"expiry_waits", waits},
             {"holds", holds},
             {"residue_records_max", residue}},
            regions);
}

void maintain(const Common& common, const UpkeepOptions& given, Output& out) {
  MaintainOptions options = options_of(given);
  Session session(common);
  if (given.dry_run) {
    say_upkeep(out, session.store(), options, Actor(common.actor));
    return;
  }
  Progress progress(out.json(), {"maintain", "steps"});
  options.on_progress = shown_by(progress);
  const Maintained done = take(session.store().maintain(options));
  progress.clear();
  say_maintained(out, done);
  if (!done.expiry_waits) return;
  const std::string what =
      "more days expired at once than --expiry-days-max: perhaps the clock jumped. If it is right, "
      "see `efface retention plan`";
  out.notice(what, {{"expiry_waits", {{"note", what}}}});
}

void show(const Common& common, const UpkeepOptions& given, Output& out) {
  Session session(common);
  for (const PurposeTerms& terms : take(session.tenant(given.tenant).purposes())) {
    const auto& kept = terms.retention;
    // Written today, a record is readable until that UTC day is over.
    const std::string last =
        kept ? spell_date(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()) +
                          std::chrono::days(kept->count()))
             : std::string();
    if (out.json())
      out.object({{"purpose", terms.name},
                  {"retain_days", kept ? Json(kept->count()) : Json()},
                  {"last_day", kept ? Json(last) : Json()}});
    else if (kept)
      out.line(terms.name + ": kept " + count_of(kept->count(), "day", "days") +
               ", from today until the end of " + last);
    else
      out.line(terms.name + ": kept until erased");
  }
}

void plan(const Common& common, const UpkeepOptions&, Output& out) {
  Session session(common);
  const ExpiryPlan plan = take(session.store().prepare_expiry());
  const bool any = plan.buckets > 0;
  if (out.json()) {
    out.object({{"buckets", plan.buckets},
                {"tenants", plan.tenants},
                {"first", any ? Json(spell_date(plan.first)) : Json()},
                {"last", any ? Json(spell_date(plan.last)) : Json()},
                {"token", plan.token}});
  } else if (!any) {
    out.line("no day has expired that is not destroyed");
  } else {
    out.line(count_of(plan.buckets, "day", "days") + " of " +
             count_of(plan.tenants, "tenant", "tenants") + " expired, from " +
             spell_date(plan.first) + " to " + spell_date(plan.last));
    out.line("nothing is destroyed yet: efface retention commit --token " + plan.token);
  }
}

void commit(const Common& common, const UpkeepOptions& given, Output& out) {
  Session session(common);
  if (given.dry_run) {
    const ExpiryPlan plan = take(session.store().prepare_expiry());
    if (plan.token != given.token)
      throw refused(Errc::conflict, "the token is of another plan, or other days have expired");
    std::vector<std::string> regions;  // All that have people of these tenants, perhaps.
    if (plan.buckets > 0)
      for (const Region& region : session.store().regions()) regions.emplace_back(region.name());
    say_would(out, session.store(),
              "destroy " + count_of(plan.buckets, "expired day", "expired days"),
              {{"buckets", plan.buckets}}, regions);
    return;
  }
  say_maintained(out, take(session.store().commit_expiry(given.token)));
}

}  // namespace

void add_upkeep_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  const auto given = std::make_shared<UpkeepOptions>();
  using Verb = void (*)(const Common&, const UpkeepOptions&, Output&);
  const auto hang = [&](CLI::App& verb, Verb what) {
    verb.callback([&common, &action, given, what] {
      action = [&common, given, what](Output& out) { what(common, *given, out); };
    });
  };
  CLI::App& maintained = verbs.add(verbs.app, "maintain",
                                   "Keep what time makes due, and give back space: run it daily",
                                   "efface maintain --residue-window 7d");
  hang(maintained, maintain);
  text_option(maintained, "--residue-window", given->residue_window,
              "Re-key scopes whose overwritten or removed records are older: 12h, 7d (default), 2w")
      .type_name("TIME");
  text_option(maintained, "--expiry-days-max", given->expiry_days,
              "Destroy at most so many expired days without being asked twice (default: 31)")
      .type_name("DAYS");
  dry_run_option(maintained, given->dry_run);

  CLI::App& group =
      *verbs.app.add_subcommand("retention", "Show retention; plan and commit an expiry");
  group.require_subcommand(1);
  CLI::App& shown = verbs.add(group, "show", "How long the purposes of a tenant keep records",
                              "efface retention show acme");
  hang(shown, show);
  text_option(shown, "TENANT", given->tenant, "Whose").required();
  hang(verbs.add(group, "plan", "The days that expired, and the token that destroys them",
                 "efface retention plan"),
       plan);
  CLI::App& committed =
      verbs.add(group, "commit", "Destroy the days of a plan, however many",
                "efface retention commit --token 7c9d1f0e6ab1452d8f43f1f0a0c9be11");
  hang(committed, commit);
  text_option(committed, "--token", given->token, "Of the plan").required();
  dry_run_option(committed, given->dry_run);
}

}  // namespace efface::cli
