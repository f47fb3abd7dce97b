// A region does not stand in for a purpose.
#include "efface/tenant.h"

efface::Result<efface::Activity> run(const efface::Tenant& tenant, const efface::Region& region,
                                     efface::Purpose purpose) {
#ifdef EFFACE_MISUSE
  return tenant.activity(region);
#else
  return region.is_open() ? tenant.activity(purpose) : tenant.activity(purpose);
#endif
}
