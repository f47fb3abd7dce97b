#include "efface/root_key_store.h"

namespace efface {

const char* name(AssuranceLevel level) noexcept {
  switch (level) {
    case AssuranceLevel::l0_logical:
      return "L0";
    case AssuranceLevel::l1_overwritten:
      return "L1";
    case AssuranceLevel::l2_overwrite_verified:
      return "L2";
    case AssuranceLevel::l3_token:
      return "L3";
    case AssuranceLevel::l4_composite:
      return "L4";
  }
  return "unknown";
}

RootKeyStore::~RootKeyStore() = default;

}  // namespace efface
