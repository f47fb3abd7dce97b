#include <memory>
#include <string>
#include <vector>

#include "tools/text.h"
#include "tools/verbs.h"

namespace efface::cli {
namespace {

struct PurposeOptions {
  std::string tenant;
  std::string name;
  std::string basis;
  std::string retain;
  bool no_compress = false;
  std::vector<std::string> categories;
};

void say_purpose(Output& out, const PurposeTerms& terms) {
  if (out.json()) {
    Json object = {{"purpose", terms.name}, {"basis", name(terms.basis)}};
    object["retain_days"] = terms.retention ? Json(terms.retention->count()) : Json();
    object["compress"] = terms.compress;
    object["categories"] = terms.categories;
    out.object(object);
    return;
  }
  std::string text = terms.name + ": " + name(terms.basis) + ", ";
  text += terms.retention ? "kept " + count_of(terms.retention->count(), "day", "days")
                          : std::string("kept until erased");
  if (!terms.compress) text += ", not compressed";
  for (std::size_t i = 0; i < terms.categories.size(); ++i)
    text += (i == 0 ? ", of " : " and ") + terms.categories[i];
  out.line(text);
}

void add(const Common& common, const PurposeOptions& given, Output& out) {
  PurposeTerms terms;
  terms.name = given.name;
  terms.compress = !given.no_compress;
  terms.categories = given.categories;
  const auto basis = legal_basis(given.basis);
  if (!basis)
    throw usage(
        "--basis is one of consent, contract, legal_obligation, vital_interest, public_task, "
        "legitimate_interest");
  terms.basis = *basis;
  if (!given.retain.empty()) {
    terms.retention = retention(given.retain);
    if (!terms.retention)
      throw usage("--retain is a number of days, weeks or years, up to a hundred: 30d, 6w, 2y");
  }
  Session session(common);
  static_cast<void>(take(session.tenant(given.tenant).declare_purpose(terms)));
  say_purpose(out, terms);
}

void list(const Common& common, const PurposeOptions& given, Output& out) {
  Session session(common);
  for (const PurposeTerms& terms : take(session.tenant(given.tenant).purposes()))
    say_purpose(out, terms);
}

}  // namespace

void add_purpose_verbs(const Verbs& verbs) {
  Common& common = verbs.common;
  Action& action = verbs.action;
  CLI::App& group = *verbs.app.add_subcommand("purpose", "Declare and list purposes");
  group.require_subcommand(1);

  const auto given = std::make_shared<PurposeOptions>();
  CLI::App& added =
      verbs.add(group, "add", "Declare why data is processed, and how long it is kept",
                "efface purpose add acme ratings --basis contract --retain 2y");
  text_option(added, "TENANT", given->tenant, "Whose purpose it is").required();
  text_option(added, "PURPOSE", given->name, "Its name").required();
  text_option(added, "--basis", given->basis,
              "The legal basis [GDPR 6]: consent, contract, legal_obligation, vital_interest, "
              "public_task or legitimate_interest")
      .required();
  text_option(added, "--retain", given->retain,
              "Records expire after so many days, weeks or years: 30d, 6w, 2y (default: never)");
  added.add_flag("--no-compress", given->no_compress,
                 "For records that hold a secret beside what an attacker controls");
  many_option(added, "--category", given->categories,
              "What kind of personal data it is, for the record of processing activities; repeat "
              "it for more")
      .type_name("LABEL");
  added.callback([&common, &action, given] {
    action = [&common, given](Output& out) { add(common, *given, out); };
  });

  CLI::App& listed = verbs.add(group, "list", "The purposes of a tenant, in the order declared",
                               "efface purpose list acme");
  text_option(listed, "TENANT", given->tenant, "Whose purposes").required();
  listed.callback([&common, &action, given] {
    action = [&common, given](Output& out) { list(common, *given, out); };
  });
}

}  // namespace efface::cli
