// The methods of Tenant that speak of rights and duties.
#include "api/handles.h"
#include "base/check.h"
#include "rights/consent.h"
#include "rights/export.h"
#include "rights/hold.h"
#include "rights/identity.h"
#include "rights/query.h"
#include "rights/suppression.h"
#include "rights/transfer.h"

namespace efface {

using internal::Access;

namespace {

Result<subjects::NumberedPurpose> checked(const access::TenantState& tenant, Purpose purpose) {
  EFFACE_TRY(tenant.check_here());
  std::optional<subjects::NumberedPurpose> found;
  if (Access::tenant_of(purpose) == tenant.instance())
    found = tenant.purpose(Access::number_of(purpose));
  if (!found) return Error(Errc::purpose_unknown, "the purpose belongs to another tenant");
  return *std::move(found);
}

TimePoint from_ms(std::int64_t ms) { return TimePoint(std::chrono::milliseconds(ms)); }

}  // namespace

Status Tenant::grant(const Subject& subject, Purpose purpose, const Evidence& evidence) const {
  return api::call(*state_, "Tenant::grant", [&]() -> Status {
    EFFACE_ASSIGN(const auto found, checked(*state_->tenant, purpose));
    return rights::grant({state_->tenant, state_->actor}, Access::person(subject), found, evidence);
  });
}

Result<Erasure> Tenant::withdraw(const Subject& subject, Purpose purpose, const Evidence& evidence,
                                 const ReceiptOptions& receipt) const {
  return api::call(*state_, "Tenant::withdraw", [&]() -> Result<Erasure> {
    EFFACE_ASSIGN(const auto found, checked(*state_->tenant, purpose));
    return rights::withdraw({state_->tenant, state_->actor}, Access::person(subject), found,
                            evidence, receipt);
  });
}

Status Tenant::object(const Subject& subject, Purpose purpose) const {
  return api::call(*state_, "Tenant::object", [&]() -> Status {
    EFFACE_ASSIGN(const auto found, checked(*state_->tenant, purpose));
    return rights::object({state_->tenant, state_->actor}, Access::person(subject), found,
                          rights::Objection::raised);
  });
}

Status Tenant::lift_objection(const Subject& subject, Purpose purpose) const {
  return api::call(*state_, "Tenant::lift_objection", [&]() -> Status {
    EFFACE_ASSIGN(const auto found, checked(*state_->tenant, purpose));
    return rights::object({state_->tenant, state_->actor}, Access::person(subject), found,
                          rights::Objection::lifted);
  });
}

Status Tenant::restrict(const Subject& subject) const {
  return api::call(*state_, "Tenant::restrict", [&] {
    return rights::restrict({state_->tenant, state_->actor}, Access::person(subject),
                            rights::Restriction::imposed);
  });
}

Status Tenant::lift_restriction(const Subject& subject) const {
  return api::call(*state_, "Tenant::lift_restriction", [&] {
    return rights::restrict({state_->tenant, state_->actor}, Access::person(subject),
                            rights::Restriction::lifted);
  });
}

Result<Erasure> Tenant::suppress(SubjectId id, const ReceiptOptions& receipt) const {
  return api::call(*state_, "Tenant::suppress",
                   [&] { return rights::suppress({state_->tenant, state_->actor}, id, receipt); });
}

Status Tenant::reinstate(SubjectId id, std::string_view reason) const {
  return api::call(*state_, "Tenant::reinstate",
                   [&] { return rights::reinstate({state_->tenant, state_->actor}, id, reason); });
}

Result<HoldNumber> Tenant::hold(const Subject& subject, const HoldTerms& terms) const {
  return api::call(*state_, "Tenant::hold", [&] {
    return rights::hold({state_->tenant, state_->actor}, Access::person(subject), terms);
  });
}

Result<Erasure> Tenant::release(const Subject& subject, HoldNumber number) const {
  return api::call(*state_, "Tenant::release", [&] {
    return rights::release({state_->tenant, state_->actor}, Access::person(subject), number);
  });
}

Status Tenant::dossier(const Subject& subject, FunctionRef<void(const Dossier&)> look) const {
  return api::call(*state_, "Tenant::dossier", [&]() -> Status {
    EFFACE_ASSIGN(const rights::OnFile on_file,
                  rights::read_file({state_->tenant, state_->actor}, Access::person(subject)));
    const subjects::Terms terms = state_->tenant->terms();
    const codec::DossierFields& fields = on_file.dossier.fields();
    std::vector<Event> events;
    for (const codec::EventFields& e : fields.events) {
      const auto* purpose = terms.find(e.purpose);
      events.push_back({EventKind{e.kind}, from_ms(e.at_ms),
                        purpose != nullptr ? std::string_view(purpose->terms.name) : "",
                        e.text_version, e.channel, e.actor});
    }
    std::vector<Hold> holds;
    for (const codec::HoldFields& h : fields.holds) {
      Hold& hold = holds.emplace_back(Hold{h.number, h.basis, h.reason, from_ms(h.since_ms), {}});
      if (h.until_ms != 0) hold.until = from_ms(h.until_ms);
    }
    std::vector<std::string_view> identifiers;
    for (const Bytes id : fields.aliases) identifiers.push_back(as_text(id));
    Dossier dossier;
    dossier.restricted = on_file.has(keyring::flag_restricted);
    dossier.erasure_asked = on_file.has(keyring::flag_leaving);
    dossier.events = events;
    dossier.events_dropped = fields.events_dropped;
    dossier.holds = holds;
    dossier.identifiers = identifiers;
    look(dossier);
    return {};
  });
}

namespace {

Result<rights::Question> question_of(const access::TenantState& tenant, const Query& query) {
  rights::Question question{query, 0};
  if (query.purpose) {
    EFFACE_ASSIGN(const auto found, checked(tenant, *query.purpose));
    question.purpose = found.number;
  }
  return question;
}

}  // namespace

Status Tenant::add_identifier(const Subject& subject, SubjectId further) const {
  return api::call(*state_, "Tenant::add_identifier", [&] {
    return rights::add_identifier({state_->tenant, state_->actor}, Access::person(subject),
                                  further);
  });
}

Result<Erasure> Tenant::merge(const Subject& into, Subject&& from) const {
  return api::call(*state_, "Tenant::merge", [&] {
    const Subject used_up = std::move(from);
    return rights::merge({state_->tenant, state_->actor}, Access::person(into),
                         Access::person(used_up));
  });
}

Result<QueryPage> Tenant::query(
    const Query& query, const QueryOptions& options,
    FunctionRef<void(std::string_view id, const Region& home)> each) const {
  return api::call(*state_, "Tenant::query", [&]() -> Result<QueryPage> {
    EFFACE_ASSIGN(const rights::Question question, question_of(*state_->tenant, query));
    const auto tell = [&](std::string_view id, const access::TenantRegion& home) {
      each(id, Access::region(home.region));
    };
    const FunctionRef<void(std::string_view, const access::TenantRegion&)> told(tell);
    return rights::ask(state_->tenant, question, options, &told);
  });
}

Result<std::uint64_t> Tenant::count(const Query& query) const {
  return api::call(*state_, "Tenant::count", [&]() -> Result<std::uint64_t> {
    EFFACE_ASSIGN(const rights::Question question, question_of(*state_->tenant, query));
    QueryOptions all;
    all.limit = SIZE_MAX;
    EFFACE_ASSIGN(const QueryPage page, rights::ask(state_->tenant, question, all, nullptr));
    return page.matches;
  });
}

Result<ProcessingRecord> Tenant::processing_record() const {
  return api::call(*state_, "Tenant::processing_record",
                   [&] { return rights::processing_record(state_->tenant); });
}

Status Tenant::export_subject(const Subject& subject, const ExportOptions& options,
                              ExportSink sink) const {
  return api::call(*state_, "Tenant::export_subject", [&] {
    return rights::export_person({state_->tenant, state_->actor}, Access::person(subject), options,
                                 sink);
  });
}

Result<std::uint64_t> Tenant::export_all(const ExportOptions& options, ExportSink sink) const {
  return api::call(*state_, "Tenant::export_all", [&] {
    return rights::export_people({state_->tenant, state_->actor}, options, sink);
  });
}

Status Tenant::permit_transfer(const TransferRule& rule) const {
  return api::call(*state_, "Tenant::permit_transfer", [&] {
    return state_->tenant->change_terms(
        state_->actor, [&](subjects::Terms& terms) { return subjects::add_transfer(terms, rule); });
  });
}

Result<Erasure> Tenant::transfer(const Subject& subject, const Region& target, TransferBasis basis,
                                 const ReceiptOptions& receipt) const {
  return api::call(*state_, "Tenant::transfer", [&]() -> Result<Erasure> {
    EFFACE_ASSIGN(const auto* region, state_->tenant->region(Access::region(target).get()));
    return rights::transfer({state_->tenant, state_->actor}, Access::person(subject), *region,
                            basis, receipt);
  });
}

Result<std::vector<TransferRule>> Tenant::transfer_rules() const {
  return api::call(*state_, "Tenant::transfer_rules", [&]() -> Result<std::vector<TransferRule>> {
    EFFACE_TRY(state_->tenant->check_here());
    return state_->tenant->terms().transfers;
  });
}

Status Tenant::set_agreement(const Agreement& agreement) const {
  return api::call(*state_, "Tenant::set_agreement", [&] {
    return state_->tenant->change_terms(state_->actor, [&](subjects::Terms& terms) {
      return subjects::set_agreement(terms, agreement);
    });
  });
}

Result<std::optional<Agreement>> Tenant::agreement() const {
  return api::call(*state_, "Tenant::agreement", [&]() -> Result<std::optional<Agreement>> {
    EFFACE_TRY(state_->tenant->check_here());
    return state_->tenant->terms().agreement;
  });
}

}  // namespace efface
