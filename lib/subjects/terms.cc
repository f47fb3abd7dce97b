#include "subjects/terms.h"

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"
#include "codec/manifest_codec.h"
#include "efface/limits.h"

namespace efface {

const char* name(LegalBasis basis) noexcept {
  switch (basis) {
    case LegalBasis::consent:
      return "consent";
    case LegalBasis::contract:
      return "contract";
    case LegalBasis::legal_obligation:
      return "legal_obligation";
    case LegalBasis::vital_interest:
      return "vital_interest";
    case LegalBasis::public_task:
      return "public_task";
    case LegalBasis::legitimate_interest:
      return "legitimate_interest";
  }
  return "unknown";
}

std::optional<LegalBasis> legal_basis(std::string_view text) noexcept {
  for (std::uint8_t i = 1; i <= 6; ++i)
    if (text == name(LegalBasis{i})) return LegalBasis{i};
  return std::nullopt;
}

const char* name(TransferBasis basis) noexcept {
  switch (basis) {
    case TransferBasis::adequacy:
      return "adequacy";
    case TransferBasis::standard_clauses:
      return "standard_clauses";
    case TransferBasis::binding_rules:
      return "binding_rules";
    case TransferBasis::derogation:
      return "derogation";
  }
  return "unknown";
}

std::optional<TransferBasis> transfer_basis(std::string_view text) noexcept {
  for (std::uint8_t i = 1; i <= 4; ++i)
    if (text == name(TransferBasis{i})) return TransferBasis{i};
  return std::nullopt;
}

}  // namespace efface

