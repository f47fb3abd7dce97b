// Tenant and actor are two texts that cannot be swapped.
#include "efface/store.h"

efface::Result<efface::Tenant> run(const efface::Store& store) {
#ifdef EFFACE_MISUSE
  return store.tenant(efface::Actor("acme"), "helpdesk");
#else
  return store.tenant("acme", efface::Actor("helpdesk"));
#endif
}
