// The methods of Store that speak of incidents.
#include "efface/incident.h"

#include "api/handles.h"
#include "base/check.h"
#include "rights/incident.h"
#include "rights/incident_exposure.h"
#include "rights/incident_text.h"

namespace efface {

using internal::Access;

namespace {

Result<std::shared_ptr<access::TenantState>> checked(const access::Site& site,
                                                     const Tenant& tenant) {
  const auto& state = Access::state(tenant)->tenant;
  EFFACE_TRY(state->check_here());
  EFFACE_ASSIGN(const auto known, site.tenant(state->name()));
  if (known != state) return Error(Errc::tenant_unknown, "the tenant belongs to another store");
  return known;
}

}  // namespace

Result<IncidentNumber> Store::open_incident(const IncidentTerms& terms, Actor actor) const {
  return api::call(*state_, "Store::open_incident", [&]() -> Result<IncidentNumber> {
    EFFACE_TRY(internal::check_actor(actor));
    return rights::open_incident(*state_->site, terms, actor.text);
  });
}

Result<Incident> Store::incident(IncidentNumber number) const {
  return api::call(*state_, "Store::incident",
                   [&] { return rights::find_incident(*state_->site, number); });
}

Result<std::vector<Incident>> Store::incidents() const {
  return api::call(*state_, "Store::incidents", [&] { return rights::incidents(*state_->site); });
}

Status Store::update_incident(IncidentNumber number, std::string_view text, Actor actor) const {
  return api::call(*state_, "Store::update_incident", [&]() -> Status {
    EFFACE_TRY(internal::check_actor(actor));
    return rights::update_incident(*state_->site, number, text, actor.text);
  });
}

Status Store::note_notified(IncidentNumber number, Audience audience, Actor actor,
                            std::optional<TimePoint> when) const {
  return api::call(*state_, "Store::note_notified", [&]() -> Status {
    EFFACE_TRY(internal::check_actor(actor));
    return rights::note_notified(*state_->site, number, audience, when, actor.text);
  });
}

Status Store::close_incident(IncidentNumber number, Actor actor) const {
  return api::call(*state_, "Store::close_incident", [&]() -> Status {
    EFFACE_TRY(internal::check_actor(actor));
    return rights::close_incident(*state_->site, number, actor.text);
  });
}

Result<Exposure> Store::exposure(IncidentNumber number,
                                 FunctionRef<void(const TenantExposure&)> each) const {
  return api::call(*state_, "Store::exposure", [&]() -> Result<Exposure> {
    EFFACE_ASSIGN(const Incident incident, rights::find_incident(*state_->site, number));
    return rights::exposure(*state_->site, incident, each);
  });
}

Result<TenantExposure> Store::exposure(IncidentNumber number, const Tenant& tenant) const {
  return api::call(*state_, "Store::exposure", [&]() -> Result<TenantExposure> {
    EFFACE_ASSIGN(const auto state, checked(*state_->site, tenant));
    EFFACE_ASSIGN(const Incident incident, rights::find_incident(*state_->site, number));
    return rights::exposure_of(state, incident);
  });
}

Status Store::each_concerned(
    IncidentNumber number, const Tenant& tenant,
    FunctionRef<Flow(std::string_view id, std::span<const std::string_view> purposes)> look) const {
  return api::call(*state_, "Store::each_concerned", [&]() -> Status {
    EFFACE_ASSIGN(const auto state, checked(*state_->site, tenant));
    EFFACE_ASSIGN(const Incident incident, rights::find_incident(*state_->site, number));
    return rights::each_concerned(state, incident, look);
  });
}

Result<std::string> Store::notification(IncidentNumber number, const Tenant& tenant,
                                        Audience audience) const {
  return api::call(*state_, "Store::notification", [&]() -> Result<std::string> {
    EFFACE_ASSIGN(const auto state, checked(*state_->site, tenant));
    EFFACE_ASSIGN(const Incident incident, rights::find_incident(*state_->site, number));
    EFFACE_ASSIGN(const TenantExposure exposure, rights::exposure_of(state, incident));
    return rights::notification(incident, exposure, audience);
  });
}

}  // namespace efface
