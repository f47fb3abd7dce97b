#include "codec/manifest_codec.h"

#include <region_generated.h>
#include <store_generated.h>
#include <tenant_generated.h>

#include <algorithm>

#include "base/check.h"
#include "codec/flat.h"

namespace efface::codec {
namespace {

constexpr std::size_t usual_bytes = 1024;

std::string text(const flatbuffers::String* from) { return std::string(view(from)); }

}  // namespace

Plaintext encode(const TenantFields& fields) {
  FlatBuilder flat(usual_bytes);
  std::vector<flatbuffers::Offset<schema::Purpose>> purposes;
  purposes.reserve(fields.purposes.size());
  for (const PurposeFields& purpose : fields.purposes)
    purposes.push_back(schema::CreatePurpose(*flat, purpose.number, flat.text(purpose.name),
                                             purpose.basis, purpose.retention_days,
                                             purpose.compress, purpose.pad));
  const auto declared = flat->CreateVector(purposes);
  const auto regions = flat.texts(fields.regions);
  return flat.finish(schema::CreateTenant(*flat, flat.text(fields.name), regions, declared),
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
  TenantFields fields{.name = text(tenant->name()), .regions = {}, .purposes = {}};
  for (const auto* region : *tenant->regions()) fields.regions.push_back(text(region));
  if (const auto* purposes = tenant->purposes())
    for (const auto* purpose : *purposes)
      fields.purposes.push_back({.number = purpose->number(),
                                 .name = text(purpose->name()),
                                 .basis = purpose->basis(),
                                 .retention_days = purpose->retention_days(),
                                 .compress = purpose->compress(),
                                 .pad = purpose->pad()});
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
