// No access is without a purpose.
#include "efface/tenant.h"

efface::Result<efface::Activity> run(const efface::Tenant& tenant, efface::Purpose purpose) {
#ifdef EFFACE_MISUSE
  return tenant.activity();
#else
  return tenant.activity(purpose);
#endif
}
