#include <memory>
#include <string>
#include <vector>

#include "tools/dry_run.h"
#include "tools/said.h"
#include "tools/text.h"
#include "tools/times.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct TenantOptions {
  std::string name;
  std::vector<std::string> regions;
  std::string token;
  bool dry_run = false;
  std::string reference;
  std::string date;
};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

void say_tenant(Output& out, const TenantInfo& tenant) {
  if (out.json())
    out.object({{"tenant", tenant.name}, {"regions", tenant.regions}});
  else
    out.line(tenant.name + ": " + joined(tenant.regions));
}

void add(const Common& common, const TenantOptions& given, Output& out) {
  Session session(common);
  const Store& store = session.store();
  std::vector<Region> regions;
  for (const std::string& name : given.regions) regions.push_back(take(store.region(name)));
  if (regions.empty()) {
    regions = store.regions();
    if (regions.size() != 1) throw usage("the store has several regions: name some with --region");
  }
  const Tenant tenant = take(store.declare_tenant(given.name, regions, Actor(common.actor)));
  TenantInfo info{.name = std::string(tenant.name()), .regions = {}};
  for (const Region& region : tenant.regions()) info.regions.emplace_back(region.name());
  say_tenant(out, info);
}

void list(const Common& common, Output& out) {
  Session session(common);
  for (const TenantInfo& tenant : session.store().tenants()) say_tenant(out, tenant);
}

void say_plan(Output& out, const TenantOptions& given, const OffboardPlan& plan) {
  if (out.json()) {
    out.object({{"tenant", given.name},
                {"people", plan.people},
                {"held", plan.held},
                {"regions", plan.regions},
                {"token", plan.token}});
    return;
  }
  out.line(given.name + ": " + count_of(plan.people, "person", "people") + ", " +
           std::to_string(plan.held) + " on legal hold, in " + joined(plan.regions));
  if (plan.held > 0)
    out.line("nothing is destroyed, and cannot be before the holds are released");
  else
    out.line("nothing is destroyed yet: efface tenant offboard " + given.name + " --token " +
             plan.token);
}

void offboard(const Common& common, const TenantOptions& given, Output& out) {
  Session session(common);
  Tenant tenant = session.tenant(given.name);
  if (given.token.empty() || given.dry_run) {
    const OffboardPlan plan = take(session.store().prepare_offboard(tenant));
    if (!given.token.empty() && given.token != plan.token)
      throw refused(Errc::conflict, "the token is of another plan, or there are other people now");
    say_plan(out, given, plan);
    return;
  }
  const Timer timer;
  const Erasure erasure = take(session.store().offboard(std::move(tenant), given.token));
  say_erasure(out, "erased 1 tenant in " + spell(timer.passed()), Json::object(), erasure,
              timer.passed());
}

void say_agreement(Output& out, const Agreement& agreement) {
  if (out.json())
    out.object({{"reference", agreement.reference}, {"date", spell_date(agreement.date)}});
  else
    out.line("agreement " + on_one_line(agreement.reference) + " of " + spell_date(agreement.date));
}

void set_agreement(const Common& common, const TenantOptions& given, Output& out) {
  const auto day = date(given.date);
  if (!day) throw usage("--date is a day: 2026-05-25");
  const Agreement agreement{.reference = given.reference, .date = *day};
  Session session(common);
  take(session.tenant(given.name).set_agreement(agreement));
  say_agreement(out, agreement);
}

void show_agreement(const Common& common, const TenantOptions& given, Output& out) {
  Session session(common);
  const auto agreement = take(session.tenant(given.name).agreement());
  if (!agreement)
    throw refused(Errc::agreement_missing, "the tenant has no processing agreement on record");
  say_agreement(out, *agreement);
}

void add_agreement_verbs(const Verbs& verbs, CLI::App& tenant,
                         const std::shared_ptr<TenantOptions>& given) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  CLI::App& group =
      *tenant.add_subcommand("agreement", "The contract between controller and processor");
  group.require_subcommand(1);
  CLI::App& set = verbs.add(group, "set", "Put the processing agreement on record",
                            "efface tenant agreement set acme --reference DPA-7 --date 2026-05-25");
  text_option(set, "TENANT", given->name, "Its name").required();
  text_option(set, "--reference", given->reference, "What it is filed under").required();
  text_option(set, "--date", given->date, "Of its signing").required();
  set.callback([&common, &action, given] {
    action = [&common, given](Output& out) { set_agreement(common, *given, out); };
  });
  CLI::App& shown = verbs.add(group, "show", "The processing agreement on record",
                              "efface tenant agreement show acme");
  text_option(shown, "TENANT", given->name, "Its name").required();
  shown.callback([&common, &action, given] {
    action = [&common, given](Output& out) { show_agreement(common, *given, out); };
  });
}

}  // namespace

void add_tenant_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  CLI::App& group = *verbs.app.add_subcommand("tenant", "Declare, list and off-board tenants");
  group.require_subcommand(1);

  const auto given = std::make_shared<TenantOptions>();
  CLI::App& added = verbs.add(group, "add", "Declare a tenant, with the regions it may use",
                              "efface tenant add acme --region eu-west");
  text_option(added, "TENANT", given->name, "Its name").required();
  many_option(added, "--region", given->regions,
              "A region it may use; repeat it for more (default: the store's only one)");
  added.callback([&common, &action, given] {
    action = [&common, given](Output& out) { add(common, *given, out); };
  });

  verbs.add(group, "list", "The tenants and their regions", "efface tenant list --json")
      .callback([&common, &action] { action = [&common](Output& out) { list(common, out); }; });

  CLI::App& gone = verbs.add(group, "offboard", "Erase a tenant with all its people, in two steps",
                             "efface tenant offboard acme");
  text_option(gone, "TENANT", given->name, "Its name").required();
  text_option(gone, "--token", given->token,
              "Of the plan, which is what comes without it: whom it would erase");
  dry_run_option(gone, given->dry_run);
  gone.callback([&common, &action, given] {
    action = [&common, given](Output& out) { offboard(common, *given, out); };
  });
  add_agreement_verbs(verbs, group, given);
  add_query_verbs(verbs, group);
}

}  // namespace efface::cli
