// A purpose does not stand in for a region.
#include "efface/tenant.h"

efface::Result<efface::Subject> run(const efface::Tenant& tenant, const efface::Region& region,
                                    efface::Purpose purpose) {
#ifdef EFFACE_MISUSE
  return tenant.enrol(efface::SubjectId("4711"), purpose);
#else
  if (!tenant.activity(purpose)) return tenant.subject(efface::SubjectId("4711"));
  return tenant.enrol(efface::SubjectId("4711"), region);
#endif
}