namespace efface::subjects {
namespace {

bool in_order(const NumberedPurpose& a, const NumberedPurpose& b) noexcept {
  return a.number < b.number;
}

}  // namespace

const NumberedPurpose* Terms::find(std::string_view purpose_name) const noexcept {
  for (const NumberedPurpose& p : purposes)
    if (p.terms.name == purpose_name) return &p;
  return nullptr;
}

const NumberedPurpose* Terms::find(PurposeNumber number) const noexcept {
  for (const NumberedPurpose& p : purposes)
    if (p.number == number) return &p;
  return nullptr;
}

codec::Plaintext encode(const Terms& terms) {
  codec::TenantFields fields{terms.name, terms.regions, {}};
  for (const NumberedPurpose& p : terms.purposes)
    fields.purposes.push_back({p.number, p.terms.name, static_cast<std::uint8_t>(p.terms.basis),
                               p.terms.retention ? p.terms.retention->count() : 0, p.terms.compress,
                               false, p.terms.categories});
  for (const TransferRule& t : terms.transfers)
    fields.transfers.push_back({t.from, t.to, static_cast<std::uint8_t>(t.basis)});
  if (terms.agreement) {
    fields.agreement_reference = terms.agreement->reference;
    fields.agreement_day =
        static_cast<std::int32_t>(terms.agreement->date.time_since_epoch().count());
  }
  return codec::encode(fields);
}

Result<Terms> decode_terms(Bytes bytes) {
  codec::Plaintext aligned(bytes.size());
  std::copy(bytes.begin(), bytes.end(), aligned.data());
  EFFACE_ASSIGN(codec::TenantFields fields, codec::decode_tenant(std::as_const(aligned).bytes()));
  Terms terms{std::move(fields.name), std::move(fields.regions), {}};
  for (codec::PurposeFields& p : fields.purposes) {
    if (p.basis < 1 || p.basis > 6 || p.number == 0 || p.number > limits::purposes_per_tenant_max ||
        terms.find(p.number) != nullptr)
      return Error(Errc::corruption, "a purpose of a tenant makes no sense");
    std::optional<Days> retention;
    if (p.retention_days != 0) retention = Days(p.retention_days);
    terms.purposes.push_back(
        {p.number,
         {std::move(p.name), LegalBasis{p.basis}, retention, p.compress, std::move(p.categories)}});
  }
  for (codec::TransferFields& t : fields.transfers) {
    if (t.basis < 1 || t.basis > 4)
      return Error(Errc::corruption, "a transfer rule of a tenant makes no sense");
    terms.transfers.push_back({std::move(t.from), std::move(t.to), TransferBasis{t.basis}});
  }
  if (!fields.agreement_reference.empty())
    terms.agreement = Agreement{std::move(fields.agreement_reference),
                                std::chrono::sys_days(std::chrono::days(fields.agreement_day))};
  std::sort(terms.purposes.begin(), terms.purposes.end(), in_order);
  return terms;
}

Result<Terms> merged(const Terms& a, const Terms& b) {
  Terms all = a;
  for (const NumberedPurpose& p : b.purposes) {
    const NumberedPurpose* same_name = all.find(p.terms.name);
    const NumberedPurpose* same_number = all.find(p.number);
    if (same_name != same_number || (same_name != nullptr && *same_name != p))
      return Error(Errc::corruption, "two regions disagree about a purpose");
    if (same_name == nullptr) all.purposes.push_back(p);
  }
  // Of two rules for the same way, or two agreements, the one of the region that comes first: a
  // crash came between them, and whoever asked for the change asks again.
  for (const TransferRule& t : b.transfers)
    if (std::none_of(all.transfers.begin(), all.transfers.end(),
                     [&](const TransferRule& has) { return has.from == t.from && has.to == t.to; }))
      all.transfers.push_back(t);
  if (!all.agreement) all.agreement = b.agreement;
  std::sort(all.purposes.begin(), all.purposes.end(), in_order);
  return all;
}

Result<PurposeNumber> add_purpose(Terms& terms, const PurposeTerms& purpose) {
  if (!base::is_label(purpose.name))
    return Error(Errc::invalid_argument, "a purpose's name is 1 to 64 of [a-z0-9_.-]");
  const auto basis = static_cast<std::uint8_t>(purpose.basis);
  if (basis < 1 || basis > 6) return Error(Errc::invalid_argument, "there is no such legal basis");
  if (purpose.retention &&
      (purpose.retention->count() == 0 || purpose.retention->count() > limits::retention_days_max))
    return Error(Errc::invalid_argument, "a retention is 1 to 36,525 days");
  if (purpose.categories.size() > limits::categories_per_purpose_max)
    return Error(Errc::too_large, "a purpose has at most 16 categories of data");
  for (const std::string& category : purpose.categories)
    if (!base::is_label(category))
      return Error(Errc::invalid_argument, "a category of data is 1 to 64 of [a-z0-9_.-]");
  if (const NumberedPurpose* present = terms.find(purpose.name)) {
    if (present->terms == purpose) return present->number;
    return Error(Errc::conflict, "the purpose is declared with other terms");
  }
  // Above all there are, which are in order: they need not be without a gap.
  const std::size_t last = terms.purposes.empty() ? 0 : terms.purposes.back().number;
  if (last == limits::purposes_per_tenant_max)
    return Error(Errc::too_large, "a tenant has at most 256 purposes");
  const auto number = static_cast<PurposeNumber>(last + 1);
  terms.purposes.push_back({number, purpose});
  return number;
}

Status add_transfer(Terms& terms, const TransferRule& rule) {
  if (std::find(terms.regions.begin(), terms.regions.end(), rule.from) == terms.regions.end())
    return Error(Errc::region_unknown, "the tenant is not in the region that data shall leave");
  if (!base::is_label(rule.to) || rule.to == rule.from)
    return Error(Errc::invalid_argument, "a transfer goes to another region, named by a label");
  const auto basis = static_cast<std::uint8_t>(rule.basis);
  if (basis < 1 || basis > 4) return Error(Errc::invalid_argument, "there is no such basis");
  for (TransferRule& there : terms.transfers) {
    if (there.from != rule.from || there.to != rule.to) continue;
    there.basis = rule.basis;
    return {};
  }
  if (terms.transfers.size() == limits::transfer_rules_max)
    return Error(Errc::too_large, "a tenant has at most 256 transfer rules");
  terms.transfers.push_back(rule);
  return {};
}

Status set_agreement(Terms& terms, const Agreement& agreement) {
  EFFACE_TRY(check_text(agreement.reference, limits::label_bytes_max, Empty::refused));
  // Days are compared: of a day far out the calendar makes any year.
  using namespace std::chrono;
  if (agreement.date < sys_days(1970y / 1 / 1) || agreement.date > sys_days(9999y / 12 / 31))
    return Error(Errc::invalid_argument, "an agreement is of a year from 1970 to 9999");
  terms.agreement = agreement;
  return {};
}

Status check_text(std::string_view text, std::size_t bytes_max, Empty empty) {
  if (text.empty() && empty == Empty::refused)
    return Error(Errc::invalid_argument, "a text that has to be given is empty");
  if (text.size() > bytes_max) return Error(Errc::too_large, "a text is too long");
  if (!base::is_utf8(text)) return Error(Errc::invalid_argument, "a text is not UTF-8");
  return {};
}

Status check_id(SubjectId id) {
  if (id.text.empty()) return Error(Errc::invalid_argument, "a subject's id is empty");
  if (id.text.size() > limits::subject_id_bytes_max)
    return Error(Errc::too_large, "a subject's id is longer than 256 bytes");
  if (!base::is_utf8(id.text)) return Error(Errc::invalid_argument, "a subject's id is not UTF-8");
  return {};
}

Status check_name(RecordName name) {
  if (name.text.empty()) return Error(Errc::invalid_argument, "a record's name is empty");
  if (name.text.size() > limits::record_name_bytes_max)
    return Error(Errc::too_large, "a record's name is longer than 1,024 bytes");
  if (!base::is_utf8(name.text))
    return Error(Errc::invalid_argument, "a record's name is not UTF-8");
  return {};
}

}  // namespace efface::subjects
