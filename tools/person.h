// tools/person.h -- the verbs that speak of one person: who she is, in which tenant, for what.
#pragma once
#include <string>

#include "tools/input.h"
#include "tools/session.h"

namespace efface::cli {

struct PersonOptions {
  std::string tenant;
  std::string subject;
  std::string purpose;
};

// TENANT SUBJECT.
void add_person_options(CLI::App& verb, PersonOptions& into);
CLI::Option& purpose_option(CLI::App& verb, PersonOptions& into);

// The person, who is there.
class OnePerson {
 public:
  OnePerson(const Common& common, const PersonOptions& given);
  const Store& store() const noexcept { return session_.store(); }
  const Tenant& tenant() const noexcept { return tenant_; }
  const Subject& subject() const noexcept { return subject_; }

 private:
  Session session_;  // Outlives the handles.
  Tenant tenant_;
  Subject subject_;
};

}  // namespace efface::cli
