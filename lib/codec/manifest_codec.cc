#include "codec/manifest_codec.h"

#include <region_generated.h>
#include <store_generated.h>
#include <tenant_generated.h>

#include <algorithm>

#include "base/check.h"
#include "codec/flat.h"

namespace efface::codec {
namespace {

std::string text(const flatbuffers::String* from) { return std::string(view(from)); }

}  // namespace

Plaintext encode(const TenantFields& fields) {
  FlatBuilder flat(usual_bytes);
  std::vector<flatbuffers::Offset<schema::Purpose>> purposes;
  purposes.reserve(fields.purposes.size());
  for (const PurposeFields& purpose : fields.purposes) {
    const auto name = flat.text(purpose.name);
    purposes.push_back(schema::CreatePurpose(*flat, purpose.number, name, purpose.basis,
                                             purpose.retention_days, purpose.compress, purpose.pad,
                                             flat.texts(purpose.categories)));
  }
  std::vector<flatbuffers::Offset<schema::Transfer>> transfers;
  for (const TransferFields& transfer : fields.transfers) {
    const auto from = flat.text(transfer.from);
    transfers.push_back(
        schema::CreateTransfer(*flat, from, flat.text(transfer.to), transfer.basis));
  }
  const auto declared = flat->CreateVector(purposes);
  const auto permitted = flat->CreateVector(transfers);
  const auto regions = flat.texts(fields.regions);
  const auto reference = flat.text(fields.agreement_reference);
  return flat.finish(schema::CreateTenant(*flat, flat.text(fields.name), regions, declared,
                                          permitted, reference, fields.agreement_day),
                     schema::TenantIdentifier());
}

Plaintext encode(const StoreFields& fields) {
  FlatBuilder flat(usual_bytes);
  std::vector<flatbuffers::Offset<schema::Region>> regions;
  regions.reserve(fields.regions.size());
  for (const StoreRegionFields& region : fields.regions) {
    const auto name = flat.text(region.name);
    regions.push_back(schema::CreateRegion(*flat, name, flat.text(region.directory)));
  }
  return flat.finish(schema::CreateStore(*flat, fields.format, flat->CreateVector(regions)),
                     schema::StoreIdentifier());
}

Plaintext encode(const RegionInfoFields& fields) {
  FlatBuilder flat(usual_bytes);
  const auto id = flat.bytes(fields.id);
  return flat.finish(schema::CreateRegionInfo(*flat, fields.format, id, flat.text(fields.name)),
                     schema::RegionInfoIdentifier());
}

Result<TenantFields> decode_tenant(Bytes bytes) {
  EFFACE_CHECK(is_aligned(bytes));
  auto verify = verifier(bytes);
  if (!schema::VerifyTenantBuffer(verify)) return Error(Errc::corruption, "not a tenant");
  const auto* const tenant = schema::GetTenant(bytes.data());
  TenantFields fields;
  fields.name = text(tenant->name());
  for (const auto* region : *tenant->regions()) fields.regions.push_back(text(region));
  if (const auto* purposes = tenant->purposes())
    for (const auto* purpose : *purposes) {
      PurposeFields& into = fields.purposes.emplace_back();
      into.number = purpose->number();
      into.name = text(purpose->name());
      into.basis = purpose->basis();
      into.retention_days = purpose->retention_days();
      into.compress = purpose->compress();
      into.pad = purpose->pad();
      if (const auto* categories = purpose->categories())
        for (const auto* category : *categories) into.categories.push_back(text(category));
    }
  if (const auto* transfers = tenant->transfers())
    for (const auto* transfer : *transfers)
      fields.transfers.push_back({text(transfer->from()), text(transfer->to()), transfer->basis()});
  fields.agreement_reference = view(tenant->agreement_reference());
  fields.agreement_day = tenant->agreement_day();
  return fields;
}

Result<StoreFields> decode_store(Bytes bytes) {
  EFFACE_CHECK(is_aligned(bytes));
  auto verify = verifier(bytes);
  if (!schema::VerifyStoreBuffer(verify)) return Error(Errc::corruption, "not a store manifest");
  const auto* const store = schema::GetStore(bytes.data());
  StoreFields fields{.format = store->format(), .regions = {}};
  for (const auto* region : *store->regions())
    fields.regions.push_back(
        {.name = text(region->name()), .directory = text(region->directory())});
  return fields;
}

Result<RegionInfoFields> decode_region_info(Bytes bytes) {
  EFFACE_CHECK(is_aligned(bytes));
  auto verify = verifier(bytes);
  if (!schema::VerifyRegionInfoBuffer(verify)) return Error(Errc::corruption, "not a region");
  const auto* const region = schema::GetRegionInfo(bytes.data());
  RegionInfoFields fields{.format = region->format(), .id = {}, .name = text(region->name())};
  const Bytes id = view(region->id());
  if (id.size() != fields.id.size()) return Error(Errc::corruption, "not the id of a region");
  std::copy(id.begin(), id.end(), fields.id.begin());
  return fields;
}

}  // namespace efface::codec
