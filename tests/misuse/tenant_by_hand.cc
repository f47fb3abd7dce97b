// A tenant comes from a store.
#include "efface/store.h"

efface::Result<efface::Tenant> run(const efface::Store& store) {
#ifdef EFFACE_MISUSE
  return efface::Tenant(nullptr);
#else
  return store.tenant("acme", efface::Actor("helpdesk"));
#endif
}
