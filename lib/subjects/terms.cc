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
                               false});
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
        {p.number, {std::move(p.name), LegalBasis{p.basis}, retention, p.compress}});
  }
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
  if (const NumberedPurpose* present = terms.find(purpose.name)) {
    if (present->terms == purpose) return present->number;
    return Error(Errc::conflict, "the purpose is declared with other terms");
  }
  if (terms.purposes.size() == limits::purposes_per_tenant_max)
    return Error(Errc::too_large, "a tenant has at most 256 purposes");
  const auto number = static_cast<PurposeNumber>(terms.purposes.size() + 1);
  terms.purposes.push_back({number, purpose});
  return number;
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
