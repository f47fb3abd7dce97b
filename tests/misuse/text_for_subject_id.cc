// A text is an id only when somebody says so.
#include "efface/tenant.h"

efface::Result<efface::Subject> run(const efface::Tenant& tenant) {
#ifdef EFFACE_MISUSE
  return tenant.subject("4711");
#else
  return tenant.subject(efface::SubjectId("4711"));
#endif
}
