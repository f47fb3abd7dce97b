// An incident of the register: refused, or exactly what would be written of it.
#include <cstdint>

#include "base/check.h"
#include "input.h"
#include "rights/incident_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace efface;
  fuzz::Input input(data, size);
  const auto bytes = fuzz::owned(input.rest());
  const auto record = rights::decode_incident(bytes.bytes());
  if (!record) return 0;
  EFFACE_CHECK(record->told.size() == record->incident.terms.tenants.size());
  EFFACE_CHECK(fuzz::same(rights::encode(*record), bytes.bytes()));
  return 0;
}
