// Erasing uses the subject up, and says so.
#include <utility>

#include "efface/tenant.h"

efface::Result<efface::Erasure> run(const efface::Tenant& tenant, efface::Subject subject) {
#ifdef EFFACE_MISUSE
  return tenant.erase(subject);
#else
  return tenant.erase(std::move(subject));
#endif
}
