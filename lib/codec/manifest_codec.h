// codec/manifest_codec.h -- what a store, a region and a tenant say of themselves, as bytes.
//
// Nothing here is about a person. The codecs check the form; what the values mean is checked by the
// layer that owns them.
//
// Shape   FlatBuffers of store.fbs (EFS1), region.fbs (EFG1) and tenant.fbs (EFT1).
// Errors  corruption for bytes that the verifier refuses. Bytes that do not start at a multiple of
//         eight are a broken invariant.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "codec/plaintext.h"
#include "efface/result.h"

namespace efface::codec {

struct PurposeFields {
  std::uint16_t number = 0;
  std::string name;
  std::uint8_t basis = 0;
  std::uint32_t retention_days = 0;
  bool compress = true;
  bool pad = false;
  std::vector<std::string> categories{};
  bool operator==(const PurposeFields&) const = default;
};

struct TransferFields {
  std::string from;
  std::string to;
  std::uint8_t basis = 0;
  bool operator==(const TransferFields&) const = default;
};

struct TenantFields {
  std::string name;
  std::vector<std::string> regions;
  std::vector<PurposeFields> purposes;
  std::vector<TransferFields> transfers{};
  std::string agreement_reference{};  // Empty: none.
  std::int32_t agreement_day = 0;     // Since 1970.
  bool operator==(const TenantFields&) const = default;
};

struct StoreRegionFields {
  std::string name;
  std::string directory;
  bool operator==(const StoreRegionFields&) const = default;
};

struct StoreFields {
  std::uint32_t format = 0;
  std::vector<StoreRegionFields> regions;
  bool operator==(const StoreFields&) const = default;
};

struct RegionInfoFields {
  std::uint32_t format = 0;
  Id16 id{};
  std::string name;
  bool operator==(const RegionInfoFields&) const = default;
};

Plaintext encode(const TenantFields& fields);
Plaintext encode(const StoreFields& fields);
Plaintext encode(const RegionInfoFields& fields);

Result<TenantFields> decode_tenant(Bytes bytes);
Result<StoreFields> decode_store(Bytes bytes);
Result<RegionInfoFields> decode_region_info(Bytes bytes);

}  // namespace efface::codec
