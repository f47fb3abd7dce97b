#include "efface/tenant.h"

#include "api/handles.h"
#include "base/check.h"
#include "rights/consent.h"
#include "rights/erasure.h"
#include "rights/hold.h"
#include "rights/suppression.h"

namespace efface {

using internal::Access;

Tenant::Tenant(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}

std::string_view Tenant::name() const noexcept { return state_->tenant->name(); }

std::vector<Region> Tenant::regions() const {
  std::vector<Region> all;
  for (const access::TenantRegion& region : state_->tenant->regions())
    all.push_back(Access::region(region.region));
  return all;
}

Result<Purpose> Tenant::declare_purpose(const PurposeTerms& terms) const {
  return api::call(*state_, "Tenant::declare_purpose", [&]() -> Result<Purpose> {
    EFFACE_ASSIGN(const auto number, state_->tenant->declare(terms, state_->actor));
    return Access::purpose(state_->tenant->instance(), number);
  });
}

Result<Purpose> Tenant::purpose(std::string_view name) const {
  return api::call(*state_, "Tenant::purpose", [&]() -> Result<Purpose> {
    EFFACE_TRY(state_->tenant->check_here());
    const auto found = state_->tenant->purpose(name);
    if (!found) return Error(Errc::purpose_unknown, "the tenant has no purpose of that name");
    return Access::purpose(state_->tenant->instance(), found->number);
  });
}

Result<std::vector<PurposeTerms>> Tenant::purposes() const {
  return api::call(*state_, "Tenant::purposes", [&]() -> Result<std::vector<PurposeTerms>> {
    EFFACE_TRY(state_->tenant->check_here());
    std::vector<PurposeTerms> all;
    for (auto& purpose : state_->tenant->terms().purposes) all.push_back(purpose.terms);
    return all;
  });
}

Result<Activity> Tenant::activity(Purpose purpose) const {
  return api::call(*state_, "Tenant::activity", [&]() -> Result<Activity> {
    EFFACE_TRY(state_->tenant->check_here());
    std::optional<subjects::NumberedPurpose> found;
    if (Access::tenant_of(purpose) == state_->tenant->instance())
      found = state_->tenant->purpose(Access::number_of(purpose));
    if (!found) return Error(Errc::purpose_unknown, "the purpose belongs to another tenant");
    return Access::activity({state_->tenant, *std::move(found)}, state_->actor);
  });
}

Result<Subject> Tenant::enrol(SubjectId id, const Region& home) const {
  return api::call(*state_, "Tenant::enrol", [&]() -> Result<Subject> {
    EFFACE_ASSIGN(const auto* region, state_->tenant->region(Access::region(home).get()));
    EFFACE_ASSIGN(auto people, access::enrol(state_->tenant, {&id, 1}, *region,
                                             access::IfThere::refuse, state_->actor));
    return Access::subject(std::move(people.front()));
  });
}

Result<std::vector<Subject>> Tenant::find_or_enrol(std::span<const SubjectId> ids,
                                                   const Region& home,
                                                   std::span<const Purpose> purposes) const {
  return api::call(*state_, "Tenant::find_or_enrol", [&]() -> Result<std::vector<Subject>> {
    EFFACE_ASSIGN(const auto* region, state_->tenant->region(Access::region(home).get()));
    std::vector<subjects::PurposeNumber> numbers;
    for (const Purpose& purpose : purposes) {
      EFFACE_ASSIGN(const Activity checked, activity(purpose));
      EFFACE_TRY(access::check_needs_no_consent(Access::state(checked)->activity));
      numbers.push_back(Access::number_of(purpose));
    }
    EFFACE_ASSIGN(auto people, access::enrol(state_->tenant, ids, *region, access::IfThere::accept,
                                             state_->actor, numbers));
    std::vector<Subject> subjects;
    subjects.reserve(people.size());
    for (access::Person& person : people) subjects.push_back(Access::subject(std::move(person)));
    return subjects;
  });
}

Result<Subject> Tenant::subject(SubjectId id) const {
  return api::call(*state_, "Tenant::subject", [&]() -> Result<Subject> {
    EFFACE_ASSIGN(access::Person person, access::find_person(state_->tenant, id));
    return Access::subject(std::move(person));
  });
}

Result<Subject> Tenant::subject(SubjectId id, const Region& home) const {
  return api::call(*state_, "Tenant::subject", [&]() -> Result<Subject> {
    EFFACE_ASSIGN(const auto* region, state_->tenant->region(Access::region(home).get()));
    EFFACE_ASSIGN(access::Person person, access::find_person(state_->tenant, id, *region));
    return Access::subject(std::move(person));
  });
}

Result<Erasure> Tenant::erase(Subject&& subject, const EraseOptions& options) const {
  return api::call(*state_, "Tenant::erase", [&]() -> Result<Erasure> {
    const Subject used_up = std::move(subject);
    const access::Person& person = Access::person(used_up);
    if (person.tenant != state_->tenant)
      return Error(Errc::subject_unknown, "the person belongs to another tenant");
    return rights::erase({state_->tenant, state_->actor}, person, options.token, options.receipt);
  });
}

Result<Erasure> Tenant::erase(std::span<const SubjectId> ids, const EraseOptions& options) const {
  return api::call(*state_, "Tenant::erase", [&] {
    return rights::erase({state_->tenant, state_->actor}, ids, options.token, options.receipt);
  });
}

}  // namespace efface
