#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tools/dry_run.h"
#include "tools/person.h"
#include "tools/said.h"
#include "tools/text.h"
#include "tools/tickets.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct ResidencyOptions : PersonOptions, TicketOptions {
  std::string from;
  std::string to;
  std::string basis;
  bool dry_run = false;
};

TransferBasis basis_of(const std::string& text) {
  const auto basis = transfer_basis(text);
  if (!basis)
    throw usage("--basis is one of adequacy, standard_clauses, binding_rules, derogation");
  return *basis;
}

void say_rule(Output& out, const TransferRule& rule) {
  if (out.json())
    out.object({{"from", rule.from}, {"to", rule.to}, {"basis", name(rule.basis)}});
  else
    out.line(rule.from + " to " + rule.to + ": " + name(rule.basis));
}

void add_rule(const Common& common, const ResidencyOptions& given, Output& out) {
  const TransferRule rule{.from = given.from, .to = given.to, .basis = basis_of(given.basis)};
  Session session(common);
  take(session.tenant(given.tenant).permit_transfer(rule));
  say_rule(out, rule);
}

void list_rules(const Common& common, const ResidencyOptions& given, Output& out) {
  Session session(common);
  for (const TransferRule& rule : take(session.tenant(given.tenant).transfer_rules()))
    say_rule(out, rule);
}

void transfer(const Common& common, const ResidencyOptions& given, Output& out) {
  const TransferBasis basis = basis_of(given.basis);
  const WipedText id = subject_id(given.subject);
  Session session(common);
  const Tenant tenant = session.tenant(given.tenant);
  const Region target = take(session.store().region(given.to));
  const Subject subject = take(tenant.subject(SubjectId(view(id))));
  if (given.dry_run) {
    const std::vector<Region> allowed = tenant.regions();
    if (std::find(allowed.begin(), allowed.end(), target) == allowed.end())
      throw refused(Errc::region_not_permitted, "the tenant may not use that region");
    if (subject.home() == target)
      throw refused(Errc::invalid_argument, "she is at home in that region");
    refuse_if_held(tenant, subject);
    say_would(out, session.store(),
              "transfer 1 person to " + given.to + ", and erase her where she is",
              {{"would_transfer", 1}, {"to", given.to}}, {std::string(subject.home().name())});
    return;
  }
  const Timer timer;
  const Erasure erasure = take(tenant.transfer(subject, target, basis, given.receipt()));
  keep_tickets(given, erasure.receipts);
  say_erasure(out,
              "transferred 1 person to " + given.to + " in " + spell(timer.passed()) +
                  (erasure.regions.empty() ? "" : ", and erased where she was"),
              {{"transferred", 1}, {"to", given.to}}, erasure, timer.passed());
}

CLI::Option& basis_option(CLI::App& verb, std::string& into) {
  return text_option(verb, "--basis", into,
                     "What it rests on [GDPR 45-49]: adequacy, standard_clauses, binding_rules or "
                     "derogation");
}

}  // namespace

void add_residency_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  CLI::App& group = *verbs.app.add_subcommand("transfer", "Where personal data may go");
  group.require_subcommand(1);
  CLI::App& rules = *group.add_subcommand("rule", "Record and list what permits a transfer");
  rules.require_subcommand(1);

  const auto given = std::make_shared<ResidencyOptions>();
  CLI::App& moved =
      verbs.add(group, "person", "Move a person to another region, and erase her where she was",
                "efface transfer person acme @id.txt --to us-east --basis standard_clauses");
  add_person_options(moved, *given);
  text_option(moved, "--to", given->to, "A region of the tenant").type_name("REGION")->required();
  basis_option(moved, given->basis).required();
  add_ticket_options(moved, *given);
  dry_run_option(moved, given->dry_run);
  moved.callback([&common, &action, given] {
    action = [&common, given](Output& out) { transfer(common, *given, out); };
  });
  CLI::App& added = verbs.add(
      rules, "add", "Record why data may leave a region for another",
      "efface transfer rule add acme --from eu-west --to us-east --basis standard_clauses");
  text_option(added, "TENANT", given->tenant, "Whose data").required();
  text_option(added, "--from", given->from, "A region of the tenant")
      .type_name("REGION")
      ->required();
  text_option(added, "--to", given->to, "A region, of this store or not")
      .type_name("REGION")
      ->required();
  basis_option(added, given->basis).required();
  added.callback([&common, &action, given] {
    action = [&common, given](Output& out) { add_rule(common, *given, out); };
  });
  CLI::App& listed =
      verbs.add(rules, "list", "The transfer rules of a tenant", "efface transfer rule list acme");
  text_option(listed, "TENANT", given->tenant, "Whose").required();
  listed.callback([&common, &action, given] {
    action = [&common, given](Output& out) { list_rules(common, *given, out); };
  });
}

}  // namespace efface::cli
