#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct TenantOptions {
  std::string name;
  std::vector<std::string> regions;
  std::string confirm;
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

void offboard(const Common& common, const TenantOptions& given, Output& out) {
  Session session(common);
  Tenant tenant = session.tenant(given.name);
  if (given.confirm != given.name)
    throw refused(Errc::invalid_argument, "--confirm is not the name of the tenant");
  const auto start = std::chrono::steady_clock::now();
  const OffboardPlan plan = take(session.store().prepare_offboard(tenant));
  const Erasure erasure = take(session.store().offboard(std::move(tenant), plan.token));
  say_erasure(out, erasure, std::chrono::steady_clock::now() - start, "tenant", "tenants");
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

  CLI::App& gone = verbs.add(group, "offboard", "Erase a tenant with all its people, for ever",
                             "efface tenant offboard acme --confirm acme");
  text_option(gone, "TENANT", given->name, "Its name").required();
  text_option(gone, "--confirm", given->confirm, "Its name again").required();
  gone.callback([&common, &action, given] {
    action = [&common, given](Output& out) { offboard(common, *given, out); };
  });
}

}  // namespace efface::cli
