// What a store, a region, a tenant and a backup say of themselves: refused, or the same again after
// it is written anew.
#include <cstdint>

#include "base/check.h"
#include "codec/backup_codec.h"
#include "codec/manifest_codec.h"
#include "input.h"
#include "subjects/terms.h"

namespace efface::fuzz {
namespace {

template <class T>
void again(const Result<T>& fields, Result<T> (*decode)(Bytes)) {
  if (!fields) return;
  const auto bytes = encode(*fields);
  const auto read = decode(std::as_const(bytes).bytes());
  EFFACE_CHECK(read && *read == *fields);
}

std::string text(Input& input) {
  const Bytes bytes = input.take(input.byte());
  return std::string(as_text(bytes));
}

codec::TenantFields chosen_tenant(Input& input) {
  codec::TenantFields tenant;
  tenant.name = text(input);
  for (std::uint32_t n = input.below(4); n > 0; --n) tenant.regions.push_back(text(input));
  for (std::uint32_t n = input.below(8); n > 0; --n)
    tenant.purposes.push_back({input.number<std::uint16_t>(), text(input), input.byte(),
                               input.number<std::uint32_t>(), input.below(2) != 0,
                               input.below(2) != 0});
  return tenant;
}

void use(const subjects::Terms& terms, Input& input) {
  const auto both = subjects::merged(terms, terms);
  EFFACE_CHECK(!both || both->purposes.size() == terms.purposes.size());
  subjects::Terms more = terms;
  PurposeTerms purpose;
  purpose.name = text(input);
  purpose.retention = Days(input.number<std::uint32_t>());
  const auto number = subjects::add_purpose(more, purpose);
  if (number) EFFACE_CHECK(more.find(purpose.name) != nullptr);

  for (const auto& each : terms.purposes)
    EFFACE_CHECK(legal_basis(name(each.terms.basis)) == each.terms.basis);
  TransferRule rule{text(input), text(input), static_cast<TransferBasis>(input.below(6))};
  if (!more.regions.empty() && rule.from.empty()) rule.from = more.regions.front();
  if (subjects::add_transfer(more, rule)) {
    EFFACE_CHECK(transfer_basis(name(rule.basis)) == rule.basis);
    EFFACE_CHECK(subjects::add_transfer(more, rule).has_value());  // In its own place.
  }
  const Agreement agreement{text(input),
                            std::chrono::sys_days(Days(input.number<std::uint32_t>()))};
  if (subjects::set_agreement(more, agreement)) EFFACE_CHECK(more.agreement == agreement);
  const std::string id = text(input);
  const bool good = subjects::check_id(SubjectId(id)).has_value();
  EFFACE_CHECK(!good || subjects::check_name(RecordName(id)));
  const auto bytes = subjects::encode(more);
  const auto read = subjects::decode_terms(std::as_const(bytes).bytes());
  EFFACE_CHECK(read && *read == more);
}

}  // namespace
}  // namespace efface::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  fuzz::Input input(data, size);
  const auto kind = input.below(6);
  if (kind == 4) {
    const codec::TenantFields tenant = fuzz::chosen_tenant(input);
    const auto bytes = codec::encode(tenant);
    const auto read = codec::decode_tenant(std::as_const(bytes).bytes());
    EFFACE_CHECK(read && *read == tenant);
    if (const auto terms = subjects::decode_terms(std::as_const(bytes).bytes()))
      fuzz::use(*terms, input);
    return 0;
  }
  const auto bytes = fuzz::owned(input.rest());
  switch (kind) {
    case 0:
      fuzz::again(codec::decode_store(bytes.bytes()), &codec::decode_store);
      break;
    case 1:
      fuzz::again(codec::decode_region_info(bytes.bytes()), &codec::decode_region_info);
      break;
    case 5:
      fuzz::again(codec::decode_backup(bytes.bytes()), &codec::decode_backup);
      break;
    case 2:
      fuzz::again(codec::decode_tenant(bytes.bytes()), &codec::decode_tenant);
      break;
    default:
      fuzz::again(subjects::decode_terms(bytes.bytes()), &subjects::decode_terms);
  }
  return 0;
}
