// A subject is enrolled or looked up.
#include "efface/tenant.h"

efface::Result<efface::Subject> run(const efface::Tenant& tenant) {
#ifdef EFFACE_MISUSE
  return efface::Subject();
#else
  return tenant.subject(efface::SubjectId("4711"));
#endif
}
