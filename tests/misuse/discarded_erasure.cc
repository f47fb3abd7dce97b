// Whether somebody was erased is looked at.
#include <utility>

#include "efface/tenant.h"

bool run(const efface::Tenant& tenant, efface::Subject subject) {
#ifdef EFFACE_MISUSE
  tenant.erase(std::move(subject));
  return true;
#else
  return tenant.erase(std::move(subject)).has_value();
#endif
}
