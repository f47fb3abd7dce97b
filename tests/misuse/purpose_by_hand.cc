// A purpose comes from a tenant.
#include "efface/tenant.h"

efface::Result<efface::Purpose> run(const efface::Tenant& tenant) {
#ifdef EFFACE_MISUSE
  return efface::Purpose(1, 2);
#else
  return tenant.purpose("ratings");
#endif
}
