#include "tools/person.h"

namespace efface::cli {
namespace {

Subject find(const Tenant& tenant, const std::string& argument) {
  const WipedText id = subject_id(argument);
  return take(tenant.subject(SubjectId(view(id))));
}

}  // namespace

void add_person_options(CLI::App& verb, PersonOptions& into) {
  text_option(verb, "TENANT", into.tenant, "Whose data it is").required();
  text_option(verb, "SUBJECT", into.subject,
              "The person's id; - takes it from stdin, @FILE from the first line of a file")
      .required();
}

CLI::Option& purpose_option(CLI::App& verb, PersonOptions& into) {
  return text_option(verb, "--purpose", into.purpose, "What for");
}

OnePerson::OnePerson(const Common& common, const PersonOptions& given)
    : session_(common),
      tenant_(session_.tenant(given.tenant)),
      subject_(find(tenant_, given.subject)) {}

}  // namespace efface::cli
